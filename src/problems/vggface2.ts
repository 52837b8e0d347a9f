/** Identity from faces: of three faces, two photographs of one person and one of another, which is the odd one out. */

import type { Dataset } from '../datasets/dataset.js';
import type { Identity, VggFace2Source } from '../datasets/vggface2/identities.js';
import { vggface2Dataset } from '../datasets/vggface2/vggface2.js';
import { UserError } from '../io/errors.js';
import { int64, text } from '../io/features.js';
import { seededPermutation } from '../io/random.js';
import { colourJitter } from './colour_augmentations.js';
import type { Augmentation } from './decoded.js';
import { faceFeatures, faceValues } from './face_features.js';
import { FACE_OPTION_RANGES, faceOptions, facePreparation } from './face_options.js';
import { type IdentityTriplet, inPlaces, type SampledTriplets, sampleTriplets } from './identity_triplets.js';
import { horizontalFlip, randomCrop, randomShift } from './placement_augmentations.js';
import {
  datasetFile,
  type Input,
  type PlanContext,
  type PlanRow,
  type Preparation,
  type PreparedInput,
  Problem,
  type Split,
} from './problem.js';
import { registerProblem } from './registry.js';

/**
 * What leaves a person the same person. Crops, and one photograph in five grey: Cao et al., "VGGFace2", FG 2018, section V;
 * the crops are less here, since faces are aligned.
 */
export const IDENTITY_AUGMENTATIONS: readonly Augmentation[] = [
  horizontalFlip(),
  randomShift({ fraction: 0.03, fill: 'edge' }),
  randomCrop({ leastArea: 0.9 }),
  colourJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, grey: 0.2 }),
];

type Gender = 'm' | 'f' | '';

/** Three images by their names in the dataset, in the places a, b and c. */
export interface IdentityTripletRow extends PlanRow {
  readonly images: readonly [string, string, string];
  readonly genders: readonly [Gender, Gender, Gender];
  /** The odd one's place: 1, 2 or 3. */
  readonly odd: 1 | 2 | 3;
}

/**
 * Triplets of VGGFace2. Test has the official test identities; dev has whole identities taken out of the official train
 * identities, so that each split shows persons whom the others don't.
 */
export class VggFace2 extends Problem<IdentityTripletRow, VggFace2Source> {
  readonly name: string = 'vggface2';
  readonly description: string =
    'Triplets of faces from VGGFace2: two photographs of one person and one of another, which one is the other';
  readonly dataset: Dataset<VggFace2Source> = vggface2Dataset;
  override readonly options = {
    ...faceOptions({ template: 'arcface112' }),
    /** Triplets of train; there are some 10^15 to draw from. */
    examples: 1_000_000,
    dev_examples: 10_000,
    test_examples: 25_000,
    /** Official train identities that are dev's alone; never more than half of those there are. */
    dev_identities: 200,
    /** Whether the other person is of the anchor's sex by the set's own metadata, which makes triplets harder. */
    same_sex: false,
  };

  override readonly optionRanges: Problem['optionRanges'] = {
    ...FACE_OPTION_RANGES,
    examples: [0, 1e9],
    dev_examples: [0, 1e9],
    test_examples: [0, 1e9],
    dev_identities: [0, 1e6],
  };

  override readonly augmentations = IDENTITY_AUGMENTATIONS;

  get features() {
    return {
      key: text(),
      ...faceFeatures('image/a', this.options),
      'image/a/path': text(),
      'image/a/identity': text(),
      'image/a/gender': text(),
      ...faceFeatures('image/b', this.options),
      'image/b/path': text(),
      'image/b/identity': text(),
      'image/b/gender': text(),
      ...faceFeatures('image/c', this.options),
      'image/c/path': text(),
      'image/c/identity': text(),
      'image/c/gender': text(),
      targets: int64(),
    };
  }

  override *plan(split: Split, source: VggFace2Source, context: PlanContext): Generator<IdentityTripletRow> {
    const identities = this.identities(split, source, context);
    if (this.options.same_sex && !identities.some(({ gender }) => gender !== undefined))
      throw new UserError('same_sex needs the sex of people, and none is known', {
        where: `${split} of ${this.name}`,
        remedy: 'put identity_meta.csv into the --manual-dir',
        exitCode: 2,
      });
    const wanted = { train: 'examples', dev: 'dev_examples', test: 'test_examples' } as const;
    const count = this.options[wanted[split]];
    const sampled = sampleTriplets(
      identities.map(({ id, gender, images }) => ({
        id,
        photographs: images.photographs,
        group: this.options.same_sex ? gender : 'all',
      })),
      { count, seed: `vggface2 ${split} ${context.seed}` },
    );
    for (const sentence of samplingNotes(sampled, { split, wanted: count })) context.note(sentence);
    for (const triplet of sampled.triplets) yield rowOf(triplet, identities);
  }

