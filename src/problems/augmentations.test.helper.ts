/** Made-up examples for tests of augmentations, and a source of chance that says what the test wants. */

import fc from 'fast-check';
import type { Random } from '../io/random.js';
import type { DecodedExample, Tensor } from './decoded.js';
import type { Picture } from './image_augmentations.js';

export function pictureOf(shape: readonly [number, number, number], values: readonly number[]): Picture {
  return { data: Uint8Array.from(values), shape };
}

export function floats(shape: readonly number[], values: readonly number[]): Tensor<Float32Array> {
  return { data: Float32Array.from(values), shape };
}

/** Gives these numbers one after the other, and an error when they are used up. */
export function told(...numbers: readonly number[]): Random {
  let at = 0;
  const next = (): number => {
    const number = numbers[at++];
    if (number === undefined) throw new Error('more was drawn than the test foresaw');
    return number;
  };
  return { next, below: (n) => Math.floor(next() * n) };
}

export const pictures: fc.Arbitrary<Picture> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 3))
  .chain(([height, width, channels]) =>
    fc
      .uint8Array({ minLength: height * width * channels, maxLength: height * width * channels })
      .map((data) => ({ data, shape: [height, width, channels] })),
  );

export const windows: fc.Arbitrary<Tensor<Float32Array>> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 24 }))
  .chain(([channels, samples]) =>
    fc
      .array(fc.integer({ min: -1000, max: 1000 }), {
        minLength: channels * samples,
        maxLength: channels * samples,
      })
      .map((values) => ({
        data: Float32Array.from(values, (value) => value / 8),
        shape: [channels, samples],
      })),
  );

/** An example with what makes augmentations look twice: absent features, texts, bytes, labels. */
export function exampleAround(values: DecodedExample): DecodedExample {
  return {
    key: 'train:1',
    absent: undefined,
    names: ['C3', 'C4'],
    bytes: Uint8Array.of(1, 2),
    targets: { data: Float64Array.of(2), shape: [] },
    ...values,
  };
}
