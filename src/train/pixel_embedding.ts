/** Raw pixels as an embedding: what similarity there is before anything was learned. */

import type { Tensor } from '../problems/decoded.js';

/** Grey pixels a side. With 32 the trial on volunteers' expressions came out at chance: pixels are no easy baseline. */
export const PIXEL_SIDE = 32;

/**
 * The picture in grey, shrunk to `side` × `side` by the mean of what each cell covers; 0 … 1, row by row.
 * @param picture height × width × channels (1 or 3), 0 … 255. @throws RangeError for another shape.
 */
export function pixelEmbedding(picture: Tensor<Uint8Array>, side = PIXEL_SIDE): Float32Array {
  const [height, width, channels] = picture.shape;
  if (height === undefined || width === undefined || (channels !== 1 && channels !== 3))
    throw new RangeError(
      `a picture of shape [${picture.shape}]: height, width and 1 or 3 channels are wanted`,
    );
  if (height * width === 0) throw new RangeError('a picture without pixels');
  const across = cells(width, side);
  const down = cells(height, side);
  // Columns first, into height × side sums; then rows.
  const sums = new Float64Array(height * side);
  for (let y = 0; y < height; y++)
    for (const { from, to, weight } of across)
      sums[y * side + to]! += weight * greyAt(picture.data, (y * width + from) * channels, channels);
  const result = new Float64Array(side * side);
  for (const { from, to, weight } of down)
    for (let x = 0; x < side; x++) result[to * side + x]! += weight * sums[from * side + x]!;
  return Float32Array.from(result);
}

/** How much of pixel `from` goes to cell `to`; the weights of a cell add up to 1. */
interface Share {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

function cells(pixels: number, side: number): Share[] {
  const shares: Share[] = [];
  for (let to = 0; to < side; to++) {
    const [start, end] = [(to * pixels) / side, ((to + 1) * pixels) / side];
    for (let from = Math.floor(start); from < end && from < pixels; from++) {
      const covered = Math.min(end, from + 1) - Math.max(start, from);
      if (covered > 0) shares.push({ from, to, weight: covered / (end - start) });
    }
  }
  return shares;
}

/** Luma of ITU-R BT.601, as JPEG has it, over 255. */
function greyAt(data: Uint8Array, at: number, channels: 1 | 3): number {
  if (channels === 1) return data[at]! / 255;
  return (0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!) / 255;
}
