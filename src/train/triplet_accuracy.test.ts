import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Embeddings } from './embeddings.js';
import { tripletOutcomes } from './triplet_accuracy.js';
import { weightedMean } from './weighted_mean.js';

/** One number a picture. */
const line = (...values: number[]): Embeddings => ({
  data: Float32Array.from(values),
  shape: [values.length, 1],
});

test('a triplet is right if and only if the similar pair is the nearest of the three', () => {
  const outcomes = tripletOutcomes({
    a: line(0, 0, 0, 0),
    b: line(1, 9, 5, 1),
    c: line(5, 5, 1, 3),
    odd: [3, 1, 2, 1],
  });
  // a–b 1 of 5 and 4; b–c 4 of 5 and 9; a–c 1 of 4 and 5; b–c 2, but a–b 1.
  expect([...outcomes]).toEqual([1, 1, 1, 0]);
  expect(weightedMean(outcomes)).toBe(0.75);
  expect(weightedMean(outcomes, Float64Array.of(1, 0, 0, 2))).toBe(1 / 3);
});

test('ties are wrong, and so is an embedding that is no number', () => {
  const outcomes = tripletOutcomes({
    a: line(2, 0, Number.NaN),
    b: line(2, 1, 0),
    c: line(2, 2, 9),
    odd: [3, 3, 3],
  });
  expect([...outcomes]).toEqual([0, 0, 0]);
});

test('exactly one code is right for a triplet of three different distances', () => {
  const point = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(point, point, point, (a, b, c) => {
      const embed = (values: number[]): Embeddings => ({ data: Float32Array.from(values), shape: [1, 3] });
      const right = [1, 2, 3].filter(
        (code) => tripletOutcomes({ a: embed(a), b: embed(b), c: embed(c), odd: [code] })[0] === 1,
      );
      const squared = (x: number[], y: number[]) =>
        x.reduce((sum, value, d) => sum + (value - y[d]!) ** 2, 0);
      const distances = [squared(b, c), squared(a, c), squared(a, b)];
      const least = Math.min(...distances);
      const nearest = [1, 2, 3].filter((code) => distances[code - 1] === least);
      expect(right).toEqual(nearest.length === 1 ? nearest : []);
    }),
  );
});

test('a code that is none, and embeddings of other shapes, are refused', () => {
  const one = line(1);
  expect(() => tripletOutcomes({ a: one, b: one, c: one, odd: [0] })).toThrow('triplet code 0 of row 0');
  expect(() => tripletOutcomes({ a: one, b: line(1, 2), c: one, odd: [1] })).toThrow(RangeError);
});
