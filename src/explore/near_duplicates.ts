/** Finds pictures that look alike among millions, by their perceptual hashes, without comparing each with each. */

import { bitCount, hashWords } from '../faces/perceptual_hash.js';

/** A picture and its hash. */
export interface HashedPicture {
  readonly key: string;
  readonly split: string;
  /** 16 hexadecimal digits, as `perceptualHash` gives. */
  readonly hash: string;
}

/** Pictures that look alike. */
export interface DuplicateGroup {
  /** In the order in which they were given; two at least. */
  readonly members: readonly HashedPicture[];
  /** The splits that the group touches, sorted: more than one is a leak. */
  readonly splits: readonly string[];
}

/**
 * The groups of pictures that are joined by chains of hashes at most `maxDistance` bits apart, in the order of their first
 * members. Along a chain the ends may be further apart. Exact: no pair is missed, none is added.
 * @param maxDistance 0 … 11 bits. Time grows with it: see `duplicateGroups`.
 * @throws RangeError where a hash isn't of 16 hexadecimal digits or `maxDistance` is out of range.
 */
export function nearDuplicates(pictures: readonly HashedPicture[], maxDistance: number): DuplicateGroup[] {
  const hashes = { high: new Uint32Array(pictures.length), low: new Uint32Array(pictures.length) };
  for (const [i, { hash }] of pictures.entries())
    [hashes.high[i], hashes.low[i]] = hashWords(hash) as [number, number];
  return duplicateGroups(hashes, maxDistance).map((group) => {
    const members = Array.from(group, (i) => pictures[i] as HashedPicture);
    return { members, splits: [...new Set(members.map(({ split }) => split))].sort() };
  });
}

/** Hashes of 64 bits as two columns of one length. */
export interface HashColumns {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/**
 * As `nearDuplicates`, by index: each group's indices ascending, groups by their first. Needs 40 bytes a hash besides, and for
 * 3.3 million random hashes 4 seconds up to distance 3, 25 up to 7 (two shared cores). Hashes of photographs of faces lie
 * closer together: ten times as many pairs share a block.
 *
 * Hashes are cut into four blocks of 16 bits, and a pair is compared only where one block differs in no more bits than
 * that block's allowance. The allowances add up to maxDistance − 3 (the pigeonhole principle in its general form: were
 * every block over its allowance, the blocks would differ in maxDistance − 3 + 4 bits at least), an allowance of −1 leaves
 * a block out. Up to distance 3 that means equal blocks, up to 7 one bit and up to 11 two bits off in some of them.
 * Equal hashes are joined beforehand, so that a million copies of one picture cost nothing.
 */
export function duplicateGroups(hashes: HashColumns, maxDistance: number): Uint32Array[] {
  if (!(Number.isInteger(maxDistance) && maxDistance >= 0 && maxDistance <= 11))
    throw new RangeError(`distance ${maxDistance}: a whole number from 0 to 11 is needed`);
  if (hashes.high.length !== hashes.low.length)
    throw new RangeError(`${hashes.high.length} upper and ${hashes.low.length} lower halves of hashes`);
  const sets = new DisjointSets(hashes.high.length);
  const different = joinEqual(hashes, sets);
  for (let block = 0; block < BLOCKS; block++) {
    const allowance = Math.floor((maxDistance - block) / BLOCKS);
    if (allowance >= 0 && maxDistance > 0)
      joinNear(inBuckets(hashes, different, block), wordsWithin(allowance), maxDistance, sets);
  }
  return sets.groups();
}

/** A hash's blocks: two of 16 bits in either half. */
const BLOCKS = 4;
const BLOCK_VALUES = 1 << 16;

/** Joins equal hashes and gives one index of each kind, in the order of the hashes. */
function joinEqual(hashes: HashColumns, sets: DisjointSets): Uint32Array {
  const { high, low } = hashes;
  let order: Uint32Array = countedUp(high.length);
  // Least significant block first: counting sort is stable.
  for (let block = BLOCKS - 1; block >= 0; block--) order = sortByBlock(hashes, order, block).order;
  let kinds = 0;
  for (let position = 0; position < order.length; position++) {
    const index = order[position] as number;
    const last = order[kinds - 1] as number;
    if (position > 0 && high[index] === high[last] && low[index] === low[last]) sets.join(index, last);
    else order[kinds++] = index;
  }
  return order.slice(0, kinds);
}

/** 0, 1, 2 … */
function countedUp(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}

/** Indices ordered by one block; bucket v is order[starts[v]] … order[starts[v + 1] − 1]. */
function sortByBlock(hashes: HashColumns, indices: Uint32Array, block: number) {
  const column = block < 2 ? hashes.high : hashes.low;
  const shift = block % 2 === 0 ? 16 : 0;
  const starts = new Uint32Array(BLOCK_VALUES + 1);
  for (let i = 0; i < indices.length; i++)
    starts[(((column[indices[i] as number] as number) >>> shift) & 0xffff) + 1]! += 1;
  for (let v = 0; v < BLOCK_VALUES; v++) starts[v + 1]! += starts[v] as number;
  const next = starts.slice();
  const order = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    const value = ((column[index] as number) >>> shift) & 0xffff;
    const place = next[value] as number;
    order[place] = index;
    next[value] = place + 1;
  }
  return { order, starts };
}

