/** What augmentations of pictures share: which pictures they change, and what of the faces in them moves along. */

import { LANDMARK_NAMES } from '../faces/face.js';
import type { Random } from '../io/random.js';
import type { Augmentation, DecodedExample, DecodedValue, Tensor } from './decoded.js';
import { isTensor } from './decoded.js';

/** Height × width × channels, 0 … 255. */
export type Picture = Tensor<Uint8Array>;

/** Which pictures of an example an augmentation changes. */
export interface PictureOptions {
  /** Their names; every picture of the example where this is left out. */
  readonly pictures?: readonly string[];
  /** Whether chance decides anew for each `picture`, as is usual, or once for all pictures of the `example`. */
  readonly per?: 'picture' | 'example';
}

/**
 * Where points of a picture go: x' = scaleX · x + shiftX, y' = scaleY · y + shiftY, in pixels whose centres are at whole
 * numbers. A negative `scaleX` mirrors.
 */
export interface Move {
  readonly scaleX: number;
  readonly shiftX: number;
  readonly scaleY: number;
  readonly shiftY: number;
}

/** What became of one picture. */
export interface ChangedPicture {
  readonly picture: Picture;
  /** Where its points went, if they did not stay. */
  readonly move?: Move;
  /** Features that are new beside it, by the end of their names: `mask` is `image/a/mask` beside `image/a`. */
  readonly beside?: Readonly<Record<string, DecodedValue>>;
}

/** What chance has decided for one picture or for all; undefined where it stays as it is. */
export type PictureChange = ((picture: Picture) => ChangedPicture) | undefined;

/**
 * An augmentation of pictures from what draws its changes. `draw` may not depend on a picture's size, since one change
 * may be made to several.
 */
export function augmentPictures(
  { pictures, per = 'picture' }: PictureOptions,
  draw: (random: Random) => PictureChange,
): Augmentation {
  return (example, random) => {
    const shared = per === 'example' ? { change: draw(random) } : undefined;
    const result: Record<string, DecodedValue> = { ...example };
    for (const [name, value] of Object.entries(example)) {
      if (!isPicture(value) || pictures?.includes(name) === false) continue;
      const { change } = shared ?? { change: draw(random) };
      if (change === undefined) continue;
      const { picture, move, beside = {} } = change(value);
      result[name] = picture;
      if (move !== undefined) Object.assign(result, movedFace(example, name, move));
      for (const [end, feature] of Object.entries(beside)) result[`${name}/${end}`] = feature;
    }
    return result;
  };
}

/** @throws RangeError where it is none. */
export function fractionOf(name: string, value: number): number {
  if (value >= 0 && value <= 1) return value;
  throw new RangeError(`${name} is ${value}: it is a fraction from 0 to 1`);
}

/** Height, width and channels. */
export function pictureSizes({ shape }: Picture): readonly [height: number, width: number, channels: number] {
  return shape as unknown as readonly [number, number, number];
}

/**
 * What is said of the face beside its picture, as it is after a move. `<name>/face/matrix` leads to the new place of each
 * pixel. `<name>/landmarks` are pixels of the picture itself, and move. In a mirrored picture left is right:
 * `<name>/face/landmarks`, which are pixels of the photograph and stay where they are, and `<name>/landmarks` change the
 * places of left and right, so that names stay as seen in the picture; roll and yaw of `<name>/face/pose` change sign.
 */
function movedFace(example: DecodedExample, name: string, move: Move): Record<string, Tensor> {
  const { scaleX, shiftX, scaleY, shiftY } = move;
  const isMirrored = scaleX < 0;
  const moved: Record<string, Tensor> = {};
  const change = (end: string, to: (values: readonly number[]) => readonly number[]): void => {
    const value = example[`${name}/${end}`];
    if (!isNumbers(value)) return;
    moved[`${name}/${end}`] = { data: Float32Array.from(to(Array.from(value.data))), shape: value.shape };
  };
  change('face/matrix', (values) =>
    values.map((value, i) => {
      const isShift = i % 3 === 2;
      return i < 3 ? value * scaleX + (isShift ? shiftX : 0) : value * scaleY + (isShift ? shiftY : 0);
    }),
  );
  change('landmarks', (values) => {
    const points = values.map((value, i) =>
      i % 2 === 0 ? value * scaleX + shiftX : value * scaleY + shiftY,
    );
    return isMirrored ? leftForRight(points, `${name}/landmarks`) : points;
  });
  if (!isMirrored) return moved;
  change('face/landmarks', (values) => leftForRight(values, `${name}/face/landmarks`));
  // Not −value: zero would become −0.
  change('face/pose', ([roll = 0, yaw = 0, ...rest]) => [0 - roll, 0 - yaw, ...rest]);
  return moved;
}

/** For each of the five points the one that takes its name in a mirrored picture. */
const MIRRORED = LANDMARK_NAMES.map((name) => {
  const other = name.startsWith('left') ? name.replace('left', 'right') : name.replace('right', 'left');
  return (LANDMARK_NAMES as readonly string[]).indexOf(other);
});

/** @throws RangeError where the points are not LANDMARK_NAMES: which of others are a pair, nobody says. */
function leftForRight(points: readonly number[], feature: string): readonly number[] {
  if (points.length !== 2 * MIRRORED.length)
    throw new RangeError(
      `${feature} has ${points.length / 2} points, not the ${MIRRORED.length} that can be mirrored`,
    );
  return MIRRORED.flatMap((from) => points.slice(2 * from, 2 * from + 2));
}

function isPicture(value: DecodedValue): value is Picture {
  return isTensor(value) && value.data instanceof Uint8Array && value.shape.length === 3;
}

function isNumbers(value: DecodedValue): value is Tensor<Float32Array> {
  return isTensor(value) && value.data instanceof Float32Array;
}
