/** Problems over triplets of pictures: three faces, one of which is the odd one out. */

import { cropFaces, DEFAULT_CROP } from '../faces/crop.js';
import { type Input, type OptionValue, type PlanRow, type Preparation, Problem } from './problem.js';

/** The names of a triplet's pictures, in order; features are called `image/a` and so on. */
export const TRIPLET_LETTERS = ['a', 'b', 'c'] as const;

export interface TripletRow extends PlanRow {
  readonly faces: readonly [Input, Input, Input];
}

/** Size, margin and quality of the crops, which every Problem over face crops shares. */
export const CROP_OPTIONS = {
  size: DEFAULT_CROP.size,
  margin: DEFAULT_CROP.margin,
  quality: DEFAULT_CROP.quality,
  min_face_pixels: DEFAULT_CROP.minFacePixels,
} as const;

/** What those options may be. */
export const CROP_OPTION_RANGES = {
  size: [8, 4096],
  margin: [0, 10],
  quality: [1, 100],
  min_face_pixels: [1, 4096],
} as const;

/** A Problem whose rows hold three faces, each cropped by its box to a square JPEG. */
export abstract class TripletProblem<Row extends TripletRow = TripletRow, Source = unknown> extends Problem<
  Row,
  Source
> {
  override readonly options: Readonly<Record<string, OptionValue>> = CROP_OPTIONS;

  override readonly optionRanges: Problem['optionRanges'] = CROP_OPTION_RANGES;

  override inputs(row: Row): readonly Input[] {
    return row.faces;
  }

  override get preparation(): Preparation {
    return faceCrops(this.options);
  }
}

/** Crops of faces by their boxes, per the options of CROP_OPTIONS. */
export function faceCrops(options: Readonly<Record<string, OptionValue>>): Preparation {
  const spec = {
    ...DEFAULT_CROP,
    size: Number(options.size ?? DEFAULT_CROP.size),
    margin: Number(options.margin ?? DEFAULT_CROP.margin),
    quality: Number(options.quality ?? DEFAULT_CROP.quality),
    minFacePixels: Number(options.min_face_pixels ?? DEFAULT_CROP.minFacePixels),
  };
  return {
    id: `crop-${spec.size}px-margin${spec.margin}-q${spec.quality}-min${spec.minFacePixels}-v3`,
    prepare: (raw, boxes) => cropFaces(raw, boxes, spec),
  };
}
