/** The turned square of a picture in which a net looks at one face, and the way from its pixels back to the picture's. */

import { compose, invert, type Similarity } from './align.js';
import type { Point } from './face.js';
import type { Halves } from './halves.js';
import { resample } from './warp.js';

/** A square of a picture, turned so that the face in it is upright. */
export interface FaceSquare {
  /** Its middle, in pixels; the centre of the top-left pixel is (0, 0). */
  readonly centre: Point;
  /** In pixels. */
  readonly side: number;
  /** By how much the face is turned clockwise, in radians. */
  readonly angle: number;
}

/** A square's pixels as a net wants them, and how to get back. */
export interface SquareView {
  /** Red, green and blue from `black` to 1 (white), row after row. */
  readonly numbers: Float32Array;
  /** From pixels of the view to pixels of the picture. */
  readonly toPicture: Similarity;
}

/** By how much a face is turned clockwise, in radians: the direction from its left to its right eye, as seen in the picture. */
export function angleOf(leftEye: Point, rightEye: Point): number {
  return Math.atan2(rightEye.y - leftEye.y, rightEye.x - leftEye.x);
}

/**
 * The square's pixels in `side` × `side`, level; mid-grey where the picture has ended.
 * @param black what black becomes: the nets differ in it.
 */
export function viewSquare(halves: Halves, square: FaceSquare, side: number, black: -1 | 0): SquareView {
  const { image, factor } = halves.at(side / square.side);
  const scale = (side * factor) / square.side;
  const a = scale * Math.cos(square.angle);
  const b = -scale * Math.sin(square.angle);
  const middle = (side - 1) / 2;
  const x = (square.centre.x + 0.5) / factor - 0.5;
  const y = (square.centre.y + 0.5) / factor - 0.5;
  const matrix = { a, b, tx: middle - a * x + b * y, ty: middle - b * x - a * y };
  const { data } = resample(image, matrix, side, [128, 128, 128]);
  const step = (1 - black) / 255;
  const numbers = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) numbers[i] = black + step * (data[i] as number);
  const fromHalf = { a: factor, b: 0, tx: (factor - 1) / 2, ty: (factor - 1) / 2 };
  return { numbers, toPicture: compose(fromHalf, invert(matrix)) };
}
