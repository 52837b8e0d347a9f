import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  count,
  type DyadicHistogram,
  mergeHistogram,
  noHistogram,
  quantiles,
  reportHistogram,
} from './dyadic_histogram.js';

const numbers = fc.array(
  fc.oneof(
    fc.double({ min: -1000, max: 1000, noNaN: true }),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -3e38, max: 3e38 }),
    fc.integer({ min: -5, max: 5 }),
  ),
  { maxLength: 40 },
);

function histogramOf(values: readonly number[], kind: 'any' | 'whole' = 'any') {
  const histogram = noHistogram(kind);
  count(histogram, values, { least: Math.min(...values), greatest: Math.max(...values) });
  return histogram;
}

function textOf({ exponent, first, last, counts }: DyadicHistogram): string {
  return JSON.stringify([exponent, first, last, counts.join()]);
}

test('the bins depend on the numbers alone, not on their order or on who counted which', () => {
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 6 }), fc.nat(), (pieces, turn) => {
      const whole = histogramOf(pieces.flat());
      const merged = noHistogram();
      const start = pieces.length === 0 ? 0 : turn % pieces.length;
      for (const piece of [...pieces.slice(start), ...pieces.slice(0, start)])
        mergeHistogram(merged, histogramOf(piece));
      expect(textOf(merged)).toBe(textOf(whole));
    }),
  );
});

test('every number is in the bin that holds it', () => {
  fc.assert(
    fc.property(
      numbers.filter(({ length }) => length > 0),
      (values) => {
        const { exponent, first, last, counts } = histogramOf(values);
        const expected = new Float64Array(counts.length);
        for (const value of values)
          expected[
            (value < 0
              ? Math.min(-1, Math.floor(value / 2 ** exponent))
              : Math.floor(value / 2 ** exponent)) - first
          ]! += 1;
        expect(counts.join()).toBe(expected.join());
        expect(last - first).toBeLessThan(2048);
      },
    ),
  );
});

test('a report loses no number: what is not drawn is counted below or above', () => {
  fc.assert(
    fc.property(
      numbers.filter(({ length }) => length > 0),
      fc.integer({ min: 1, max: 64 }),
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      (values, maxBins, tail) => {
        const { counts, below, above } = reportHistogram(histogramOf(values), { maxBins, tail })!;
        expect(counts.reduce((sum, each) => sum + each, below + above)).toBe(values.length);
        expect(counts.length).toBeLessThanOrEqual(Math.max(2, maxBins));
        expect(below).toBeLessThanOrEqual(tail * values.length);
        expect(above).toBeLessThanOrEqual(tail * values.length);
      },
    ),
  );
});

test('a quantile is right to the width of a bin, and exact for few whole numbers', () => {
  const values = Array.from({ length: 101 }, (_, i) => i);
  expect(quantiles(histogramOf(values, 'whole'), [0, 0.25, 0.5, 1])).toEqual([0, 25, 50, 100]);
  const [middle] = quantiles(histogramOf(values.map((value) => value / 7)), [0.5]);
  expect(Math.abs((middle as number) - 50 / 7)).toBeLessThanOrEqual(2 ** -6);
});

test('numbers as large as float32 has them end, alone and beside small ones', () => {
  expect(quantiles(histogramOf([3e38]), [0.5])[0]).toBeCloseTo(3e38, -36);
  const both = histogramOf([1, 3e38, -3e38]);
  expect(reportHistogram(both, { maxBins: 4, tail: 0 })?.counts.filter((times) => times > 0)).toEqual([
    1, 1, 1,
  ]);
});

test('nothing counted is nothing reported', () => {
  expect(reportHistogram(noHistogram(), { maxBins: 8, tail: 0 })).toBeUndefined();
  expect(quantiles(noHistogram(), [0.5])).toEqual([]);
});
