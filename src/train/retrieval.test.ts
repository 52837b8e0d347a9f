import fc from 'fast-check';
import { expect, test } from 'vitest';
import { averagePrecisionChance, recallAtKChance } from './chance.js';
import type { Embeddings } from './embeddings.js';
import { recallAtK, retrieve } from './retrieval.js';
import { weightedMean } from './weighted_mean.js';

const line = (...values: number[]): Embeddings => ({
  data: Float32Array.from(values),
  shape: [values.length, 1],
});

test('a known row of points: ranks and precisions by hand', () => {
  // Labels A at 0, 1 and 10, B at 2 and 20, C at 21.
  const found = retrieve(line(0, 1, 10, 2, 20, 21), [0, 0, 0, 1, 1, 2]);
  // From 0: 1 (A), 2 (B), 10 (A). From 1: 0 and 2 tie, so B stands first. From 20: C, A at 10, B at 2.
  expect([...found.firstRank]).toEqual([1, 2, 2, 4, 3, Number.NaN]);
  expect(found.averagePrecision[0]).toBeCloseTo((1 + 2 / 3) / 2, 15);
  expect(found.averagePrecision[1]).toBeCloseTo((1 / 2 + 2 / 3) / 2, 15);
  expect(found.queries).toBe(5);
  expect(weightedMean(recallAtK(found, 1))).toBe(1 / 5);
  expect(weightedMean(recallAtK(found, 2))).toBe(3 / 5);
  expect(weightedMean(recallAtK(found, 5))).toBe(1);
});

test('one embedding for everything finds nothing, and has the precision of its label', () => {
  const found = retrieve(line(5, 5, 5, 5), [0, 0, 1, 1]);
  expect([...recallAtK(found, 1)]).toEqual([0, 0, 0, 0]);
  expect([...found.averagePrecision]).toEqual([1 / 3, 1 / 3, 1 / 3, 1 / 3]);
});

test('precision and rank are those of a sorted list where no distances tie', () => {
  const rows = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 15 });
  fc.assert(
    fc.property(
      rows,
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 15, maxLength: 15 }),
      (values, labels) => {
        const points = values.map((value) => Math.fround(value ** 1.5));
        const found = retrieve(line(...points), labels.slice(0, points.length));
        for (let query = 0; query < points.length; query++) {
          const away = (row: number) => Math.abs(points[row]! - points[query]!);
          const others = points.map((_, row) => row).filter((row) => row !== query);
          if (new Set(others.map(away)).size < others.length) continue;
          const order = others.sort((i, j) => away(i) - away(j));
          const hits = order
            .map((row, at) => (labels[row] === labels[query] ? at + 1 : 0))
            .filter((rank) => rank > 0);
          const precision = hits.reduce((sum, rank, at) => sum + (at + 1) / rank, 0) / hits.length;
          expect(found.firstRank[query]).toBe(hits[0] ?? Number.NaN);
          if (hits.length > 0) expect(found.averagePrecision[query]).toBeCloseTo(precision, 12);
          else expect(found.averagePrecision[query]).toBeNaN();
        }
      },
    ),
  );
});

test('chance is what all orders give on average', () => {
  const labels = [0, 0, 0, 1, 1, 2];
  const orders = permutations([1, 2, 3, 4, 5]);
  for (const [query, wanted] of [
    [0, 2],
    [3, 1],
  ] as const) {
    let precision = 0;
    const hits = [0, 0, 0, 0, 0, 0];
    for (const order of orders) {
      // The wanted ones are those numbered 1 … wanted.
      const ranks = order.map((number, at) => (number <= wanted ? at + 1 : 0)).filter((rank) => rank > 0);
      precision += ranks.reduce((sum, rank, at) => sum + (at + 1) / rank, 0) / ranks.length;
      for (let k = ranks[0]!; k <= 5; k++) hits[k]! += 1;
    }
    expect(averagePrecisionChance(labels)[query]).toBeCloseTo(precision / orders.length, 12);
    for (let k = 1; k <= 5; k++)
      expect(recallAtKChance(labels, k)[query]).toBeCloseTo(hits[k]! / orders.length, 12);
  }
  expect(averagePrecisionChance(labels)[5]).toBeNaN();
});

function permutations(values: readonly number[]): number[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((first) =>
    permutations(values.filter((value) => value !== first)).map((rest) => [first, ...rest]),
  );
}
