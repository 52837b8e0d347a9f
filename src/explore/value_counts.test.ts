import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countValue, MAX_VALUES, mergeValues, noValues, reportValues } from './value_counts.js';

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
  expect(reportValues(values, 10)).toEqual({ distinct: null, most: [] });
  const other = noValues();
  mergeValues(other, values);
  expect(reportValues(other, 10).distinct).toBeNull();
});

test('of a long text the beginning is kept', () => {
  const values = noValues();
  countValue(values, 'x'.repeat(5000));
  expect(reportValues(values, 1).most[0]?.[0].length).toBe(200);
});
