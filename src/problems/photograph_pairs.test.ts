import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PhotographPairs } from './photograph_pairs.js';

test('every pair of images of different photographs has exactly one number', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 15 }), { maxLength: 40 }), (photographs) => {
      const pairs = new PhotographPairs(photographs);
      const numbered = Array.from({ length: pairs.count }, (_, i) => pairs.at(i));
      const keys = numbered.map(([first, second]) => [first, second].sort((a, b) => a - b).join());
      const expected: string[] = [];
      for (let first = 0; first < photographs.length; first++)
        for (let second = first + 1; second < photographs.length; second++)
          if (photographs[first] !== photographs[second]) expected.push(`${first},${second}`);
      expect(keys.sort()).toEqual(expected.sort());
    }),
  );
});

test('a number beyond the last pair is refused', () => {
  const pairs = new PhotographPairs([1, 1, 2]);
  expect(pairs.count).toBe(2);
  expect(() => pairs.at(2)).toThrow(RangeError);
});
