/** Problems over triplets of pictures: three faces, one of which is the odd one out. */

import { FACE_OPTION_RANGES, FACE_OPTIONS, facePreparation } from './face_options.js';
import { type Input, type OptionValue, type PlanRow, type Preparation, Problem } from './problem.js';

/** The names of a triplet's pictures, in order; features are called `image/a` and so on. */
export const TRIPLET_LETTERS = ['a', 'b', 'c'] as const;

export interface TripletRow extends PlanRow {
  readonly faces: readonly [Input, Input, Input];
}

/** A Problem whose rows hold three faces, each found in its box and cropped to a square. */
export abstract class TripletProblem<Row extends TripletRow = TripletRow, Source = unknown> extends Problem<
  Row,
  Source
> {
  override readonly options: Readonly<Record<string, OptionValue>> = FACE_OPTIONS;

  override readonly optionRanges: Problem['optionRanges'] = FACE_OPTION_RANGES;

  override inputs(row: Row): readonly Input[] {
    return row.faces;
  }

  override get preparation(): Preparation {
    return facePreparation(this.options);
  }
}
