/** How a face's box becomes a square crop without its pixels being stretched: a margin, a size, and what lies outside. */

import type { Similarity } from './align.js';
import type { PixelBox, RgbImage } from './face.js';
import type { Surroundings } from './shrink.js';
import { type Crop, resample } from './warp.js';

/** How a box is grown and what becomes of a square that reaches beyond the picture. */
export interface BoxCropSpec {
  /** By how much the box's longer side is grown: 0.15 makes the square's side 15 % longer; at least 0. */
  readonly margin: number;
  /** Side of the crop in pixels. */
  readonly size: number;
  /**
   * `clip`: the square is pushed inside the picture, and made no larger than the picture's shorter side.
   * `pad`: the square stays, and is filled where there is no picture.
   */
  readonly outside: 'clip' | 'pad';
  /** What is around the picture, for `pad`. */
  readonly fill: Surroundings;
}

/**
 * The square around a box, scaled to one size.
 * @throws RangeError where `cropSquare` has no square, or the size isn't a whole number of at least 1.
 */
export function cropBox(image: RgbImage, box: PixelBox, spec: BoxCropSpec): Crop {
  const square = cropSquare(image, box, spec);
  if (square === undefined)
    throw new RangeError(`box ${JSON.stringify(box)} in ${image.width} × ${image.height} pixels`);
  const matrix = squareToCrop(square, spec.size);
  return {
    image: resample(image, matrix, spec.size, spec.outside === 'clip' ? 'edge' : spec.fill),
    matrix,
  };
}

/**
 * The square that `cropBox` takes, by its edges as boxes have them: its centre is the box's, its side the box's longer one
 * and the margin, as far as `outside` lets it. Undefined where the box is empty, not finite or shows nothing of the picture.
 */
export function cropSquare(
  picture: { readonly width: number; readonly height: number },
  box: PixelBox,
  { margin, outside }: Pick<BoxCropSpec, 'margin' | 'outside'>,
): PixelBox | undefined {
  const { left, top, width, height } = box;
  const isSeen = left + width > 0 && top + height > 0 && left < picture.width && top < picture.height;
  if (!(width > 0 && height > 0 && isSeen)) return undefined;
  const wanted = Math.max(width, height) * (1 + margin);
  if (!Number.isFinite(left + top + wanted)) return undefined;
  const side = outside === 'clip' ? Math.min(wanted, picture.width, picture.height) : wanted;
  const place = (centre: number, extent: number): number =>
    outside === 'clip' ? Math.max(0, Math.min(centre - side / 2, extent - side)) : centre - side / 2;
  return {
    left: place(left + width / 2, picture.width),
    top: place(top + height / 2, picture.height),
    width: side,
    height: side,
  };
}

/** Edges of the square to edges of the crop; pixel centres, which the matrix maps, are half a pixel further in. */
function squareToCrop(square: PixelBox, size: number): Similarity {
  const scale = size / square.width;
  return {
    a: scale,
    b: 0,
    tx: (0.5 - square.left) * scale - 0.5,
    ty: (0.5 - square.top) * scale - 0.5,
  };
}