/** Hashes laid out bucket after bucket, so that comparing two buckets reads memory in a row. */
interface Buckets {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly order: Uint32Array;
  readonly starts: Uint32Array;
}

function inBuckets(hashes: HashColumns, indices: Uint32Array, block: number): Buckets {
  const { order, starts } = sortByBlock(hashes, indices, block);
  const high = new Uint32Array(order.length);
  const low = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    high[i] = hashes.high[order[i] as number] as number;
    low[i] = hashes.low[order[i] as number] as number;
  }
  return { high, low, order, starts };
}

/** All words of 16 bits with at most so many ones: 1, 17 or 137 of them. */
function wordsWithin(ones: number): number[] {
  const words: number[] = [];
  for (let word = 0; word < BLOCK_VALUES; word++) if (bitCount(word) <= ones) words.push(word);
  return words;
}

/** Compares each bucket with itself and with those whose number differs from its own by one of the words. */
function joinNear(buckets: Buckets, words: readonly number[], maxDistance: number, sets: DisjointSets): void {
  const { starts } = buckets;
  for (let v = 0; v < BLOCK_VALUES; v++) {
    const start = starts[v] as number;
    const end = starts[v + 1] as number;
    if (start === end) continue;
    for (const word of words) {
      const other = v ^ word;
      // Each pair of buckets once.
      if (other >= v)
        joinRanges(
          buckets,
          [start, end],
          [starts[other] as number, starts[other + 1] as number],
          maxDistance,
          sets,
        );
    }
  }
}

type Range = readonly [start: number, end: number];

function joinRanges(
  { high, low, order }: Buckets,
  [start, end]: Range,
  [otherStart, otherEnd]: Range,
  maxDistance: number,
  sets: DisjointSets,
): void {
  for (let i = start; i < end; i++) {
    const highI = high[i] as number;
    const lowI = low[i] as number;
    for (let j = start === otherStart ? i + 1 : otherStart; j < otherEnd; j++) {
      const distance = bitCount(highI ^ (high[j] as number));
      if (distance <= maxDistance && distance + bitCount(lowI ^ (low[j] as number)) <= maxDistance)
        sets.join(order[i] as number, order[j] as number);
    }
  }
}

/** Which indices belong together: union-find; a set's smallest index stands for it. */
class DisjointSets {
  readonly #parent: Uint32Array;

  constructor(count: number) {
    this.#parent = countedUp(count);
  }

  join(a: number, b: number): void {
    const [p, q] = [this.#root(a), this.#root(b)];
    if (p < q) this.#parent[q] = p;
    else this.#parent[p] = q;
  }

  /** The sets of two and more. */
  groups(): Uint32Array[] {
    const sizes = new Uint32Array(this.#parent.length);
    for (let i = 0; i < sizes.length; i++) sizes[this.#root(i)]! += 1;
    const groups = new Map<number, { readonly members: Uint32Array; count: number }>();
    for (let i = 0; i < sizes.length; i++) {
      const root = this.#root(i);
      const size = sizes[root] as number;
      if (size < 2) continue;
      // The root is the smallest index: it comes first, and the map keeps that order.
      const group = groups.get(root) ?? { members: new Uint32Array(size), count: 0 };
      group.members[group.count++] = i;
      groups.set(root, group);
    }
    return [...groups.values()].map(({ members }) => members);
  }

  #root(index: number): number {
    const parent = this.#parent;
    let at = index;
    while (parent[at] !== at) {
      // Every other step is shortened, so that chains stay short.
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  }
}
