/** Seeded randomness: the same seed gives the same numbers on every machine, which every plan and sampler relies on. */

import { createHash } from 'node:crypto';

/** A source of uniform numbers: `next()` in [0, 1) with 32 bits of resolution, `below(n)` an integer in [0, n). */
export interface Random {
  next(): number;
  below(n: number): number;
}

/**
 * A generator seeded by any string, e.g. `seededRandom('fec/train/1')`.
 * sfc32 by Chris Doty-Humphrey (PractRand), its 128-bit state taken from the SHA-256 of the seed.
 */
export function seededRandom(seed: string): Random {
  const state = createHash('sha256').update(seed).digest();
  let a = state.readInt32LE(0);
  let b = state.readInt32LE(4);
  let c = state.readInt32LE(8);
  let counter = state.readInt32LE(12);
  const next32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next32();
  return {
    next: () => next32() / 2 ** 32,
    below(n) {
      if (!(n >= 1 && n <= 2 ** 32)) throw new RangeError(`below(${n}): n must be between 1 and 2^32`);
      // Rejection of the uneven tail: without it small residues would come up more often.
      const limit = 2 ** 32 - (2 ** 32 % n);
      let value = next32();
      while (value >= limit) value = next32();
      return value % n;
    },
  };
}

/** A seeded uniform permutation of 0 … n − 1 (Fisher and Yates, as Durstenfeld writes it). */
export function seededPermutation(n: number, seed: string): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const random = seededRandom(seed);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swapped;
  }
  return order;
}
