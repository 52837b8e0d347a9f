/** The turned square of a picture in which a net looks at one face, and the way from its pixels back to the picture's. */

import { apply, invert, type Similarity } from './align.js';
import type { Landmarks, PixelBox, Point, RgbImage } from './face.js';
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
  /** Red, green and blue from `low` (black) to 1 (white), row after row. */
  readonly numbers: Float32Array;
  /** From pixels of the view to pixels of the picture. */
  readonly toPicture: Similarity;
}

/** The square around a face: `factor` times the longer side of its box. */
export function squareOf(box: PixelBox, angle: number, factor: number): FaceSquare {
  return {
    centre: { x: box.left + box.width / 2 - 0.5, y: box.top + box.height / 2 - 0.5 },
    side: Math.max(box.width, box.height) * factor,
    angle,
  };
}

/** By how much a face is turned clockwise, in radians: the direction from its left to its right eye, as seen in the picture. */
export function angleOf(leftEye: Point, rightEye: Point): number {
  return Math.atan2(rightEye.y - leftEye.y, rightEye.x - leftEye.x);
}

/** The same of five points. */
export function angleOfLandmarks({ leftEye, rightEye }: Landmarks): number {
  return angleOf(leftEye, rightEye);
}

/**
 * The square's pixels in `side` × `side`, level; mid-grey where the picture ends, which the nets take for a wall.
 * @param low what black becomes, −1 or 0.
 */
export function viewSquare(image: RgbImage, square: FaceSquare, side: number, low: -1 | 0): SquareView {
  const scale = side / square.side;
  const a = scale * Math.cos(square.angle);
  const b = -scale * Math.sin(square.angle);
  const middle = (side - 1) / 2;
  const { x, y } = square.centre;
  const matrix = { a, b, tx: middle - a * x + b * y, ty: middle - b * x - a * y };
  const { data } = resample(image, matrix, side, [128, 128, 128]);
  const numbers = new Float32Array(data.length);
  const step = (1 - low) / 255;
  for (let i = 0; i < data.length; i++) numbers[i] = low + step * (data[i] as number);
  return { numbers, toPicture: invert(matrix) };
}

/** A box of the view as an upright box of the picture: as large, around the same centre. */
export function boxInPicture(box: PixelBox, toPicture: Similarity): PixelBox {
  const scale = Math.hypot(toPicture.a, toPicture.b);
  const centre = apply(toPicture, {
    x: box.left + box.width / 2 - 0.5,
    y: box.top + box.height / 2 - 0.5,
  });
  const width = box.width * scale;
  const height = box.height * scale;
  return { left: centre.x + 0.5 - width / 2, top: centre.y + 0.5 - height / 2, width, height };
}
