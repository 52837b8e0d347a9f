import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tenFoldAccuracy } from './ten_fold_accuracy.js';
import { equalErrorRate, rankPairs, rocAuc, rocCurve, tarAtFar, tarAtFarValue } from './verification.js';

/** Pairs whose distances are few enough for ties; both kinds occur. */
const pairRows = fc
  .array(fc.record({ distance: fc.integer({ min: 0, max: 12 }), same: fc.boolean() }), { maxLength: 30 })
  .map((rows) => [...rows, { distance: 3, same: true }, { distance: 7, same: false }]);

const ranked = (rows: readonly { distance: number; same: boolean }[]) =>
  rankPairs(
    rows.map(({ distance }) => distance),
    rows.map(({ same }) => same),
  );

test('a known curve: areas and rates by hand', () => {
  // Near to far: same, same, different, same, different.
  const pairs = rankPairs([1, 2, 3, 4, 5], [1, 1, 0, 1, 0]);
  const points = [...rocCurve(pairs)].map(({ far, tar }) => [far, tar]);
  expect(points).toEqual([
    [0, 0],
    [0, 1 / 3],
    [0, 2 / 3],
    [0.5, 2 / 3],
    [0.5, 1],
    [1, 1],
  ]);
  expect(rocAuc(pairs)).toBeCloseTo(5 / 6, 15);
  // Between (0, 2/3) and (1/2, 2/3) the curve meets far = 1 − tar at 1/3.
  expect(equalErrorRate(pairs)).toBeCloseTo(1 / 3, 15);
  expect(tarAtFar(pairs, 0.5)).toMatchObject({ tar: 1, threshold: 4, falseAccepts: 1, negatives: 2 });
});

test('distances that say nothing are at chance, perfect ones are perfect, and reversed ones at the other end', () => {
  const same = [1, 1, 0, 0, 0];
  expect(rocAuc(rankPairs([4, 4, 4, 4, 4], same))).toBe(0.5);
  expect(equalErrorRate(rankPairs([4, 4, 4, 4, 4], same))).toBe(0.5);
  expect(rocAuc(rankPairs([1, 2, 3, 4, 5], same))).toBe(1);
  expect(equalErrorRate(rankPairs([1, 2, 3, 4, 5], same))).toBe(0);
  expect(rocAuc(rankPairs([5, 4, 3, 2, 1], same))).toBe(0);
  expect(equalErrorRate(rankPairs([5, 4, 3, 2, 1], same))).toBe(1);
});

test('a distance that is no number recognises nobody', () => {
  expect(rocAuc(rankPairs([Number.NaN, 1, 2], [1, 1, 0]))).toBe(0.5);
});

test('a rate that too few pairs of different people carry is said to be so', () => {
  const pairs = rankPairs(
    Array.from({ length: 600 }, (_, i) => i),
    Array.from({ length: 600 }, (_, i) => (i < 100 ? 1 : 0)),
  );
  expect(tarAtFar(pairs, 1e-3)).toMatchObject({ tar: Number.NaN, falseAccepts: 0, negatives: 500 });
  expect(tarAtFar(pairs, 1e-3).caution).toContain('needs 1000 pairs of different people; there are 500');
  expect(tarAtFar(pairs, 1e-2)).toMatchObject({ tar: 1, falseAccepts: 5 });
  expect(tarAtFar(pairs, 1e-2).caution).toContain('rests on 5 false accepts');
  expect(tarAtFar(pairs, 0.1)).toMatchObject({ tar: 1, falseAccepts: 50, caution: undefined });
  expect(tarAtFar(rankPairs([1], [1]), 0.1).caution).toContain('no pairs of one kind');
});

test('the area is the share of (same, different) pairs in order, ties half', () => {
  fc.assert(
    fc.property(pairRows, (rows) => {
      let won = 0;
      let all = 0;
      for (const near of rows.filter(({ same }) => same))
        for (const far of rows.filter(({ same }) => !same)) {
          won += near.distance < far.distance ? 1 : near.distance === far.distance ? 0.5 : 0;
          all += 1;
        }
      expect(rocAuc(ranked(rows))).toBeCloseTo(won / all, 12);
    }),
  );
});

test('a row of weight n counts as n rows', () => {
  const weighted = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(pairRows, weighted, (rows, counts) => {
      const weights = Float64Array.from(rows, (_, row) => counts[row]!);
      const repeated = ranked(rows.flatMap((row, at) => Array.from({ length: counts[at]! }, () => row)));
      const pairs = ranked(rows);
      for (const metric of [rocAuc, equalErrorRate]) {
        const expected = metric(repeated);
        if (Number.isNaN(expected)) expect(metric(pairs, weights)).toBeNaN();
        else expect(metric(pairs, weights)).toBeCloseTo(expected, 12);
      }
      for (const far of [0.1, 0.5]) {
        const expected = tarAtFarValue(repeated, far);
        if (Number.isNaN(expected)) expect(tarAtFarValue(pairs, far, weights)).toBeNaN();
        else expect(tarAtFarValue(pairs, far, weights)).toBeCloseTo(expected, 12);
      }
    }),
  );
});

test('the ten-fold threshold is chosen on the other folds alone', () => {
  // In fold 0 different people are nearer than in fold 1: the threshold of the other fold misjudges them.
  const pairs = rankPairs([1, 2, 1, 4], [1, 0, 1, 0]);
  const { accuracy, standardError, folds } = tenFoldAccuracy(pairs, [0, 0, 1, 1]);
  expect(folds).toEqual([
    { fold: 0, threshold: 2.5, accuracy: 0.5 },
    { fold: 1, threshold: 1.5, accuracy: 1 },
  ]);
  expect(accuracy).toBe(0.75);
  // Standard deviation √(2 · 0.25²) over √2.
  expect(standardError).toBeCloseTo(0.25, 15);
});

test('the ten-fold threshold is as good on the other folds as any', () => {
  fc.assert(
    fc.property(pairRows, (rows) => {
      const fold = rows.map((_, row) => row % 3);
      if (new Set(fold).size < 2) return;
      for (const { fold: left, threshold } of tenFoldAccuracy(ranked(rows), fold).folds) {
        const others = rows.filter((_, row) => fold[row] !== left);
        const right = (at: number) => others.filter(({ distance, same }) => distance <= at === same).length;
        for (let at = -1; at <= 13; at++) expect(right(threshold)).toBeGreaterThanOrEqual(right(at));
      }
    }),
  );
});

test('one fold is refused: its threshold would be chosen on itself', () => {
  expect(() => tenFoldAccuracy(rankPairs([1, 2], [1, 0]), [3, 3])).toThrow('on other folds');
});
