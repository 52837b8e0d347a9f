import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uniformPValue } from '../../fixtures/chi_squared.js';
import {
  type IdentityTriplet,
  inPlaces,
  type SampledImage,
  type SamplingIdentity,
  sampleTriplets,
} from './identity_triplets.js';

/** Persons by their images' photograph numbers; of no group where `group` says so. */
function people(
  photographs: readonly (readonly number[])[],
  group: (i: number) => string | undefined = () => 'all',
) {
  return photographs.map(
    (numbers, i): SamplingIdentity => ({ id: `p${i}`, photographs: numbers, group: group(i) }),
  );
}

/** The pair's images in the order of their numbers, and the negative: equal for equal triplets. */
function parts({ pair, other }: IdentityTriplet) {
  const [first, second] = [...pair].sort((x, y) => x.image - y.image) as [SampledImage, SampledImage];
  return { first, second, negative: other };
}

function keyOf(triplet: IdentityTriplet): string {
  const { first, second, negative } = parts(triplet);
  return `${first.identity}/${first.image}+${second.image}-${negative.identity}/${negative.image}`;
}

/** All triplets there are, by the definition. */
function allTriplets(identities: readonly SamplingIdentity[]): string[] {
  const keys: string[] = [];
  for (const [i, a] of identities.entries())
    for (const [j, b] of identities.entries()) {
      if (i === j || a.group === undefined || a.group !== b.group) continue;
      for (let first = 0; first < a.photographs.length; first++)
        for (let second = first + 1; second < a.photographs.length; second++) {
          if (a.photographs[first] === a.photographs[second]) continue;
          for (let image = 0; image < b.photographs.length; image++)
            keys.push(`${i}/${first}+${second}-${j}/${image}`);
        }
    }
  return keys.sort();
}

const corpora = fc
  .array(
    fc.record({
      photographs: fc.array(fc.nat({ max: 6 }), { maxLength: 7 }),
      group: fc.constantFrom('m', 'f', undefined),
    }),
    { maxLength: 7 },
  )
  .map((list) => list.map((one, i): SamplingIdentity => ({ id: `p${i}`, ...one })));

test('a triplet is two photographs of one person and one of another of its group, none comes twice, as many as asked for', () => {
  fc.assert(
    fc.property(corpora, fc.nat({ max: 300 }), fc.string(), (identities, count, seed) => {
      const sampled = sampleTriplets(identities, { count, seed });
      const triplets = [...sampled.triplets];
      const existing = allTriplets(identities);
      expect(sampled.existing).toBe(existing.length);
      expect(sampled.count).toBe(Math.min(count, existing.length));
      expect(triplets.length).toBe(sampled.count);
      expect(new Set(triplets.map(keyOf)).size).toBe(triplets.length);
      for (const triplet of triplets) {
        const { first, second, negative } = parts(triplet);
        const anchor = identities[first.identity]!;
        expect(second.identity).toBe(first.identity);
        expect(anchor.photographs[first.image]).not.toBe(anchor.photographs[second.image]);
        expect(negative.identity).not.toBe(first.identity);
        expect(anchor.group).toBeDefined();
        expect(identities[negative.identity]!.group).toBe(anchor.group);
        expect(negative.image).toBeLessThan(identities[negative.identity]!.photographs.length);
      }
    }),
  );
});

test('asked for more than exist, it ends and gives every triplet exactly once', () => {
  fc.assert(
    fc.property(corpora, fc.nat({ max: 1_000_000 }), (identities, beyond) => {
      const existing = allTriplets(identities);
      const sampled = sampleTriplets(identities, { count: existing.length + beyond, seed: 's' });
      expect([...sampled.triplets].map(keyOf).sort()).toEqual(existing);
    }),
  );
});

