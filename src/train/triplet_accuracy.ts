/** Triplet accuracy: how often the two pictures that belong together are the nearest pair of the three. */

import { type Embeddings, pairDistances } from './embeddings.js';

/** Embeddings of the pictures a, b and c of the same rows, and which of them is the odd one out. */
export interface EmbeddedTriplets {
  readonly a: Embeddings;
  readonly b: Embeddings;
  readonly c: Embeddings;
  /** 1 (a), 2 (b) or 3 (c), as `triplet_code` has it. */
  readonly odd: ArrayLike<number>;
}

/**
 * 1 where the row is right, 0 where it is wrong; `weightedMean` of it is the accuracy. A row is right if and only if the
 * distance of the similar pair is the smallest of the three (Vemulapalli and Agarwala, CVPR 2019). Ties are
 * wrong, so that a model that gives one embedding to everything scores 0 and not by luck; so is a distance that is NaN.
 * @throws RangeError where a code is not 1, 2 or 3, or shapes differ.
 */
export function tripletOutcomes({ a, b, c, odd }: EmbeddedTriplets): Uint8Array {
  const bc = pairDistances(b, c);
  const ac = pairDistances(a, c);
  const ab = pairDistances(a, b);
  if (odd.length !== ab.length) throw new RangeError(`${odd.length} codes for ${ab.length} triplets`);
  return Uint8Array.from(ab, (_, row) => {
    const code = odd[row]!;
    const distances = [bc[row]!, ac[row]!, ab[row]!];
    const similar = distances[code - 1];
    if (similar === undefined) throw new RangeError(`triplet code ${code} of row ${row}`);
    return distances.every((distance, at) => at === code - 1 || similar < distance) ? 1 : 0;
  });
}
