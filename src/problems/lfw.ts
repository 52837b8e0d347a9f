/** Labeled Faces in the Wild: 6,000 pairs of photographs, the same person or not. Evaluation only. */

import type { Dataset } from '../datasets/dataset.js';
import { type LfwSource, lfwDataset } from '../datasets/lfw/lfw.js';
import { int64, text } from '../io/features.js';
import { faceFeatures, faceValues } from './face_features.js';
import { FACE_OPTION_RANGES, faceOptions, facePreparation } from './face_options.js';
import {
  datasetFile,
  type Input,
  type PlanRow,
  type Preparation,
  type PreparedInput,
  Problem,
  type Split,
} from './problem.js';
import { registerProblem } from './registry.js';
import { identityOf } from './vggface2.js';

/** Two images by their names in the dataset. */
export interface LfwRow extends PlanRow {
  readonly images: readonly [string, string];
  /** 1 … 10. */
  readonly fold: number;
  readonly same: boolean;
}

/**
 * The pairs of `pairs.txt` (View 2), whose ten folds share no person: a threshold is chosen on nine and judged on the
 * tenth. There is no train split: LFW is the test set that was acquired differently.
 */
export class LabeledFacesInTheWild extends Problem<LfwRow, LfwSource> {
  readonly name = 'lfw';
  readonly description =
    'Pairs of faces from Labeled Faces in the Wild: the same person or not; for evaluation only';
  readonly dataset: Dataset<LfwSource> = lfwDataset;
  override readonly splits: readonly Split[] = ['test'];
  override readonly options = { ...faceOptions({ template: 'arcface112' }) };
  override readonly optionRanges: Problem['optionRanges'] = FACE_OPTION_RANGES;

  get features() {
    return {
      key: text(),
      ...faceFeatures('image/a', this.options),
      'image/a/path': text(),
      'image/a/identity': text(),
      ...faceFeatures('image/b', this.options),
      'image/b/path': text(),
      'image/b/identity': text(),
      fold: int64(),
      targets: int64(),
    };
  }

  override async *plan(_split: Split, source: LfwSource): AsyncGenerator<LfwRow> {
    for (const [number, { images, fold, same }] of source.pairs.entries())
      yield { key: `fold${fold}:${number + 1}`, images, fold, same };
  }

  override inputs(row: LfwRow): readonly Input[] {
    return row.images.map(datasetFile);
  }

  override get preparation(): Preparation {
    return facePreparation(this.options);
  }

  example(row: LfwRow, inputs: readonly PreparedInput[]) {
    const [a, b] = inputs as readonly [PreparedInput, PreparedInput];
    return {
      key: row.key,
      ...faceValues('image/a', a),
      'image/a/path': row.images[0],
      'image/a/identity': identityOf(row.images[0]),
      ...faceValues('image/b', b),
      'image/b/path': row.images[1],
      'image/b/identity': identityOf(row.images[1]),
      fold: row.fold,
      targets: row.same ? 1 : 0,
    };
  }
}

registerProblem(LabeledFacesInTheWild);
