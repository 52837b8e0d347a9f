/** What tests of gradients share: central differences of a plain function, and the same TF.js computation on two backends. */

import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { seededRandom } from '../io/random.js';
import { type BackendName, openBackend } from './backend.js';

/** ∂f/∂x by central differences in double precision. */
export function numericGradient(
  f: (x: readonly number[]) => number,
  x: readonly number[],
  step = 1e-4,
): number[] {
  return x.map((value, i) => {
    const at = (other: number): number => f(x.map((same, j) => (j === i ? other : same)));
    return (at(value + step) - at(value - step)) / (2 * step);
  });
}

/** Numbers from −1 to 1. */
export function someNumbers(count: number, seed: string): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => 2 * random.next() - 1);
}

/** A value and gradients as plain numbers. */
export interface Computed {
  readonly value: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

/** f of tensors, and the gradients of Σ weight · f for weights that are no two alike, on the open backend. */
export function compute(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly { readonly values: readonly number[]; readonly shape: readonly number[] }[],
): Computed {
  // Of the backend too: what a kernel makes for itself is no tensor.
  const held = (): number[] => [tf.memory().numTensors, tf.backend().numDataIds()];
  const before = held();
  const computed = tf.tidy(() => {
    const tensors = inputs.map(({ values, shape }) => tf.tensor([...values], [...shape], 'float32'));
    const value = f(...tensors);
    const weights = tf.tensor(someNumbers(value.size, 'weights'), value.shape);
    const gradients = tf.grads((...given) => tf.sum(tf.mul(f(...given), weights)) as tf.Scalar)(tensors);
    return { value: numbers(value), gradients: gradients.map(numbers) };
  });
  expect(held()).toEqual(before);
  return computed;
}

export function numbers(tensor: tf.Tensor): number[] {
  return Array.from(tensor.dataSync());
}

/** Computes on a backend; one thread of WASM is enough to see. */
export async function on<Result>(backend: BackendName, action: () => Result): Promise<Result> {
  await openBackend({ prefer: backend, ...(backend === 'wasm' ? { threads: 1 } : {}) });
  return action();
}

/** Numbers that agree to a part of the largest of them: rounding grows with what is added up. */
export function expectClose(ours: readonly number[], theirs: readonly number[], tolerance: number): void {
  expect(ours.length).toBe(theirs.length);
  const scale = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (const [i, value] of ours.entries())
    if (!(Math.abs(value - (theirs[i] as number)) <= tolerance * scale))
      expect.fail(`number ${i} is ${value}, not ${theirs[i]} (scale ${scale})`);
}
