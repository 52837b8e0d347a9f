/** Brightness from red, green and blue: one formula for everything here that looks at brightness alone. */

import type { RgbImage } from './face.js';

/** Luma of every pixel, 0 … 255, row after row: ITU-R BT.601's 0.299 R + 0.587 G + 0.114 B of the bytes as stored. */
export function lumaOf({ data }: RgbImage): Float64Array {
  const luma = new Float64Array(data.length / 3);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3) luma[i] = lumaThousandths(data, at) / 1000;
  return luma;
}

/** A thousand times the luma of the pixel at a byte: a whole number, so that a grey pixel's luma is exactly its value. */
export function lumaThousandths(data: Uint8Array, at: number): number {
  return 299 * (data[at] as number) + 587 * (data[at + 1] as number) + 114 * (data[at + 2] as number);
}
