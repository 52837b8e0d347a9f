import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addValues, deviation, mergeMoments, noMoments } from './moments.js';

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

test('pieces give the mean, the deviation and the range of the whole', () => {
  fc.assert(
    fc.property(fc.array(numbers, { minLength: 1, maxLength: 8 }), (pieces) => {
      const merged = noMoments();
      for (const piece of pieces) addValues(merged, piece);
      const all = pieces.flat();
      const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
      const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
      expect(merged.count).toBe(all.length);
      expect(Math.abs(merged.mean - mean)).toBeLessThan(1e-6);
      expect(Math.abs(deviation(merged) - Math.sqrt(variance))).toBeLessThan(1e-5);
      expect([merged.least, merged.greatest]).toEqual([Math.min(...all), Math.max(...all)]);
    }),
  );
});

test('a large common offset does not drown a small deviation', () => {
  const values = Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 2));
  const moments = noMoments();
  for (let i = 0; i < 1000; i += 10) addValues(moments, values.slice(i, i + 10));
  expect(deviation(moments)).toBeCloseTo(0.5, 9);
});

test('what is no finite number is passed over', () => {
  const moments = noMoments();
  addValues(moments, [Number.NaN, 1, Infinity, 3, -Infinity]);
  expect(moments).toEqual({ count: 2, mean: 2, squares: 2, least: 1, greatest: 3 });
});

test('nothing has no deviation, and adds nothing', () => {
  const moments = noMoments();
  addValues(moments, [Number.NaN]);
  mergeMoments(moments, noMoments());
  expect(moments).toEqual(noMoments());
  expect(deviation(moments)).toBe(0);
});
