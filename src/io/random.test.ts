import { expect, test } from 'vitest';
import { seededPermutation, seededRandom } from './random.js';

test('the same seed gives the same numbers and another seed gives others', () => {
  const draw = (seed: string) => Array.from({ length: 8 }, () => seededRandom(seed).next());
  expect(draw('a')).toEqual(draw('a'));
  expect(draw('a')).not.toEqual(draw('b'));
});

test('numbers below n are uniform (chi-squared over 7 bins)', () => {
  const random = seededRandom('uniform');
  const bins = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) bins[random.below(7)]! += 1;
  const chi = bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chi).toBeLessThan(22.46); // 0.999 quantile at 6 degrees of freedom
});

test('a permutation holds every index once and moves nearly all of them', () => {
  const order = seededPermutation(10_000, 'p');
  expect([...order].sort((x, y) => x - y)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  expect([...order].filter((value, i) => value === i).length).toBeLessThan(10);
});

test('every permutation of four comes up about equally often', () => {
  const seen = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const key = seededPermutation(4, `s${i}`).join('');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  expect(seen.size).toBe(24);
  const chi = [...seen.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chi).toBeLessThan(49.73); // 0.999 quantile at 23 degrees of freedom
});

test('n out of range is refused', () => {
  expect(() => seededRandom('x').below(0)).toThrow(RangeError);
  expect(() => seededRandom('x').below(2 ** 33)).toThrow(RangeError);
});
