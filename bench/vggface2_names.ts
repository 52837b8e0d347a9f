/** The names of a whole VGGFace2, made up: as many identities, pictures and digits as the real set has. */

import { type VggFace2Source, vggFace2Source } from '../src/datasets/vggface2/identities.js';
import { seededRandom } from '../src/io/random.js';

/** The real set's numbers, of its paper (Cao and others, 2018) and its identity_meta.csv. */
const IDENTITIES = { train: 8631, test: 500 };
const LEAST_PICTURES = 30;
const MOST_PICTURES = 843;
/** u to this power has the mean that gives 362.6 pictures an identity, 3.31 million in all. */
const SKEW = 1.444;
/** One photograph of so many gives two faces, which are pictures of one person in the set's rare cases. */
const PHOTOGRAPHS_A_SECOND_FACE = 50;

export function madeUpSource(): VggFace2Source {
  return vggFace2Source([
    { part: 'train', names: names(IDENTITIES.train, 2) },
    { part: 'test', names: names(IDENTITIES.test, 1) },
  ]);
}

/** Ids have gaps: of each seven numbers one is the other part's or nobody's. */
function* names(identities: number, first: number): Generator<string> {
  const random = seededRandom(`vggface2 names ${first}`);
  for (let i = 0; i < identities; i++) {
    const number = first === 1 ? 1 + i * 7 : 2 + i + Math.floor(i / 6);
    const id = `n${String(number).padStart(6, '0')}`;
    const pictures = LEAST_PICTURES + Math.round((MOST_PICTURES - LEAST_PICTURES) * random.next() ** SKEW);
    for (let picture = 0, photograph = 1; picture < pictures; picture++) {
      const isSecond = picture % PHOTOGRAPHS_A_SECOND_FACE === PHOTOGRAPHS_A_SECOND_FACE - 1;
      if (picture > 0 && !isSecond) photograph += 1 + (random.below(8) === 0 ? 1 : 0);
      yield `${id}/${String(photograph).padStart(4, '0')}_0${isSecond ? 2 : 1}.jpg`;
    }
  }
}
