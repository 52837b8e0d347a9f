import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { witnessPath } from '../../fixtures/witness_path.js';
import { seededRandom } from '../io/random.js';
import { MODEL_NAMES, type ModelName, modelBytes } from './model_files.js';
import { openSession } from './session.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-session-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = process.env.T2T_PYTHON ?? 'python3';
/** Numbers that the models take: pixels as -1 … 1 for the detectors, 0 … 1 for the landmarks. */
const INPUT_NUMBERS: Readonly<Record<ModelName, number>> = {
  'face-detection-full-range': 192 * 192 * 3,
  'face-detection-short-range': 128 * 128 * 3,
  'face-landmark': 192 * 192 * 3,
};
const inputs = MODEL_NAMES.map((name) => {
  const random = seededRandom(name);
  return Float32Array.from({ length: INPUT_NUMBERS[name] }, () => random.next() * 2 - 1);
});
const byTfLite = askWitness();
if (byTfLite === undefined)
  console.warn(`SKIPPED: ${python} has no tensorflow; set T2T_PYTHON to one that has`);

for (const [i, name] of MODEL_NAMES.entries())
  test.skipIf(byTfLite === undefined)(
    `TensorFlow Lite has the outputs that we have of ${name} (skipped without it)`,
    async () => {
      const theirs = byTfLite![i]!;
      const session = await openSession(name);
      const ours = await session.run(inputs[i]!);
      await session.dispose();
      expect(session.outputShapes).toEqual(theirs.map(({ shape }) => shape));
      for (const [j, { values }] of theirs.entries()) {
        const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const error = values.reduce(
          (largest, value, k) => Math.max(largest, Math.abs(value - ours[j]![k]!)),
          0,
        );
        expect(scale).toBeGreaterThan(1);
        expect(error / scale).toBeLessThan(1e-4);
      }
    },
  );

interface WitnessOutput {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function askWitness(): WitnessOutput[][] | undefined {
  const args = MODEL_NAMES.flatMap((name, i) => {
    const paths = [join(folder, `${name}.tflite`), join(folder, `${name}.f32`)] as const;
    writeFileSync(paths[0], modelBytes(name));
    writeFileSync(paths[1], inputs[i]!);
    return paths;
  });
  try {
    const options = { timeout: 120_000, maxBuffer: 2 ** 26, encoding: 'utf8', stdio: 'pipe' } as const;
    const lines = execFileSync(python, [witnessPath('tflite_outputs.py'), ...args], options)
      .trimEnd()
      .split('\n');
    return lines.map((line) => (JSON.parse(line) as { shape: number[]; values: string }[]).map(readOutput));
  } catch (error) {
    const { status, code } = error as { status?: number; code?: string };
    if (status === 3 || code === 'ENOENT') return undefined;
    throw error;
  }
}

function readOutput({ shape, values }: { shape: number[]; values: string }): WitnessOutput {
  return { shape, values: new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer) };
}
