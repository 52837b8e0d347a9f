/** Samples identity triplets: two photographs of one person and one of another, every person equally often, none twice. */

import { type Random, seededRandom } from '../io/random.js';
import { choose, evenShares } from './fair_shares.js';
import { PhotographPairs } from './photograph_pairs.js';

/** A person, as the sampler sees one. */
export interface SamplingIdentity {
  /** Stays the same from run to run, and unique: a person's triplets are drawn with a seed of their own. */
  readonly id: string;
  /** For each image the number of the photograph that it was cut from: equal numbers are faces of one photograph. */
  readonly photographs: ArrayLike<number>;
  /** Negatives come from the same group, e.g. of the same sex; without a group a person takes no part. */
  readonly group: string | undefined;
}

/** An image: the person's number in the list given, and the image's number among the person's. */
export interface SampledImage {
  readonly identity: number;
  readonly image: number;
}

export interface IdentityTriplet {
  /** Two photographs of one person, either first. */
  readonly pair: readonly [SampledImage, SampledImage];
  /** Another person. */
  readonly other: SampledImage;
  /** The place of the other person among a, b and c, as FEC codes it: 1, 2 or 3. */
  readonly odd: 1 | 2 | 3;
}

/** What was sampled from, for a note to the person. */
export interface SamplingReport {
  /** Triplets that will be given: as many as asked for, or all that exist. */
  readonly count: number;
  /** Triplets that exist; beyond 2^53 rounded. */
  readonly existing: number;
  /** Persons who are an anchor. */
  readonly anchors: number;
  /** Persons with fewer than two photographs, who are negatives alone. */
  readonly single: number;
  /** Persons without a group or without an image, who take no part. */
  readonly ungrouped: number;
  /** Anchors who give all the triplets that they have, since those are fewer than their equal share. */
  readonly exhausted: number;
}

export interface SampledTriplets extends SamplingReport {
  /** Person after person; starts anew, with the same triplets, each time it is iterated. */
  readonly triplets: Iterable<IdentityTriplet>;
}

/**
 * Draws `count` triplets without replacement, or all where fewer exist: two triplets differ in their negative or in
 * their unordered pair of anchor and positive. Each person is the anchor equally often (the numbers differ by one at
 * most, but where somebody has too few photographs), each anchor meets other persons of its group equally often, and
 * pairs and negatives of a person are uniform. Nothing is drawn and thrown away, so it ends after `count` triplets
 * however few exist, and remembers no more than one anchor's negatives.
 */
export function sampleTriplets(
  identities: readonly SamplingIdentity[],
  options: { readonly count: number; readonly seed: string },
): SampledTriplets {
  const { count, seed } = options;
  if (!(Number.isSafeInteger(count) && count >= 0)) throw new RangeError(`${count} triplets can't be drawn`);
  const groups = groupsOf(identities);
  const capacities = new Float64Array(identities.length);
  let existing = 0;
  let single = 0;
  for (const group of groups.values()) {
    let images = 0;
    for (const member of group) images += photographsOf(identities, member).length;
    for (const member of group) {
      const photographs = photographsOf(identities, member);
      const pairs = new PhotographPairs(photographs).count;
      if (pairs === 0) single += 1;
      capacities[member] = pairs * (images - photographs.length);
      existing += capacities[member] as number;
    }
  }
  const shares = evenShares(capacities, count, seededRandom(`${seed} shares`));
  const most = shares.reduce((max, share) => Math.max(max, share), 0);
  return {
    count: shares.reduce((sum, share) => sum + share, 0),
    existing,
    anchors: shares.filter((share) => share > 0).length,
    single,
    ungrouped: identities.length - [...groups.values()].reduce((sum, group) => sum + group.length, 0),
    exhausted: shares.filter((share, i) => share > 0 && share === capacities[i] && share < most - 1).length,
    triplets: {
      *[Symbol.iterator]() {
        for (const group of groups.values())
          for (const [place, member] of group.entries()) {
            const share = shares[member] as number;
            if (share > 0) yield* anchoredTriplets(identities, { group, place, member }, { share, seed });
          }
      },
    },
  };
}

/** The things of a triplet in the places a, b and c. */
export function inPlaces<T>(odd: 1 | 2 | 3, pair: readonly [T, T], other: T): readonly [T, T, T] {
  const [first, second] = pair;
  if (odd === 1) return [other, first, second];
  return odd === 2 ? [first, other, second] : [first, second, other];
}

/** Numbers of the persons of each group who have an image at all. */
function groupsOf(identities: readonly SamplingIdentity[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [i, { group, photographs }] of identities.entries()) {
    if (group === undefined || photographs.length === 0) continue;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [i]);
    else members.push(i);
  }
  return groups;
}

function photographsOf(identities: readonly SamplingIdentity[], identity: number): ArrayLike<number> {
  return (identities[identity] as SamplingIdentity).photographs;
}

/** `share` triplets of one anchor, who stands at `place` in its group. */
function* anchoredTriplets(
  identities: readonly SamplingIdentity[],
  anchor: { readonly group: readonly number[]; readonly place: number; readonly member: number },
  { share, seed }: { readonly share: number; readonly seed: string },
): Generator<IdentityTriplet> {
  const { group, place, member } = anchor;
  const { id, photographs } = identities[member] as SamplingIdentity;
  const random = seededRandom(`${seed} anchor ${id}`);
  const pairs = new PhotographPairs(photographs);
  /** The other members of the group, numbered 0 … without the anchor. */
  const otherAt = (i: number): number => group[i < place ? i : i + 1] as number;
  const sizes = (i: number): number => photographsOf(identities, otherAt(i)).length;
  for (const [other, times] of negatives(group.length - 1, share, (i) => pairs.count * sizes(i), random)) {
    const negative = otherAt(other);
    const images = sizes(other);
    // A combination of a pair and a negative image has one number, so that distinct numbers are distinct triplets.
    for (const combination of choose(times, pairs.count * images, random)) {
      const [first, second] = pairs.at(Math.floor(combination / images));
      const order = random.below(6);
      yield {
        pair: [
          { identity: member, image: order < 3 ? first : second },
          { identity: member, image: order < 3 ? second : first },
        ],
        other: { identity: negative, image: combination % images },
        odd: ((order % 3) + 1) as 1 | 2 | 3,
      };
    }
  }
}

/** Which of `others` persons are negatives, and how often: as evenly as what they have allows. */
function* negatives(
  others: number,
  share: number,
  capacityOf: (other: number) => number,
  random: Random,
): Generator<readonly [other: number, times: number]> {
  if (share <= others) {
    for (const other of choose(share, others, random)) yield [other, 1];
    return;
  }
  const times = evenShares(
    Float64Array.from({ length: others }, (_, i) => capacityOf(i)),
    share,
    random,
  );
  for (const [other, count] of times.entries()) if (count > 0) yield [other, count];
}
