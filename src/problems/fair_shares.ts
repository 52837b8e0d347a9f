/** Drawing without replacement and sharing evenly, both exact and seeded: what samplers are made of. */

import type { Random } from '../io/random.js';

/**
 * Shares `wanted` among holders as evenly as their capacities allow: nobody gets more than its capacity, and where
 * nobody is short the shares differ by one at most. Whom the odd ones go to is drawn.
 * @param capacities whole numbers; gives them all back where `wanted` is their sum or more
 */
export function evenShares(capacities: Float64Array, wanted: number, random: Random): Float64Array {
  const sharedAt = (level: number): number =>
    capacities.reduce((sum, capacity) => sum + Math.min(capacity, level), 0);
  // The highest level to which all can be filled.
  let low = 0;
  let high = capacities.reduce((most, capacity) => Math.max(most, capacity), 0);
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2);
    if (sharedAt(middle) <= wanted) low = middle;
    else high = middle - 1;
  }
  const shares = capacities.map((capacity) => Math.min(capacity, low));
  const open: number[] = [];
  for (const [holder, capacity] of capacities.entries()) if (capacity > low) open.push(holder);
  const rest = Math.min(wanted - sharedAt(low), open.length);
  for (const i of choose(rest, open.length, random)) shares[open[i] as number]! += 1;
  return shares;
}

/** Beyond so many a set of them would weigh more than walking through all numbers costs. */
const MAX_REMEMBERED = 1 << 20;

/**
 * `count` different whole numbers from 0 to n − 1; every set of them is equally likely, their order is not. Few of many
 * are drawn by Robert Floyd's method (Bentley, "Programming pearls: a sample of brilliance", CACM 1987), which remembers
 * them; otherwise each number in turn is taken or left (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S).
 * @param n at most 2^53
 */
export function* choose(count: number, n: number, random: Random): Generator<number, void, undefined> {
  if (!(count >= 0 && count <= n)) throw new RangeError(`${count} different numbers below ${n}`);
  if (count > MAX_REMEMBERED || count > n / 8) {
    for (let number = 0, wanted = count; wanted > 0; number++) {
      if (wholeBelow(n - number, random) >= wanted) continue;
      yield number;
      wanted -= 1;
    }
    return;
  }
  const chosen = new Set<number>();
  for (let last = n - count; last < n; last++) {
    const drawn = wholeBelow(last + 1, random);
    const number = chosen.has(drawn) ? last : drawn;
    chosen.add(number);
    yield number;
  }
}

/** A uniform whole number from 0 to n − 1, for n up to 2^53: `Random.below` reaches 2^32. */
export function wholeBelow(n: number, random: Random): number {
  if (n <= 2 ** 32) return random.below(n);
  const limit = 2 ** 53 - (2 ** 53 % n);
  for (;;) {
    const value = random.below(2 ** 21) * 2 ** 32 + random.below(2 ** 32);
    if (value < limit) return value % n;
  }
}
