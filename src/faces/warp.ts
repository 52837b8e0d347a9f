/** How a crop's pixels are sampled from a picture under a similarity: bilinear, exact at the borders, free of aliasing. */

import {
  alignmentOf,
  compose,
  invert,
  type Similarity,
  scaleOf,
  TEMPLATES,
  type TemplateName,
} from './align.js';
import type { Landmarks, PixelBox, RgbImage } from './face.js';
import { type Rgb, type Surroundings, shrink } from './shrink.js';

/** A crop and how it came about. */
export interface Crop {
  readonly image: RgbImage;
  /** From pixels of the original picture to pixels of the crop. */
  readonly matrix: Similarity;
}

/** Sides in pixels; one number for a square. */
export type CropSize = number | { readonly width: number; readonly height: number };

/**
 * The face brought to a template: `resample` under `alignmentOf`.
 * @throws DegeneratePointsError where the landmarks fix no transform.
 */
export function alignedCrop(
  image: RgbImage,
  landmarks: Landmarks,
  template: TemplateName,
  { fill }: { readonly fill: Surroundings },
): Crop {
  const matrix = alignmentOf(landmarks, template);
  return { image: resample(image, matrix, TEMPLATES[template].size, fill), matrix };
}

/**
 * The crop under a matrix of any scale. Below a half, bilinear sampling would skip pixels and show what isn't there, so
 * the part of the picture that is seen is first shrunk by the whole factor that leaves a scale over 1/2 and up to 1.
 * @param matrix from pixels of the picture, as it is given here, to pixels of the crop.
 * @throws RangeError as `warp` does.
 */
export function resample(
  image: RgbImage,
  matrix: Similarity,
  size: CropSize,
  surroundings: Surroundings,
): RgbImage {
  const factor = Math.floor(1 / scaleOf(matrix));
  if (!(factor >= 2 && Number.isFinite(factor))) return warp(image, matrix, size, surroundings);
  const { image: small, column, row } = shrink(image, factor, surroundings, seenRegion(matrix, size, factor));
  const middle = (factor - 1) / 2;
  const fromSmall = { a: factor, b: 0, tx: factor * column + middle, ty: factor * row + middle };
  return warp(small, compose(matrix, fromSmall), size, surroundings);
}

/**
 * Each pixel of the crop is the bilinear mean of the four pixels of the picture around the point from which it comes,
 * rounded to nearest; pixel centres are at whole numbers. Beyond its pixels the picture goes on as its surroundings
 * say, so a sample near the border mixes picture and fill in proportion. Nothing is averaged: see `resample` for
 * scales below a half.
 * @param matrix from pixels of the picture to pixels of the crop.
 * @throws RangeError where the matrix can't be inverted, the size isn't of whole numbers of at least 1, or the picture
 *   holds another number of bytes than its sides say.
 */
export function warp(
  image: RgbImage,
  matrix: Similarity,
  size: CropSize,
  surroundings: Surroundings,
): RgbImage {
  const { width, height } = sidesOf(size);
  const back = invert(matrix);
  for (const value of [back.a, back.b, back.tx, back.ty])
    if (!Number.isFinite(value)) throw new RangeError(`matrix ${JSON.stringify(matrix)} can't be inverted`);
  if (image.data.length !== image.width * image.height * 3 || image.data.length === 0)
    throw new RangeError(`${image.data.length} bytes are no ${image.width} × ${image.height} picture`);
  const data = new Uint8Array(width * height * 3);
  const source = image.data;
  const stride = image.width * 3;
  const lastX = image.width - 1;
  const lastY = image.height - 1;
  const borderPixel = surroundings === 'edge' ? repeatEdge(image) : mixWithFill(image, surroundings);
  let at = 0;
  for (let row = 0; row < height; row++) {
    const startX = back.tx - back.b * row;
    const startY = back.ty + back.a * row;
    for (let column = 0; column < width; column++, at += 3) {
      // Not summed up step by step: rounding errors would grow along the row.
      const x = startX + back.a * column;
      const y = startY + back.b * column;
      if (!(x >= 0 && x < lastX && y >= 0 && y < lastY)) {
        borderPixel(x, y, data, at);
        continue;
      }
      const left = x | 0;
      const top = y | 0;
      const fx = x - left;
      const fy = y - top;
      const w11 = fx * fy;
      const w01 = fx - w11;
      const w10 = fy - w11;
      const w00 = 1 - fx - w10;
      const p = top * stride + left * 3;
      const q = p + stride;
      data[at] =
        w00 * (source[p] as number) +
        w01 * (source[p + 3] as number) +
        w10 * (source[q] as number) +
        w11 * (source[q + 3] as number) +
        0.5;
      data[at + 1] =
        w00 * (source[p + 1] as number) +
        w01 * (source[p + 4] as number) +
        w10 * (source[q + 1] as number) +
        w11 * (source[q + 4] as number) +
        0.5;
      data[at + 2] =
        w00 * (source[p + 2] as number) +
        w01 * (source[p + 5] as number) +
        w10 * (source[q + 2] as number) +
        w11 * (source[q + 5] as number) +
        0.5;
    }
  }
  return { width, height, data };
}

