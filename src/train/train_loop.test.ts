import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { readRecords } from '../io/tfrecord_reader.js';
import { hparamsSet } from '../models/hparams_sets.js';
import { CheckpointFolder } from './checkpoint_folder.js';
import { type DevLine, type MetricsLine, readMetrics, type StepLine } from './metrics_log.js';
import { readRun } from './run_folder.js';
import {
  testFolder,
  tripletsRun,
  windowsRun,
  writeColourTriplets,
  writeWindows,
} from './small_run.test.helper.js';
import type { TrainEvent } from './train_events.js';
import { train } from './train_loop.js';

const isStep = (line: MetricsLine): line is StepLine => 'loss' in line;
const isDev = (line: MetricsLine): line is DevLine => 'dev' in line;

function dataFolder(train = 24, dev = 8): string {
  const dataDir = join(testFolder(), 'data');
  writeWindows(dataDir, 'train', train);
  writeWindows(dataDir, 'dev', dev);
  return dataDir;
}

test('a run learns, scores dev, and leaves a folder that says what it was, without holding on to tensors', async () => {
  const [dataDir, outputDir] = [dataFolder(), testFolder()];
  const events: TrainEvent[] = [];
  const summary = await train({ ...windowsRun(dataDir, outputDir), onEvent: (event) => events.push(event) });
  expect(summary).toMatchObject({ steps: 12, endedEarly: false, backend: 'wasm' });
  expect(tf.memory().numTensors).toBe(0);
  const evaluations = events.filter((event) => event.type === 'evaluation');
  expect(evaluations.map(({ step }) => step)).toEqual([4, 8, 12]);
  expect(new Set(evaluations.map(({ tensors }) => tensors)).size).toBe(1);

  const lines = readMetrics(outputDir);
  expect(lines.filter(isStep).map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(lines.filter(isStep)[0]!.learning_rate).toBeCloseTo(3e-3 / 2, 10);
  expect(lines.filter(isStep).at(-1)!.loss).toBeLessThan(lines.filter(isStep)[0]!.loss);
  expect(lines.filter(isDev).map(({ step }) => step)).toEqual([4, 8, 12]);

  const { settings, classes, parts, weights } = readRun(outputDir);
  expect(settings).toMatchObject({
    problem: { name: 'small_windows' },
    model: 'eegnet',
    backend: 'wasm',
    seed: 3,
  });
  expect(settings.data.train).toMatch(/^[0-9a-f]{64}$/);
  expect(settings.data.train).not.toBe(settings.data.dev);
  expect([classes, weights]).toEqual([[12, 12], summary.weights]);
  expect(parts[0]).toMatchObject({ step: 0, backend: expect.stringContaining('WebAssembly') });
  expect(Object.keys(parts[0]!.versions)).toContain('@tensorflow/tfjs-core');

  const file = readdirSync(outputDir).find((name) => name.startsWith('events.out.tfevents'))!;
  let records = 0;
  for await (const { data } of readRecords(join(outputDir, file))) records += data.length > 0 ? 1 : 0;
  // Version, hyper-parameters, 12 steps, three evaluations of two events each, the end.
  expect(records).toBe(1 + 1 + 12 + 6 + 1);
  const checkpoints = new CheckpointFolder(join(outputDir, 'checkpoints'));
  expect(checkpoints.last()!.checkpoint.step).toBe(12);
  expect(checkpoints.best()!.step).toBe(summary.best!.step);
});

test.for(['', 'accumulate_steps=2,clip_gradient_norm=0.1,class_weights=inverse_frequency'])(
  'a run that is stopped and goes on has the losses of one that was not, number for number (%s)',
  async (changes) => {
    const [dataDir, whole, parted] = [dataFolder(), testFolder(), testFolder()];
    await train(windowsRun(dataDir, whole, changes));
    for (const stopAfter of [3, 7]) {
      const stop = new AbortController();
      const run = train({
        ...windowsRun(dataDir, parted, changes),
        signal: stop.signal,
        // With another number of threads, which may not matter.
        workers: stopAfter % 2,
        onEvent: (event) => {
          if (event.type === 'step' && event.step === stopAfter) stop.abort();
        },
      });
      await expect(run).rejects.toMatchObject({ name: 'AbortError' });
      expect(new CheckpointFolder(join(parted, 'checkpoints')).last()!.checkpoint.step).toBe(stopAfter);
    }
    await train(windowsRun(dataDir, parted, changes));
    expect(readMetrics(parted)).toEqual(readMetrics(whole));
    expect(readRun(parted).parts.map(({ step }) => step)).toEqual([0, 3, 7]);
    const [a, b] = [whole, parted].map((folder) => new CheckpointFolder(join(folder, 'checkpoints')).last()!);
    expect(b!.checkpoint.state).toEqual(a!.checkpoint.state);
    for (const [name, { data }] of a!.checkpoint.tensors)
      expect([name, Buffer.compare(bytes(data), bytes(b!.checkpoint.tensors.get(name)!.data))]).toEqual([
        name,
        0,
      ]);
  },
);

test('a run that has ended has nothing left to do, and its record stays as it is', async () => {
  const [dataDir, outputDir] = [dataFolder(), testFolder()];
  await train(windowsRun(dataDir, outputDir, 'train_steps=4'));
  const before = readMetrics(outputDir);
  const again = await train(windowsRun(dataDir, outputDir, 'train_steps=4'));
  expect(again).toMatchObject({ steps: 4, loss: null });
  expect(readMetrics(outputDir)).toEqual(before);
});

test('a folder with another run is refused, and so are other data, in a sentence each', async () => {
  const [dataDir, outputDir] = [dataFolder(), testFolder()];
  await train(windowsRun(dataDir, outputDir, 'train_steps=2'));
  await expect(train(windowsRun(dataDir, outputDir, 'train_steps=3'))).rejects.toThrow(
    'the run in this folder has hparams.train_steps 2, not 3',
  );
  await expect(train({ ...windowsRun(dataDir, outputDir, 'train_steps=2'), seed: 4 })).rejects.toThrow(
    'seed 3, not 4',
  );
  writeWindows(dataDir, 'train', 26);
  await expect(train(windowsRun(dataDir, outputDir, 'train_steps=2'))).rejects.toThrow(
    'the train split is not the one that the run in this folder was trained on',
  );
});

test('a loss that is no number ends training and leaves the keys and numbers of the batch that it came from', async () => {
  const [dataDir, outputDir] = [join(testFolder(), 'data'), testFolder()];
  writeWindows(dataDir, 'train', 8, { broken: 5 });
  await expect(train(windowsRun(dataDir, outputDir))).rejects.toThrow(
    /the loss is NaN at step 1 \(.*broken-step-1.json/,
  );
  const { keys, loss } = JSON.parse(readFileSync(join(outputDir, 'broken-step-1.json'), 'utf8')) as {
    keys: string[];
    loss: string;
  };
  expect([keys.length, keys.includes('train:5'), loss]).toEqual([8, true, 'NaN']);
  expect(readdirSync(outputDir)).toContain('broken-step-1.safetensors');
  expect(tf.memory().numTensors).toBe(0);
});

test('patience ends training at the first evaluation that is no better, and the best checkpoint is the one before', async () => {
  const [dataDir, outputDir] = [dataFolder(), testFolder()];
  const summary = await train({
    ...windowsRun(dataDir, outputDir, 'train_steps=200,learning_rate=0.3,learning_rate_schedule=constant'),
    evalEvery: 1,
    patience: 1,
  });
  expect(summary.endedEarly).toBe(true);
  expect(summary.best!.step).toBe(summary.steps - 1);
  expect(new CheckpointFolder(join(outputDir, 'checkpoints')).best()!.step).toBe(summary.best!.step);
});

test('triplets and single examples learn by every loss that takes them; without dev the last step is the best', async () => {
  const dataDir = join(testFolder(), 'data');
  writeColourTriplets(dataDir, 'train', 12);
  for (const loss of ['fec_hinges', 'soft_margin', 'relative_positioning']) {
    const outputDir = testFolder();
    const summary = await train(tripletsRun(dataDir, outputDir, `loss=${loss},train_steps=3`));
    expect([summary.loss! > 0, summary.best]).toEqual([true, null]);
    expect(new CheckpointFolder(join(outputDir, 'checkpoints')).best()!.step).toBe(3);
  }
  writeWindows(dataDir, 'train', 16);
  writeWindows(dataDir, 'dev', 8);
  for (const loss of ['semi_hard', 'hard', 'nt_xent']) {
    const outputDir = testFolder();
    const summary = await train(windowsRun(dataDir, outputDir, `loss=${loss},train_steps=4`));
    expect(summary.best!.score).toBeGreaterThanOrEqual(0);
    expect(readMetrics(outputDir).filter(isDev)[0]!.dev).toHaveProperty('recall_at_1');
  }
});

test('a teacher is refused until there is one, and so is a loss that does not suit', async () => {
  const dataDir = dataFolder();
  await expect(train(windowsRun(dataDir, testFolder(), 'distil_weight=0.5'))).rejects.toThrow(
    'not built yet',
  );
  await expect(train(windowsRun(dataDir, testFolder(), 'loss=fec_hinges'))).rejects.toThrow('needs triplets');
  await expect(
    train({
      ...windowsRun(dataDir, testFolder()),
      hparams: hparamsSet('eegnet_tiny').hparams,
      problem: 'small_one',
    }),
  ).rejects.toThrow('there is no Problem');
});

function bytes({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
