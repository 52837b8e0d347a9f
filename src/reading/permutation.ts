/** A pseudorandom permutation of 0 … n − 1 in constant memory: how a split is shuffled globally, however large it is. */

import { createHash } from 'node:crypto';
import { seededPermutation } from '../io/random.js';

/** Where each place of the order leads: a bijection of 0 … n − 1. */
export type Permutation = (place: number) => number;

/** Largest n: halves of 20 bits, so that a product with a 32-bit number is exact in a double. */
export const MAX_PERMUTED = 2 ** 40;

/**
 * Up to so many numbers the order is a table of 16 KB, exactly uniform. On the tables of a few dozen places that small n
 * have, ten rounds are not: of six numbers some orders came up a third more often than others (measured).
 */
const MAX_TABLE = 4096;

/**
 * Ten is what NIST SP 800-38G has for FF1, which is the same construction; a cipher's security is not needed here, but
 * that no statistic tells the order from a random one is.
 */
const ROUNDS = 10;

/**
 * The permutation of a seed, any string. Numbers below n are written as rows and columns of a table a little larger than
 * n, and an alternating Feistel network (Bellare, Ristenpart, Rogaway and Stegers, "Format-Preserving Encryption", 2009)
 * shifts rows by a hash of the column and columns by a hash of the row in turns. What falls beyond n is permuted again
 * until it does not (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002), which one place in sixty needs.
 * @throws RangeError where n is no whole number up to 2^40, or a place is not below n.
 */
export function pseudorandomPermutation(n: number, seed: string): Permutation {
  if (!(Number.isSafeInteger(n) && n >= 0 && n <= MAX_PERMUTED))
    throw new RangeError(`a permutation of ${n} numbers: at most 2^40, and a whole number`);
  const permute = n <= MAX_TABLE ? tableOf(n, seed) : feistelOf(n, seed);
  return (place) => {
    if (!(Number.isSafeInteger(place) && place >= 0 && place < n))
      throw new RangeError(`place ${place} of ${n}`);
    return permute(place);
  };
}

function tableOf(n: number, seed: string): Permutation {
  const order = seededPermutation(n, seed);
  return (place) => order[place] as number;
}

function feistelOf(n: number, seed: string): Permutation {
  const rows = Math.ceil(Math.sqrt(n));
  const columns = Math.ceil(n / rows);
  const digest = createHash('sha512').update(seed).digest();
  const keys = Int32Array.from({ length: ROUNDS }, (_, round) => digest.readInt32LE(4 * round));
  return (place) => {
    let value = place;
    do {
      let row = Math.floor(value / columns);
      let column = value - row * columns;
      for (let round = 0; round < ROUNDS; round += 2) {
        row += Math.floor((hash(column ^ keys[round]!) * rows) / 2 ** 32);
        if (row >= rows) row -= rows;
        column += Math.floor((hash(row ^ keys[round + 1]!) * columns) / 2 ** 32);
        if (column >= columns) column -= columns;
      }
      value = row * columns + column;
    } while (value >= n);
    return value;
  };
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): every bit of the input changes half of those of the output. */
function hash(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
