/** Python's face detectors as peers: one process that stays, so that its start and the loading of its nets are not timed. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { witnessPath } from '../fixtures/witness_path.js';
import type { PixelBox, RgbImage } from '../src/faces/face.js';
import { startPython } from './python_lines.js';

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
  const python = startPython([witnessPath('face_detectors.py'), name, index, pixels], {
    ...(process.env.T2T_FACES_PYTHON === undefined ? {} : { python: process.env.T2T_FACES_PYTHON }),
    // What is missing, and MediaPipe's chatter: not for the reader of figures.
    errors: 'ignore',
  });
  const close = (): void => {
    python.process.stdin?.end();
    rmSync(folder, { recursive: true, force: true });
  };
  if ((await python.answer()) !== 'ready') {
    close();
    return undefined;
  }
  return {
    close,
    async detect(numbers) {
      python.ask(JSON.stringify(numbers));
      const line = await python.answer();
      if (line === undefined) throw new Error(`the Python process of ${name} ended`);
      return (JSON.parse(line) as number[][][]).map((faces) =>
        faces.map(([left, top, width, height]) => ({ left, top, width, height }) as PixelBox),
      );
    },
  };
}
