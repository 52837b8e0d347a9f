import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { MODEL_NAMES, type ModelName, modelBytes } from './model_files.js';
import { type ModelSession, openTflite } from './onnx_session.js';
import { openSession } from './session.js';

const sessionUrl = new URL('./session.js', import.meta.url).href;
const opened: ModelSession[] = [];
afterAll(async () => {
  for (const session of opened) await session.dispose();
});

async function open(name: ModelName): Promise<ModelSession> {
  const session = await openSession(name);
  opened.push(session);
  return session;
}

/** Numbers between -1 and 1 that look like noise, `picture` after `picture`. */
function noise(count: number, picture = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (((i + 1000 * picture) * 7919) % 255) / 127.5 - 1);
}

function numbersIn(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** TensorFlow Lite 2.21's numbers for `noise`, plain kernels: of each output the first, the middle and the last. */
const GOLDEN: Readonly<Record<ModelName, readonly (readonly number[])[]>> = {
  'face-detection-full-range': [
    [-3.58825, -1.602808, -6.251983],
    [-8.160404, -5.570374, -8.401915],
  ],
  'face-detection-short-range': [
    [1.417902, 0.1607995, -13.10731],
    [-4.978554, -5.240159, -25.09727],
  ],
  'face-landmark': [[109.2323, 26.80224, 17.14053], [-11.14465]],
};

for (const name of MODEL_NAMES)
  test(`${name} gives the numbers that TensorFlow Lite gave`, async () => {
    const session = await open(name);
    const outputs = await session.run(noise(numbersIn(session.inputShape)));
    expect(outputs.map(({ length }) => length)).toEqual(session.outputShapes.map(numbersIn));
    for (const [i, output] of outputs.entries()) {
      const found = [output[0]!, output[output.length >> 1]!, output[output.length - 1]!];
      for (const [j, value] of GOLDEN[name][i]!.entries())
        expect(Math.abs(found[j]! - value)).toBeLessThan(1e-3 * Math.max(1, Math.abs(value)));
    }
  });

test('a batch gives what its pictures give one by one, to the last bit', async () => {
  const session = await open('face-detection-short-range');
  const count = numbersIn(session.inputShape);
  const pictures = [0, 1, 2].map((picture) => noise(count, picture));
  const together = new Float32Array(3 * count);
  for (const [i, picture] of pictures.entries()) together.set(picture, i * count);
  const batch = await session.run(together, 3);
  for (const [i, picture] of pictures.entries())
    for (const [j, alone] of (await session.run(picture)).entries())
      expect(batch[j]!.slice(i * alone.length, (i + 1) * alone.length)).toEqual(alone);
});

test('runs asked for at once, of several models, each give their own result', async () => {
  const models = ['face-detection-short-range', 'face-landmark'] as const;
  const sessions = await Promise.all(models.map(open));
  const jobs = Array.from({ length: 6 }, (_, i) => {
    const session = sessions[i % 2]!;
    return { session, input: noise(numbersIn(session.inputShape), i) };
  });
  const atOnce = await Promise.all(jobs.map(({ session, input }) => session.run(input)));
  for (const [i, { session, input }] of jobs.entries()) expect(await session.run(input)).toEqual(atOnce[i]);
});

test("the outputs and the input stay the caller's", async () => {
  const session = await open('face-detection-short-range');
  const input = noise(numbersIn(session.inputShape));
  const before = input.slice();
  const first = await session.run(input);
  const kept = first.map((output) => output.slice());
  await session.run(noise(input.length, 5));
  expect(input).toEqual(before);
  expect(first).toEqual(kept);
});

test('an input of another size is refused, and the session goes on', async () => {
  const session = await open('face-detection-short-range');
  const count = numbersIn(session.inputShape);
  await expect(session.run(new Float32Array(count - 1))).rejects.toThrow(RangeError);
  await expect(session.run(new Float32Array(count), 2)).rejects.toThrow(/2 × 49152 were expected/);
  await expect(session.run(new Float32Array(0), 0)).rejects.toThrow(RangeError);
  expect(await session.run(noise(count))).toHaveLength(2);
});

test('a session that was disposed of refuses to run, while others of the same model go on', async () => {
  const name = 'face-detection-short-range';
  const [one, two] = await Promise.all([openSession(name), openSession(name)]);
  const input = noise(numbersIn(one!.inputShape));
  await one!.dispose();
  await one!.dispose();
  await expect(one!.run(input)).rejects.toThrow(/was disposed of/);
  expect(await two!.run(input)).toHaveLength(2);
  await two!.dispose();
  const again = await openSession(name);
  expect(await again.run(input)).toHaveLength(2);
  await again.dispose();
});

test('a run that was asked for before its session is disposed of is finished', async () => {
  const session = await openTflite(modelBytes('face-detection-short-range'));
  const run = session.run(noise(numbersIn(session.inputShape)));
  await session.dispose();
  expect(await run).toHaveLength(2);
  await expect(session.run(noise(numbersIn(session.inputShape)))).rejects.toThrow(/was disposed of/);
});

/** Runs a model over zeros and gives its second output's first number to `tell`. */
function scriptOf(tell: string): string {
  return `
    const { openSession } = await import(${JSON.stringify(sessionUrl)});
    const session = await openSession('face-detection-short-range');
    const outputs = await session.run(new Float32Array(session.inputShape.reduce((a, b) => a * b)));
    await session.dispose();
    ${tell}`;
}

test('worker threads have sessions of their own, with the same results', async () => {
  const session = await open('face-detection-short-range');
  const [, scores] = await session.run(new Float32Array(numbersIn(session.inputShape)));
  const script = scriptOf(`(await import('node:worker_threads')).parentPort.postMessage(outputs[1][0]);`);
  const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  const results = await Promise.all(
    [0, 1].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(url);
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  expect(results).toEqual([scores![0], scores![0]]);
});

test('nothing is printed, and the process ends by itself', () => {
  const args = ['--input-type=module', '-e', scriptOf('if (outputs.length !== 2) process.exitCode = 9;')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
