/** Python's face detectors as peers: one process that stays, so that its start and the loading of its nets are not timed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PixelBox, RgbImage } from '../src/faces/face.js';

export interface PythonDetector {
  /** The faces of the pictures with these numbers. */
  detect(numbers: readonly number[]): Promise<PixelBox[][]>;
  close(): void;
}

/** Undefined where T2T_FACES_PYTHON (or T2T_PYTHON, or python3) has not got the package; see `fixtures/witness/face_detectors.py`. */
export async function openPythonDetector(
  name: 'mediapipe' | 'mtcnn',
  pictures: readonly RgbImage[],
): Promise<PythonDetector | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-faces-'));
  const [index, pixels] = [join(folder, 'index.json'), join(folder, 'pixels')];
  writeFileSync(index, JSON.stringify(pictures.map(({ width, height }) => ({ width, height }))));
  writeFileSync(pixels, Buffer.concat(pictures.map(({ data }) => data)));
  const child = spawn(
    process.env.T2T_FACES_PYTHON ?? process.env.T2T_PYTHON ?? 'python3',
    [witnessScript(), name, index, pixels],
    {
      // What is missing, and MediaPipe's chatter: not for the reader of figures.
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const answer = answersOf(child);
  const close = (): void => {
    child.stdin?.end();
    rmSync(folder, { recursive: true, force: true });
  };
  if ((await answer()) !== 'ready') {
    close();
    return undefined;
  }
  return {
    close,
    async detect(numbers) {
      child.stdin?.write(`${JSON.stringify(numbers)}\n`);
      const line = await answer();
      if (line === undefined) throw new Error(`the Python process of ${name} ended`);
      return (JSON.parse(line) as number[][][]).map((faces) =>
        faces.map(([left, top, width, height]) => ({ left, top, width, height }) as PixelBox),
      );
    },
  };
}

/** Its next line; undefined once it has ended, or where there is no interpreter. */
function answersOf(child: ChildProcess): () => Promise<string | undefined> {
  const output = child.stdout as NodeJS.ReadableStream & { destroy(): void };
  child.on('error', () => output.destroy());
  child.stdin?.on('error', () => {});
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    return done === true ? undefined : value;
  };
}

function witnessScript(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const path = join(at, 'fixtures', 'witness', 'face_detectors.py');
    if (existsSync(path)) return path;
    if (at === dirname(at)) throw new Error('fixtures/witness/face_detectors.py is missing');
  }
}
