/** Numbers that are normally distributed: the whole curve, and the tails that are drawn otherwise. */

import { expect, test } from 'vitest';
import { uniformPValue } from '../../fixtures/chi_squared.js';
import { seededRandom } from '../io/random.js';
import { gaussian } from './gaussian.js';

test('draws fall into a hundred stretches of equal probability equally often', () => {
  const next = gaussian(seededRandom('curve'));
  const counts = new Float64Array(100);
  for (let i = 0; i < 200_000; i++) counts[Math.min(99, Math.floor(100 * below(next())))]! += 1;
  expect(uniformPValue(counts)).toBeGreaterThan(0.001);
});

test('beyond 3.5 and 4 deviations there are as many draws as there should be, on both sides', () => {
  const next = gaussian(seededRandom('tails'));
  const beyond = { left: 0, right: 0, four: 0 };
  const draws = 2_000_000;
  for (let i = 0; i < draws; i++) {
    const z = next();
    if (z < -3.5) beyond.left += 1;
    if (z > 3.5) beyond.right += 1;
    if (Math.abs(z) > 4) beyond.four += 1;
  }
  const expected = draws * below(-3.5);
  for (const count of [beyond.left, beyond.right])
    expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
  const four = draws * 2 * below(-4);
  expect(Math.abs(beyond.four - four)).toBeLessThan(4 * Math.sqrt(four));
});

test('the same seed gives the same draws', () => {
  const draws = (): number[] => Array.from({ length: 50 }, gaussian(seededRandom('same')));
  expect(draws()).toEqual(draws());
});

/** P(Z < z) by its power series: 1/2 + φ(z) (z + z³/3 + z⁵/(3·5) + …). */
function below(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
}
