/** Brings a picture to another size without aliasing, and cuts squares out of it as a net wants them. */

import type { RgbImage } from './face.js';

/**
 * The picture in `width` × `height` pixels. Where an axis shrinks, a pixel is the mean of the stretch that it covers, in
 * proportion; where it grows, it is interpolated between its two neighbours. Rounded to nearest.
 * @throws RangeError where a side isn't a whole number of at least 1.
 */
export function resize(image: RgbImage, width: number, height: number): RgbImage {
  for (const side of [width, height])
    if (!(Number.isInteger(side) && side >= 1))
      throw new RangeError(`side ${side} is no whole number above 0`);
  if (width === image.width && height === image.height) return image;
  const across = weightsOf(image.width, width);
  const down = weightsOf(image.height, height);
  const data = new Uint8Array(width * height * 3);
  const sums = new Float32Array(width * 3);
  // Rows made narrower are needed once more where the picture grows, and by both neighbours at a boundary.
  const rows = new Map<number, Float32Array>();
  for (let row = 0; row < height; row++) {
    const first = down.first[row] as number;
    sums.fill(0);
    for (let tap = 0; tap < down.taps; tap++) {
      const weight = down.weights[row * down.taps + tap] as number;
      if (weight === 0) continue;
      let narrow = rows.get(first + tap);
      if (narrow === undefined) {
        narrow = narrowRow(image, first + tap, across, width);
        rows.set(first + tap, narrow);
      }
      for (let i = 0; i < sums.length; i++) sums[i]! += weight * (narrow[i] as number);
    }
    const at = row * sums.length;
    for (let i = 0; i < sums.length; i++) data[at + i] = (sums[i] as number) + 0.5;
    const next = down.first[row + 1] ?? Number.POSITIVE_INFINITY;
    for (const y of rows.keys()) if (y < next) rows.delete(y);
  }
  return { width, height, data };
}

/** For each of the new pixels: the first of the old ones that count, and `taps` weights, which sum to 1. */
interface Weights {
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

function weightsOf(from: number, to: number): Weights {
  const step = from / to;
  const taps = Math.min(from, step > 1 ? Math.ceil(step) + 1 : 2);
  const first = new Int32Array(to);
  const weights = new Float32Array(to * taps);
  for (let i = 0; i < to; i++) {
    const start = step > 1 ? i * step : (i + 0.5) * step - 0.5;
    first[i] = Math.max(0, Math.min(Math.floor(start), from - taps));
    for (let tap = 0; tap < taps; tap++) {
      const old = (first[i] as number) + tap;
      const share =
        step > 1
          ? Math.max(0, Math.min(old + 1, start + step) - Math.max(old, start)) / step
          : Math.max(0, 1 - Math.abs(Math.max(0, Math.min(start, from - 1)) - old));
      weights[i * taps + tap] = share;
    }
  }
  return { taps, first, weights };
}

function narrowRow(
  { data, width: oldWidth }: RgbImage,
  y: number,
  across: Weights,
  width: number,
): Float32Array {
  const narrow = new Float32Array(width * 3);
  const start = y * oldWidth * 3;
  for (let column = 0; column < width; column++) {
    let at = start + (across.first[column] as number) * 3;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let tap = column * across.taps; tap < (column + 1) * across.taps; tap++, at += 3) {
      const weight = across.weights[tap] as number;
      red += weight * (data[at] as number);
      green += weight * (data[at + 1] as number);
      blue += weight * (data[at + 2] as number);
    }
    narrow[column * 3] = red;
    narrow[column * 3 + 1] = green;
    narrow[column * 3 + 2] = blue;
  }
  return narrow;
}

/**
 * A square of the picture as numbers of −1 (black) to 1 (white), 0 outside the picture: row after row, red, green and blue.
 * @param left may be negative, as `top`, and the square may reach beyond the picture.
 */
export function squareNumbers(image: RgbImage, left: number, top: number, side: number): Float32Array {
  const numbers = new Float32Array(side * side * 3);
  const start = Math.max(0, -left);
  const end = Math.min(side, image.width - left);
  for (let row = Math.max(0, -top); row < Math.min(side, image.height - top); row++) {
    let from = ((top + row) * image.width + left + start) * 3;
    for (let i = (row * side + start) * 3; i < (row * side + end) * 3; i++)
      numbers[i] = (image.data[from++] as number) / 127.5 - 1;
  }
  return numbers;
}
