import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uniformPValue } from '../../fixtures/chi_squared.js';
import { pseudorandomPermutation } from './permutation.js';

test('every number below n comes exactly once, whatever n and seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), fc.string(), (n, seed) => {
      const permute = pseudorandomPermutation(n, seed);
      const seen = new Uint8Array(n);
      for (let i = 0; i < n; i++) seen[permute(i)]! += 1;
      expect(seen.every((times) => times === 1)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('two million numbers come exactly once each, and the largest n keeps within itself', () => {
  const n = 2_000_003;
  const permute = pseudorandomPermutation(n, 'large');
  const seen = new Uint8Array(n);
  for (let i = 0; i < n; i++) seen[permute(i)]! += 1;
  expect(seen.every((times) => times === 1)).toBe(true);
  const huge = pseudorandomPermutation(2 ** 40, 'huge');
  for (let i = 0; i < 1000; i++) expect(huge(i * 2 ** 30)).toBeLessThan(2 ** 40);
});

test('another seed is another order, and the same seed the same one', () => {
  const orderOf = (seed: string) =>
    Array.from({ length: 5000 }, (_, i) => i).map(pseudorandomPermutation(5000, seed));
  expect(orderOf('a')).toEqual(orderOf('a'));
  const [a, b] = [orderOf('a'), orderOf('b')];
  // Two random orders share one place on average (Poisson): more than 12 come once in 10^10.
  expect(a.filter((value, i) => value === b[i]).length).toBeLessThan(12);
});

test.each([2, 3, 4, 5])('all orders of %i numbers are equally likely', (n) => {
  const counts = new Map<string, number>(permutations(n).map((order) => [order.join(), 0]));
  for (let seed = 0; seed < 200 * counts.size; seed++) {
    const permute = pseudorandomPermutation(n, `order ${seed}`);
    const key = Array.from({ length: n }, (_, i) => permute(i)).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(uniformPValue([...counts.values()])).toBeGreaterThan(1e-4);
});

/** Below and above the size up to which the order is a table. */
test.each([1000, 100_000, 3_000_017])(
  'where a number goes, and what follows it, is uniform for n = %i',
  (n) => {
    const [places, followers, strides] = [new Uint32Array(64), new Uint32Array(64), new Uint32Array(64)];
    const bin = (value: number): number => Math.floor((value / n) * 64);
    for (let seed = 0; seed < 400; seed++) {
      const permute = pseudorandomPermutation(n, `quality ${seed}`);
      for (let k = 0; k < 50; k++) {
        const i = Math.floor((k * (n - 2)) / 50);
        const [here, next] = [permute(i), permute(i + 1)];
        places[bin(here)]! += 1;
        followers[bin((next - here + n) % n)]! += 1;
        // Numbers that share a row, or nearly, of the table that the network shifts.
        const row = Math.round(Math.sqrt(n));
        strides[bin((permute((i + row) % n) - here + n) % n)]! += 1;
      }
    }
    for (const counts of [places, followers, strides]) expect(uniformPValue(counts)).toBeGreaterThan(1e-4);
  },
);

test('position and record are as uncorrelated as in a random order', () => {
  for (const n of [1000, 65_536, 200_000]) {
    for (let seed = 0; seed < 5; seed++)
      expect(Math.abs(correlation(n, pseudorandomPermutation(n, `correlation ${seed}`)))).toBeLessThan(5);
  }
});

test('a place that is not below n is refused, and so is an n that is too large', () => {
  const permute = pseudorandomPermutation(10, 'x');
  for (const place of [-1, 10, 0.5, Number.NaN]) expect(() => permute(place)).toThrow(RangeError);
  for (const n of [-1, 0.5, 2 ** 40 + 1]) expect(() => pseudorandomPermutation(n, 'x')).toThrow(RangeError);
});

/** Spearman's rank correlation between place and number, in standard deviations of a random order's (1 / √(n − 1)). */
function correlation(n: number, permute: (place: number) => number): number {
  const mean = (n - 1) / 2;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (i - mean) * (permute(i) - mean);
  return (sum / ((n * (n * n - 1)) / 12)) * Math.sqrt(n - 1);
}

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}
