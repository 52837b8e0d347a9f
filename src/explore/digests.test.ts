import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestsInBoth, repeatsOf, sortedDigests } from './digests.js';

const digests = fc.array(fc.bigInt({ min: 0n, max: 30n }), { maxLength: 60 });

test('repeats are counted as a map would count them', () => {
  fc.assert(
    fc.property(digests, digests, (a, b) => {
      const both = [...a, ...b];
      const { all, distinct, times } = repeatsOf(
        sortedDigests([BigUint64Array.from(a), BigUint64Array.from(b)]),
      );
      expect([all, distinct]).toEqual([both.length, new Set(both).size]);
      const counts = [...new Set(both)].map((value) => both.filter((each) => each === value).length);
      expect(times).toEqual(
        Array.from({ length: Math.min(10, Math.max(0, ...counts)) }, (_, i) =>
          i === 9 ? counts.filter((n) => n >= 10).length : counts.filter((n) => n === i + 1).length,
        ),
      );
    }),
  );
});

test('what is in both is counted once, however often it is there', () => {
  fc.assert(
    fc.property(digests, digests, (a, b) => {
      const expected = [...new Set(a)].filter((value) => b.includes(value)).length;
      const [left, right] = [a, b].map((each) => sortedDigests([BigUint64Array.from(each)]));
      expect(digestsInBoth(left as BigUint64Array, right as BigUint64Array)).toBe(expected);
    }),
  );
});
