import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hammingDistance } from '../faces/perceptual_hash.js';
import { duplicateGroups, type HashedPicture, nearDuplicates } from './near_duplicates.js';

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hex = (hash: bigint) => hash.toString(16).padStart(16, '0');

/** Hashes in clusters: each is one of a few, with some bits turned, so that every distance from 0 on occurs. */
const clustered = fc
  .record({
    centres: fc.array(word, { minLength: 1, maxLength: 6 }),
    picks: fc.array(
      fc.record({ centre: fc.nat(), flips: fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 9 }) }),
      { maxLength: 60, size: 'max' },
    ),
  })
  .map(({ centres, picks }) =>
    picks.map(({ centre, flips }) =>
      flips.reduce((hash, bit) => hash ^ (1n << BigInt(bit)), centres[centre % centres.length] as bigint),
    ),
  );

/** Each with each, and sets merged until nothing changes. */
function byBruteForce(hashes: readonly string[], maxDistance: number): number[][] {
  const label = hashes.map((_, i) => i);
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (let i = 0; i < hashes.length; i++)
      for (let j = 0; j < i; j++)
        if (
          label[i] !== label[j] &&
          hammingDistance(hashes[i] as string, hashes[j] as string) <= maxDistance
        ) {
          const least = Math.min(label[i] as number, label[j] as number);
          label[i] = least;
          label[j] = least;
          hasChanged = true;
        }
  }
  return [...new Set(label)]
    .map((each) => label.flatMap((l, i) => (l === each ? [i] : [])))
    .filter(({ length }) => length > 1)
    .sort((a, b) => (a[0] as number) - (b[0] as number));
}

const picturesOf = (hashes: readonly string[]): HashedPicture[] =>
  hashes.map((hash, i) => ({ key: `p${i}`, split: ['train', 'dev', 'test'][i % 3] as string, hash }));

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])(
  'the groups at distance %i are those of comparing each with each',
  (maxDistance) => {
    let groups = 0;
    fc.assert(
      fc.property(clustered, (words) => {
        const hashes = words.map(hex);
        const found = nearDuplicates(picturesOf(hashes), maxDistance);
        const keys = found.map(({ members }) => members.map(({ key }) => Number(key.slice(1))));
        expect(keys).toEqual(byBruteForce(hashes, maxDistance));
        groups += keys.length;
      }),
      { numRuns: 40 },
    );
    // Random clusters: how many groups they make differs from run to run, but not that there are some.
    expect(groups).toBeGreaterThan(3);
  },
);

test('a pair is found however its differing bits lie, and not beyond the distance', () => {
  const bits = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(word, bits, (hash, flips) => {
      const other = flips.reduce((each, bit) => each ^ (1n << BigInt(bit)), hash);
      const pair = picturesOf([hex(hash), hex(other)]);
      if (flips.length <= 11) expect(nearDuplicates(pair, flips.length)).toHaveLength(1);
      expect(nearDuplicates(pair, flips.length - 1)).toHaveLength(0);
    }),
    { numRuns: 100 },
  );
});

test('a group tells which splits it touches', () => {
  const pictures = [
    { key: 'a', split: 'train', hash: '00000000000000ff' },
    { key: 'b', split: 'test', hash: '8000000000000000' },
    { key: 'c', split: 'test', hash: '00000000000000fe' },
    { key: 'd', split: 'train', hash: '00000000000000fF' },
  ];
  expect(nearDuplicates(pictures, 2)).toEqual([
    { members: [pictures[0], pictures[2], pictures[3]], splits: ['test', 'train'] },
  ]);
  expect(nearDuplicates(pictures, 0)).toEqual([{ members: [pictures[0], pictures[3]], splits: ['train'] }]);
  expect(nearDuplicates([], 5)).toEqual([]);
});

test('two hundred thousand hashes, half of them one picture, give exactly the pairs that were hidden among them', () => {
  const count = 200_000;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  let state = 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = count / 2; i < count; i++) {
    high[i] = next();
    low[i] = next();
  }
  // Random hashes of 64 bits are never this near: 5e9 pairs, of which one in 1e14 is within 3 bits.
  for (let i = 0; i < 100; i++) {
    const from = count / 2 + 2 * i;
    high[from + 1] = (high[from] as number) ^ (1 << (i % 32));
    low[from + 1] = (low[from] as number) ^ (1 << (i % 31));
  }
  const groups = duplicateGroups({ high, low }, 3);
  expect(groups[0]).toHaveLength(count / 2);
  const hidden = Array.from({ length: 100 }, (_, i) => [count / 2 + 2 * i, count / 2 + 2 * i + 1]);
  expect(groups.slice(1).map((group) => [...group])).toEqual(hidden);
});

test('what is out of range is refused', () => {
  const columns = { high: new Uint32Array(2), low: new Uint32Array(2) };
  for (const distance of [-1, 12, 2.5, Number.NaN])
    expect(() => duplicateGroups(columns, distance)).toThrow(RangeError);
  expect(() => duplicateGroups({ high: new Uint32Array(2), low: new Uint32Array(3) }, 1)).toThrow(RangeError);
  expect(() => nearDuplicates([{ key: 'a', split: 'train', hash: 'xyz' }], 1)).toThrow(
    /16 hexadecimal digits/,
  );
});
