import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNames, countValue, MAX_VALUES, mergeValues, noValues, reportValues } from './value_counts.js';

test('the report is the same whoever counted which values', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.constantFrom('a', 'b', '2', '10', ''))), (pieces) => {
      const [whole, merged] = [noValues(), noValues()];
      for (const value of pieces.flat()) countValue(whole, value);
      for (const piece of [...pieces].reverse()) {
        const part = noValues();
        for (const value of piece) countValue(part, value);
        mergeValues(merged, part);
      }
      expect(reportValues(merged, 100)).toEqual(reportValues(whole, 100));
    }),
  );
});

test('the most frequent come first, and numbers are in the order of their size', () => {
  const values = noValues();
  for (const value of ['10', '2', 'b', 'a', 'b']) countValue(values, value);
  expect(reportValues(values, 3)).toEqual({
    all: 5,
    distinct: 4,
    most: [
      ['b', 2],
      ['2', 1],
      ['10', 1],
    ],
  });
});

test('too many different values are said to be so, and none is kept', () => {
  const values = noValues();
  for (let i = 0; i <= MAX_VALUES; i++) countValue(values, `value ${i}`);
  countValue(values, 'one more');
  expect(reportValues(values, 10)).toEqual({
    all: MAX_VALUES + 2,
    distinct: null,
    most: [],
  });
  const other = noValues();
  mergeValues(other, values);
  expect(reportValues(other, 10)).toEqual(reportValues(values, 10));
});

test('of a long text the beginning is kept', () => {
  const values = noValues();
  countValue(values, 'x'.repeat(5000));
  expect(reportValues(values, 1).most[0]?.[0].length).toBe(200);
});

test('names have one order: numbers by size, then texts', () => {
  expect(['b', '10', '5x', '', '9'].sort((a, b) => compareNames(a, b))).toEqual(['9', '10', '', '5x', 'b']);
  const name = fc.oneof(fc.constantFrom('', ' ', '1', '1.0', 'Infinity', 'NaN', '5x', '10+'), fc.string());
  const sign = (a: string, b: string): number => Math.sign(compareNames(a, b));
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(sign(a, b) + sign(b, a)).toBe(0);
      if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});
