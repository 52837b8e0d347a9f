/** Answers “is there such a name” for millions of names at once: 8 bytes a name instead of a look into a file. */

import { KeyList, lowerBound } from './key_list.js';

/**
 * Holds a 53-bit hash of each name. A name that is there is always found; one that is not is found by mistake once in
 * some billion questions (3.3 million of 2⁵³ hashes are taken), so whoever reads afterwards must still look.
 */
export class NameFilter {
  readonly #hashes: Float64Array;

  constructor(names: Iterable<string>) {
    const list = new KeyList();
    for (const name of names) list.push(hashOf(name));
    this.#hashes = list.sortedUnique();
  }

  mayHave(name: string): boolean {
    const hash = hashOf(name);
    return this.#hashes[lowerBound(this.#hashes, hash)] === hash;
  }
}

/** Two runs of FNV-1a (Fowler, Noll and Vo), the second with another start, each mixed as MurmurHash3 ends. */
function hashOf(name: string): number {
  let a = 0x811c9dc5;
  let b = 0x2f7b6c1d;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x01000193) ^ (a >>> 15);
  }
  return mixed(a) * 2 ** 21 + (mixed(b) >>> 11);
}

function mixed(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
