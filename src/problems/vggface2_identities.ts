/** Whose face it is: one image and its class, for pre-training a network by classification. */

import type { Dataset } from '../datasets/dataset.js';
import type { VggFace2Source } from '../datasets/vggface2/identities.js';
import { vggface2Dataset } from '../datasets/vggface2/vggface2.js';
import { int64, text } from '../io/features.js';
import { seededPermutation } from '../io/random.js';
import { faceFeatures, faceValues } from './face_features.js';
import { FACE_OPTION_RANGES, faceOptions, facePreparation } from './face_options.js';
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
import { IDENTITY_AUGMENTATIONS, identityOf, stemOf } from './vggface2.js';

/** One image by its name in the dataset. */
export interface IdentityImageRow extends PlanRow {
  readonly image: string;
  /** 0 … classes − 1. */
  readonly class: number;
  readonly gender: 'm' | 'f' | '';
}

/**
 * Every image of VGGFace2 with its identity's number. A classifier can only be judged on classes that it was shown, so
 * dev has some photographs of each train identity, not identities of its own as in `vggface2`. Test has the official
 * test identities, numbered from 0 on their own: none of them is a class of train (an open set), so test is for
 * comparing embeddings, not for the accuracy of the classifier.
 */
export class VggFace2Identities extends Problem<IdentityImageRow, VggFace2Source> {
  readonly name: string = 'vggface2_identities';
  readonly description: string = 'Faces from VGGFace2, each with the number of the person: classification';
  readonly dataset: Dataset<VggFace2Source> = vggface2Dataset;
  override readonly options = {
    ...faceOptions({ template: 'arcface112' }),
    /** Fraction of each train identity's photographs that dev gets: one at least of two or more, never all. */
    dev_fraction: 0.02,
  };

  override readonly optionRanges: Problem['optionRanges'] = { ...FACE_OPTION_RANGES, dev_fraction: [0, 1] };

  override readonly augmentations = IDENTITY_AUGMENTATIONS;

  get features() {
    return {
      key: text(),
      ...faceFeatures('image', this.options),
      'image/path': text(),
      'image/identity': text(),
      'image/gender': text(),
      targets: int64(),
    };
  }

  override *plan(split: Split, source: VggFace2Source, context: PlanContext): Generator<IdentityImageRow> {
    const identities = source.identities(split === 'test' ? 'test' : 'train');
    context.note(
      split === 'test'
        ? `test has ${identities.length} classes, identities that are not among train's: its targets are numbers of their own`
        : `train and dev share ${identities.length} classes`,
    );
    for (const [number, { id, gender, images }] of identities.entries()) {
      const inDev =
        split === 'test'
          ? undefined
          : devPhotographs(images.photographs, this.options.dev_fraction, `${id} ${context.seed}`);
      for (let i = 0; i < images.length; i++) {
        if (inDev?.has(images.photographs[i] as number) === (split === 'train')) continue;
        const image = images.name(i);
        yield { key: stemOf(image), image, class: number, gender: gender ?? '' };
      }
    }
  }

  override inputs(row: IdentityImageRow): readonly Input[] {
    return [datasetFile(row.image)];
  }

  override get preparation(): Preparation {
    return facePreparation(this.options);
  }

  example(row: IdentityImageRow, inputs: readonly PreparedInput[]) {
    const [face] = inputs as readonly [PreparedInput];
    return {
      key: row.key,
      ...faceValues('image', face),
      'image/path': row.image,
      'image/identity': identityOf(row.image),
      'image/gender': row.gender,
      targets: row.class,
    };
  }
}

registerProblem(VggFace2Identities);

/** Whole photographs, so that two faces of one photograph are on the same side. */
function devPhotographs(photographs: ArrayLike<number>, fraction: number, seed: string): Set<number> {
  const distinct = [...new Set(Array.from(photographs))].sort((a, b) => a - b);
  const count =
    fraction === 0 || distinct.length < 2
      ? 0
      : Math.min(distinct.length - 1, Math.max(1, Math.round(fraction * distinct.length)));
  const order = seededPermutation(distinct.length, `vggface2_identities dev ${seed}`);
  return new Set(Array.from(order.subarray(0, count), (place) => distinct[place] as number));
}