function sidesOf(size: CropSize): { readonly width: number; readonly height: number } {
  const sides = typeof size === 'number' ? { width: size, height: size } : size;
  for (const side of [sides.width, sides.height])
    if (!(Number.isInteger(side) && side >= 1))
      throw new RangeError(`a crop of ${sides.width} × ${sides.height} pixels`);
  return sides;
}

/** The rectangle of the picture in which the crop's samples lie, with what their neighbours among blocks need. */
function seenRegion(matrix: Similarity, size: CropSize, factor: number): PixelBox {
  const { width, height } = sidesOf(size);
  const back = invert(matrix);
  const xs = [0, back.a * (width - 1)].flatMap((x) => [x, x - back.b * (height - 1)]);
  const ys = [0, back.b * (width - 1)].flatMap((y) => [y, y + back.a * (height - 1)]);
  const left = back.tx + Math.min(...xs) - factor;
  const top = back.ty + Math.min(...ys) - factor;
  return {
    left,
    top,
    width: back.tx + Math.max(...xs) + factor + 1 - left,
    height: back.ty + Math.max(...ys) + factor + 1 - top,
  };
}

/** Writes the sample at x, y to `data` at `at`. */
type SamplePixel = (x: number, y: number, data: Uint8Array, at: number) => void;

/** The sample where some of the four pixels, or all, are of the colour that surrounds the picture. */
function mixWithFill({ width, height, data: source }: RgbImage, fill: Rgb): SamplePixel {
  const pixel = (x: number, y: number, channel: number): number =>
    x >= 0 && x < width && y >= 0 && y < height
      ? (source[(y * width + x) * 3 + channel] as number)
      : (fill[channel] as number);
  return (x, y, data, at) => {
    if (!(x > -1 && x < width && y > -1 && y < height)) {
      for (let channel = 0; channel < 3; channel++) data[at + channel] = (fill[channel] as number) + 0.5;
      return;
    }
    const left = Math.floor(x);
    const top = Math.floor(y);
    const fx = x - left;
    const fy = y - top;
    for (let channel = 0; channel < 3; channel++) {
      const upper = (1 - fx) * pixel(left, top, channel) + fx * pixel(left + 1, top, channel);
      const lower = (1 - fx) * pixel(left, top + 1, channel) + fx * pixel(left + 1, top + 1, channel);
      data[at + channel] = (1 - fy) * upper + fy * lower + 0.5;
    }
  };
}

/** The sample where the picture's outermost pixels go on for ever. */
function repeatEdge({ width, height, data: source }: RgbImage): SamplePixel {
  return (x, y, data, at) => {
    const insideX = Math.max(0, Math.min(x, width - 1));
    const insideY = Math.max(0, Math.min(y, height - 1));
    const left = insideX | 0;
    const top = insideY | 0;
    const fx = insideX - left;
    const fy = insideY - top;
    const p = (top * width + left) * 3;
    const q = top < height - 1 ? p + width * 3 : p;
    const right = left < width - 1 ? 3 : 0;
    for (let channel = 0; channel < 3; channel++) {
      const upper = (1 - fx) * (source[p + channel] as number) + fx * (source[p + right + channel] as number);
      const lower = (1 - fx) * (source[q + channel] as number) + fx * (source[q + right + channel] as number);
      data[at + channel] = (1 - fy) * upper + fy * lower + 0.5;
    }
  };
}
