/** Makes a picture smaller by a whole factor, each pixel the mean of a block: what must precede sampling at points. */

import type { PixelBox, RgbImage } from './face.js';

/** Red, green and blue, 0 … 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** What lies around a picture: one colour without end, or `edge`: its own outermost pixels, repeated. */
export type Surroundings = Rgb | 'edge';

/** A part of a shrunk picture. */
export interface Shrunk {
  readonly image: RgbImage;
  /** Which block of the whole shrunk picture the top-left pixel is. */
  readonly column: number;
  readonly row: number;
}

/**
 * Means over blocks of `factor` × `factor` pixels, rounded to nearest. Blocks are counted from the picture's top-left
 * corner: block k covers pixels factor·k … factor·k + factor − 1, so its centre is at factor·k + (factor − 1) ⁄ 2. The
 * last blocks reach beyond the picture where its sides are no multiples, and take in its surroundings there.
 * @param region only blocks that this rectangle of the picture touches are made (at least one), each as it would be in
 *   the whole.
 * @throws RangeError where `factor` isn't a whole number of at least 1.
 */
export function shrink(
  image: RgbImage,
  factor: number,
  surroundings: Surroundings,
  region: PixelBox = { left: 0, top: 0, width: image.width, height: image.height },
): Shrunk {
  if (!(Number.isInteger(factor) && factor >= 1))
    throw new RangeError(`factor ${factor} is not a whole number of at least 1`);
  const columns = blocksTouched(region.left, region.width, image.width, factor);
  const rows = blocksTouched(region.top, region.height, image.height, factor);
  const data = new Uint8Array(columns.count * rows.count * 3);
  const sums = new Float64Array(columns.count * 3);
  for (let row = 0; row < rows.count; row++) {
    sums.fill(0);
    const top = (rows.first + row) * factor;
    const bottom = Math.min(top + factor, image.height);
    for (let y = top; y < bottom; y++) {
      // The picture's last row counts once for itself and once for each row that is missing below it.
      const weight = surroundings === 'edge' && y === image.height - 1 ? top + factor - y : 1;
      addRow(image, { y, weight, factor, first: columns.first, count: columns.count }, surroundings, sums);
    }
    const missing = surroundings === 'edge' ? 0 : top + factor - bottom;
    for (let i = 0; i < sums.length; i++) {
      const outside = missing === 0 ? 0 : missing * factor * ((surroundings as Rgb)[i % 3] as number);
      data[row * sums.length + i] = ((sums[i] as number) + outside) / (factor * factor) + 0.5;
    }
  }
  return {
    image: { width: columns.count, height: rows.count, data },
    column: columns.first,
    row: rows.first,
  };
}

/** The blocks that a stretch of one axis touches, within those that the picture has. */
function blocksTouched(start: number, length: number, extent: number, factor: number) {
  const last = Math.ceil(extent / factor) - 1;
  const within = (block: number) => Math.max(0, Math.min(block, last));
  const first = within(Math.floor(start / factor));
  return { first, count: within(Math.ceil((start + length) / factor) - 1) - first + 1 };
}

interface RowOfBlocks {
  readonly y: number;
  readonly weight: number;
  readonly factor: number;
  readonly first: number;
  readonly count: number;
}

/** Adds one row of pixels, `weight` times, to the sums of the blocks that it runs through. */
function addRow(image: RgbImage, row: RowOfBlocks, surroundings: Surroundings, sums: Float64Array): void {
  const { width, data } = image;
  const { y, weight, factor, first, count } = row;
  let at = (y * width + first * factor) * 3;
  for (let block = 0; block < count; block++) {
    const left = (first + block) * factor;
    const inside = Math.min(factor, width - left);
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let i = 0; i < inside; i++, at += 3) {
      red += data[at] as number;
      green += data[at + 1] as number;
      blue += data[at + 2] as number;
    }
    const missing = factor - inside;
    if (missing > 0) {
      const colour = surroundings === 'edge' ? data.subarray(at - 3, at) : surroundings;
      red += missing * (colour[0] as number);
      green += missing * (colour[1] as number);
      blue += missing * (colour[2] as number);
    }
    sums[block * 3]! += weight * red;
    sums[block * 3 + 1]! += weight * green;
    sums[block * 3 + 2]! += weight * blue;
  }
}
