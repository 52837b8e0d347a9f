import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { openBackend } from '../models/backend.js';
import { addGradients, clipByGlobalNorm } from './clip_gradients.js';

beforeAll(async () => {
  await openBackend({ prefer: 'wasm' });
});

const gradients = (...values: readonly number[][]): Map<string, tf.Tensor> =>
  new Map(values.map((each, i) => [`w${i}`, tf.tensor1d(each)]));

const numbers = (weights: ReadonlyMap<string, tf.Tensor>): number[][] =>
  [...weights.values()].map((tensor) => Array.from(tensor.dataSync()));

test('all gradients together are drawn in to the longest norm that is allowed, and shorter ones stay', () => {
  const before = tf.memory().numTensors;
  const long = clipByGlobalNorm(gradients([3, 0], [4]), { count: 1, mostNorm: 1 });
  expect(long.norm).toBeCloseTo(5, 6);
  expect(
    numbers(long.gradients)
      .flat()
      .map((value) => Math.round(value * 1e6) / 1e6),
  ).toEqual([0.6, 0, 0.8]);
  const short = clipByGlobalNorm(gradients([3, 0], [4]), { count: 1, mostNorm: 5 });
  expect(numbers(short.gradients)).toEqual([[3, 0], [4]]);
  const free = clipByGlobalNorm(gradients([30], [40]), { count: 1, mostNorm: 0 });
  expect([free.norm, numbers(free.gradients)]).toEqual([50, [[30], [40]]]);
  for (const { gradients: each } of [long, short, free]) tf.dispose([...each.values()]);
  expect(tf.memory().numTensors).toBe(before);
});

test('sums over batches become means before they are clipped, and nothing of the batches stays', () => {
  const before = tf.memory().numTensors;
  let sum = addGradients(undefined, gradients([1, 2], [3]));
  sum = addGradients(sum, gradients([3, 2], [5]));
  const { gradients: mean, norm } = clipByGlobalNorm(sum, { count: 2, mostNorm: 0 });
  expect(numbers(mean)).toEqual([[2, 2], [4]]);
  expect(norm).toBeCloseTo(Math.sqrt(24), 5);
  tf.dispose([...mean.values()]);
  expect(tf.memory().numTensors).toBe(before);
});

test('a gradient that is not finite is not hidden by clipping', () => {
  const { gradients: same, norm } = clipByGlobalNorm(gradients([Number.NaN], [1]), { count: 1, mostNorm: 1 });
  expect([norm, numbers(same)]).toEqual([Number.NaN, [[Number.NaN], [1]]]);
  tf.dispose([...same.values()]);
});
