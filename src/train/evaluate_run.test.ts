import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { evalPage } from '../explore/eval_page.js';
import { evaluateRun, testLooks } from './evaluate_run.js';
import type { ScoredMetric, Scores } from './scores.js';
import {
  testFolder,
  tripletsRun,
  windowsRun,
  writeColourPairs,
  writeColourTriplets,
  writePeople,
  writeWindows,
} from './small_run.test.helper.js';
import { train } from './train_loop.js';

function found({ metrics }: Scores, metric: string, of: string): ScoredMetric {
  return metrics.find((each) => each.metric === metric && each.of === of)!;
}

test('windows whose rule is known are classified, beside band powers, and each look at test is written down', async () => {
  const [dataDir, outputDir] = [join(testFolder(), 'data'), testFolder()];
  for (const [split, count] of [
    ['train', 48],
    ['dev', 16],
    ['test', 24],
  ] as const)
    writeWindows(dataDir, split, count);
  await train({ ...windowsRun(dataDir, outputDir, 'train_steps=60,learning_rate=0.01'), evalEvery: 20 });
  const dev = await evaluateRun({ dataDir, outputDir });
  expect([dev.split, dev.looks]).toEqual(['dev', null]);
  const first = await evaluateRun({ dataDir, outputDir, split: 'test', checkpoint: 'last' });
  const second = await evaluateRun({ dataDir, outputDir, split: 'test', checkpoint: 'last' });
  expect(tf.memory().numTensors).toBe(0);
  expect([first.looks, second.looks, first.step]).toEqual([1, 2, 60]);
  expect(second.scores).toEqual(first.scores);
  const { scores } = first;
  expect(scores.groups).toEqual({ word: 'subjects', count: 4 });
  expect(found(scores, 'balanced_accuracy', 'model').value).toBeGreaterThanOrEqual(0.95);
  expect(found(scores, 'balanced_accuracy', 'band power').value).toBeGreaterThanOrEqual(0.95);
  expect(scores.confusion!.classes).toEqual(['left', 'right']);
  expect(scores.byGroup.map(({ rows }) => rows)).toEqual([6, 6, 6, 6]);
  expect(testLooks(outputDir)).toMatchObject([
    { problem: 'small_windows', step: 60, rows: 24, metrics: { balanced_accuracy: 1 } },
    { problem: 'small_windows' },
  ]);
  const kept = JSON.parse(
    readFileSync(join(outputDir, 'eval', 'small_windows-test-last.json'), 'utf8'),
  ) as unknown;
  expect(kept).toEqual(second);
  expect(evalPage(first)).toContain('Confusion');
});

test('triplets whose colours tell them apart are learned, where grey pixels see nothing', async () => {
  const [dataDir, outputDir] = [join(testFolder(), 'data'), testFolder()];
  writeColourTriplets(dataDir, 'train', 32);
  writeColourTriplets(dataDir, 'dev', 12);
  writeColourTriplets(dataDir, 'test', 40);
  await train({
    ...tripletsRun(dataDir, outputDir, 'train_steps=40,learning_rate=0.01'),
    evalEvery: 20,
  });
  const { scores } = await evaluateRun({ dataDir, outputDir, split: 'test', checkpoint: 'last' });
  const [model, pixels] = ['model', 'pixels'].map((of) => found(scores, 'triplet_accuracy', of));
  expect(scores.groups.word).toBe('people');
  expect(scores.byType.map(({ type, rows }) => [type, rows])).toEqual([
    ['ONE_CLASS_TRIPLET', 20],
    ['TWO_CLASS_TRIPLET', 20],
  ]);
  expect(pixels!.chance).toBeCloseTo(1 / 3, 12);
  expect(model!.value!).toBeGreaterThan(0.9);
  expect(model!.value!).toBeGreaterThanOrEqual(pixels!.value!);

  writeColourPairs(dataDir, 40);
  const transfer = await evaluateRun({ dataDir, outputDir, transfer: 'small_pairs', split: 'test' });
  expect([transfer.problem, transfer.trainedOn, transfer.looks]).toEqual([
    'small_pairs',
    'small_triplets',
    1,
  ]);
  expect(transfer.scores.task).toBe('verification');
  expect(found(transfer.scores, 'roc_auc', 'model').value).toBeGreaterThan(0.9);
  expect(found(transfer.scores, 'fold_accuracy', 'model').value).toBeGreaterThan(0.85);
  expect(found(transfer.scores, 'tar_at_far_0.01', 'model').chance).toBe(0.01);
  expect(transfer.scores.cautions.join()).toContain('needs 1000 pairs of different people');

  writeWindows(dataDir, 'test', 4);
  await expect(evaluateRun({ dataDir, outputDir, transfer: 'small_windows', split: 'test' })).rejects.toThrow(
    'the run takes image, but small_windows has windows',
  );
});

test('a folder without a run, and a run without a checkpoint, are said to be', async () => {
  const outputDir = testFolder();
  await expect(evaluateRun({ dataDir: outputDir, outputDir })).rejects.toThrow(
    'there is no run in this folder',
  );
});

test('where the class is the person, people of test whom training never saw are told apart by embeddings', async () => {
  const [dataDir, outputDir] = [join(testFolder(), 'data'), testFolder()];
  writePeople(dataDir, 'train', ['ann', 'ben', 'cem']);
  writePeople(dataDir, 'test', ['dora', 'eli']);
  await train({
    ...tripletsRun(dataDir, outputDir, 'loss=cross_entropy,train_steps=3'),
    problem: 'small_people',
  });
  const { scores } = await evaluateRun({ dataDir, outputDir, split: 'test' });
  expect([scores.task, scores.groups]).toEqual(['retrieval', { word: 'people', count: 2 }]);
  expect(found(scores, 'recall_at_1', 'model').chance).toBeCloseTo(3 / 7, 12);
});
