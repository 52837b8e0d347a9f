import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uniformPValue } from '../../fixtures/chi_squared.js';
import { seededRandom } from '../io/random.js';
import { choose, evenShares, wholeBelow } from './fair_shares.js';

test('chosen numbers are different, in range and as many as asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, part) => {
        const count = Math.floor(Math.min(n, 300) * part);
        const numbers = [...choose(count, n, seededRandom('choose'))];
        expect(new Set(numbers).size).toBe(count);
        for (const number of numbers)
          expect(Number.isInteger(number) && number >= 0 && number < n).toBe(true);
      },
    ),
  );
});

test('every pair of six numbers, and every three of a hundred, is chosen equally often', () => {
  const random = seededRandom('sets');
  for (const [count, n, draws] of [
    [2, 6, 15_000],
    [3, 100, 40_000],
  ] as const) {
    const sets = new Map<string, number>();
    const numbers = new Uint32Array(n);
    for (let draw = 0; draw < draws; draw++) {
      const chosen = [...choose(count, n, random)].sort((a, b) => a - b);
      for (const number of chosen) numbers[number]! += 1;
      sets.set(chosen.join(), (sets.get(chosen.join()) ?? 0) + 1);
    }
    expect(uniformPValue(numbers)).toBeGreaterThan(0.001);
    if (n === 6) expect(sets.size).toBe(15);
    if (n === 6) expect(uniformPValue([...sets.values()])).toBeGreaterThan(0.001);
  }
});

test('shares keep to capacities, add up, and differ by one at most among those who could take more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 2 ** 45 })), { maxLength: 40 }),
      fc.nat({ max: 400 }),
      (capacities, wanted) => {
        const shares = evenShares(Float64Array.from(capacities), wanted, seededRandom('shares'));
        const total = capacities.reduce((sum, capacity) => sum + capacity, 0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(total, wanted));
        const most = Math.max(0, ...shares);
        for (const [i, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(capacities[i] as number);
          if (share < (capacities[i] as number)) expect(share).toBeGreaterThanOrEqual(most - 1);
        }
      },
    ),
  );
});

test('whole numbers beyond 32 bits are uniform', () => {
  const random = seededRandom('wide');
  const n = 3 * 2 ** 45 + 12_345;
  const buckets = new Uint32Array(12);
  for (let i = 0; i < 24_000; i++) buckets[Math.floor((wholeBelow(n, random) / n) * 12)]! += 1;
  expect(uniformPValue(buckets)).toBeGreaterThan(0.001);
});