  override inputs(row: IdentityTripletRow): readonly Input[] {
    return row.images.map(datasetFile);
  }

  override get preparation(): Preparation {
    return facePreparation(this.options);
  }

  example(row: IdentityTripletRow, inputs: readonly PreparedInput[]) {
    const [a, b, c] = inputs as readonly [PreparedInput, PreparedInput, PreparedInput];
    return {
      key: row.key,
      ...faceValues('image/a', a),
      'image/a/path': row.images[0],
      'image/a/identity': identityOf(row.images[0]),
      'image/a/gender': row.genders[0],
      ...faceValues('image/b', b),
      'image/b/path': row.images[1],
      'image/b/identity': identityOf(row.images[1]),
      'image/b/gender': row.genders[1],
      ...faceValues('image/c', c),
      'image/c/path': row.images[2],
      'image/c/identity': identityOf(row.images[2]),
      'image/c/gender': row.genders[2],
      targets: row.odd,
    };
  }

  /** The persons of a split, in the order of their ids. */
  private identities(split: Split, source: VggFace2Source, context: PlanContext): readonly Identity[] {
    if (split === 'test') return source.identities('test');
    const official = source.identities('train');
    const wanted = this.options.dev_identities;
    const taken = Math.min(wanted, Math.floor(official.length / 2));
    if (taken < wanted)
      context.note(
        `dev has ${taken} identities, not ${wanted}: half of the ${official.length} that train has here`,
      );
    const order = seededPermutation(official.length, `vggface2 dev identities ${context.seed}`);
    const isDev = new Uint8Array(official.length);
    for (const identity of order.subarray(0, taken)) isDev[identity] = 1;
    return official.filter((_, i) => (isDev[i] === 1) === (split === 'dev'));
  }
}

registerProblem(VggFace2);

/** `n000001` of `n000001/0001_01.jpg`. */
export function identityOf(image: string): string {
  return image.slice(0, image.indexOf('/'));
}

function rowOf(triplet: IdentityTriplet, identities: readonly Identity[]): IdentityTripletRow {
  const { pair, other, odd } = triplet;
  const [first, second] = pair;
  const person = identities[first.identity] as Identity;
  const otherPerson = identities[other.identity] as Identity;
  const images = [person.images.name(first.image), person.images.name(second.image)] as const;
  const otherImage = otherPerson.images.name(other.image);
  const gender = person.gender ?? '';
  return {
    key: keyOf(first.image < second.image ? images : [images[1], images[0]], otherImage),
    images: inPlaces(odd, images, otherImage),
    genders: inPlaces(odd, [gender, gender], otherPerson.gender ?? ''),
    odd,
  };
}

/** The same for the same triplet whatever its order, e.g. `n000002/0001_01+0005_01-n000003/0002_01`. */
function keyOf([first, second]: readonly [string, string], other: string): string {
  return `${stemOf(first)}+${stemOf(second.slice(second.indexOf('/') + 1))}-${stemOf(other)}`;
}

/** `n000001/0001_01` of `n000001/0001_01.jpg`; a picture of another format keeps its extension, which tells it apart. */
export function stemOf(image: string): string {
  return image.endsWith('.jpg') ? image.slice(0, -'.jpg'.length) : image;
}

/** What a person should know of the sampling. */
function samplingNotes(
  sampled: SampledTriplets,
  { split, wanted }: { readonly split: Split; readonly wanted: number },
): string[] {
  const { count, single, ungrouped, exhausted } = sampled;
  const notes: string[] = [];
  if (count < wanted) notes.push(`${split} has ${count} triplets, not ${wanted}: no more exist`);
  else if (exhausted > 0)
    notes.push(
      `${split}: ${exhausted} identities have fewer triplets than their share, and give all of them`,
    );
  if (single > 0)
    notes.push(
      `${split}: ${single} identities have fewer than two photographs and are only ever the other person`,
    );
  if (ungrouped > 0)
    notes.push(
      `${split}: ${ungrouped} identities take no part, for want of an image or of a sex in the metadata`,
    );
  return notes;
}