test('the same seed gives the same triplets each time, another seed gives others', () => {
  const identities = people(Array.from({ length: 30 }, (_, i) => Array.from({ length: 5 + i }, (_, n) => n)));
  const keys = (seed: string) => [...sampleTriplets(identities, { count: 200, seed }).triplets].map(keyOf);
  const sampled = sampleTriplets(identities, { count: 200, seed: 'a' });
  expect([...sampled.triplets]).toEqual([...sampled.triplets]);
  expect(keys('a')).toEqual([...sampled.triplets].map(keyOf));
  const others = new Set(keys('b'));
  expect(keys('a').filter((key) => others.has(key)).length).toBeLessThan(20);
});

test('persons are the anchor equally often, whatever they have; only who has too little gives all', () => {
  const sizes = [2, 2, 3, 10, 40, 200, 7, 9];
  const identities = people(sizes.map((size) => Array.from({ length: size }, (_, n) => n)));
  const sampled = sampleTriplets(identities, { count: 8 * 200 + 3, seed: 's' });
  const anchors = new Uint32Array(sizes.length);
  for (const triplet of sampled.triplets) anchors[parts(triplet).first.identity]! += 1;
  for (const count of anchors) expect(count === 200 || count === 201).toBe(true);

  const scarce = sampleTriplets(identities, { count: 8 * 1000, seed: 's' });
  // Two photographs are one pair, with every image of the others: 271 triplets each.
  expect(scarce).toMatchObject({ count: 8000, exhausted: 3, anchors: 8 });
});

test('negatives are uniform over the other persons, and images over a person’s', () => {
  const sizes = Array.from({ length: 25 }, (_, i) => 4 + i * 3);
  const identities = people(sizes.map((size) => Array.from({ length: size }, (_, n) => n)));
  const negatives = new Uint32Array(sizes.length);
  const imagesOfLast = new Uint32Array(sizes[24]!);
  const negativeImagesOfLast = new Uint32Array(sizes[24]!);
  const odd = new Uint32Array(3);
  const ofFirst = new Uint32Array(sizes.length);
  let firstOfPairFirst = 0;
  let pairs = 0;
  for (let run = 0; run < 40; run++)
    for (const triplet of sampleTriplets(identities, { count: 400, seed: `run ${run}` }).triplets) {
      const { first, second, negative } = parts(triplet);
      negatives[negative.identity]! += 1;
      odd[triplet.odd - 1]! += 1;
      firstOfPairFirst += triplet.pair[0] === first ? 1 : 0;
      pairs += 1;
      if (first.identity === 0) ofFirst[negative.identity]! += 1;
      if (first.identity === 24) {
        imagesOfLast[first.image]! += 1;
        imagesOfLast[second.image]! += 1;
      }
      if (negative.identity === 24) negativeImagesOfLast[negative.image]! += 1;
    }
  expect(ofFirst[0]).toBe(0);
  for (const counts of [negatives, ofFirst.slice(1), imagesOfLast, negativeImagesOfLast, odd])
    expect(uniformPValue(counts)).toBeGreaterThan(0.001);
  expect(uniformPValue([firstOfPairFirst, pairs - firstOfPairFirst])).toBeGreaterThan(0.001);
});

test('two faces of one photograph are never anchor and positive, even where a person has nothing else', () => {
  const identities = people([
    [1, 1, 1],
    [1, 2],
    [5, 5],
  ]);
  const sampled = sampleTriplets(identities, { count: 100, seed: 's' });
  expect(sampled).toMatchObject({ count: 5, existing: 5, anchors: 1, single: 2, ungrouped: 0, exhausted: 0 });
  for (const triplet of sampled.triplets) expect(parts(triplet).first.identity).toBe(1);
});

test('of one person alone, of none and of nobody with a group nothing is sampled', () => {
  for (const identities of [
    [],
    people([[1, 2, 3]]),
    people(
      [
        [1, 2],
        [3, 4],
      ],
      () => undefined,
    ),
  ])
    expect([...sampleTriplets(identities, { count: 10, seed: 's' }).triplets]).toEqual([]);
});

test('the other person stands where `odd` says', () => {
  expect(([1, 2, 3] as const).map((odd) => inPlaces(odd, ['x', 'y'], 'other'))).toEqual([
    ['other', 'x', 'y'],
    ['x', 'other', 'y'],
    ['x', 'y', 'other'],
  ]);
});
