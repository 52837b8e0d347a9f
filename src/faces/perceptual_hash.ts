/** A fingerprint of what a picture looks like: pictures that differ in size, quality or a little light have near ones. */

import type { RgbImage } from './face.js';
import { lumaThousandths } from './luma.js';

/** Side of the grid of lumas, and of the square of its frequencies that is kept. */
const GRID = 32;
const KEPT = 8;

/**
 * The DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.1, as
 * pHash computes it but for the first smoothing, which is an area average here: luma over a 32 × 32 grid, its
 * two-dimensional DCT-II, of that the 8 × 8 lowest frequencies without those of horizontal or vertical frequency 0, a bit
 * each: is it above their median? Row after row, highest bit first, as 16 hexadecimal digits.
 *
 * A picture without structure (one colour; stripes along one axis) has no such frequencies and gets all zeros. Two
 * photographs of different things differ in 32 bits on average; Zauner takes up to a third of that for the same picture.
 */
export function perceptualHash(image: RgbImage): string {
  const coefficients = lowFrequencies(lumaGrid(image));
  const sorted = Float64Array.from(coefficients).sort();
  const median = ((sorted[KEPT * KEPT * 0.5 - 1] as number) + (sorted[KEPT * KEPT * 0.5] as number)) / 2;
  let digits = '';
  for (let i = 0; i < coefficients.length; i += 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++)
      digit = digit * 2 + ((coefficients[i + bit] as number) > median ? 1 : 0);
    digits += digit.toString(16);
  }
  return digits;
}

/**
 * The number of bits in which two hashes differ, 0 … 64.
 * @throws RangeError where one isn't of 16 hexadecimal digits.
 */
export function hammingDistance(a: string, b: string): number {
  const [p, q] = [hashWords(a), hashWords(b)];
  return bitCount(p[0] ^ q[0]) + bitCount(p[1] ^ q[1]);
}

/**
 * A hash as its upper and lower 32 bits.
 * @throws RangeError where it isn't of 16 hexadecimal digits.
 */
export function hashWords(hash: string): readonly [high: number, low: number] {
  if (!/^[0-9a-f]{16}$/i.test(hash))
    throw new RangeError(`hash ${JSON.stringify(hash)}: 16 hexadecimal digits needed`);
  return [Number.parseInt(hash.slice(0, 8), 16), Number.parseInt(hash.slice(8), 16)];
}

/** The number of ones among 32 bits, added up in pairs, fours and bytes (Warren, "Hacker's Delight", section 5-1). */
export function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}

/** Mean luma of each cell of a 32 × 32 grid over the picture; pixels on a cell's edge count for the part inside. */
function lumaGrid(image: RgbImage): Float64Array {
  const { data } = image;
  const columns = gridCells(image.width);
  const rows = gridCells(image.height);
  const grid = new Float64Array(GRID * GRID);
  for (const [i, row] of rows.entries())
    for (const [k, rowWeight] of row.weights.entries()) {
      const start = (row.first + k) * image.width;
      for (const [j, column] of columns.entries()) {
        let sum = 0;
        const { first, weights } = column;
        for (let m = 0, at = 3 * (start + first); m < weights.length; m++, at += 3)
          sum += (weights[m] as number) * lumaThousandths(data, at);
        grid[i * GRID + j]! += (rowWeight * sum) / 1000;
      }
    }
  return grid;
}

interface GridCell {
  readonly first: number;
  /** Of the pixels from `first` on; their sum is 1. */
  readonly weights: Float64Array;
}

function gridCells(length: number): GridCell[] {
  return Array.from({ length: GRID }, (_, cell) => {
    const start = (cell * length) / GRID;
    const end = ((cell + 1) * length) / GRID;
    const first = Math.floor(start);
    const weights = new Float64Array(Math.ceil(end) - first);
    for (let k = 0; k < weights.length; k++)
      weights[k] = ((Math.min(end, first + k + 1) - Math.max(start, first + k)) * GRID) / length;
    return { first, weights };
  });
}

/** Row u − 1, column x: cos(π (2x + 1) u ⁄ 64), the DCT-II's basis for frequencies u = 1 … 8. */
const COSINES = Float64Array.from({ length: KEPT * GRID }, (_, i) => {
  const frequency = Math.floor(i / GRID) + 1;
  return Math.cos((Math.PI * (2 * (i % GRID) + 1) * frequency) / (2 * GRID));
});

/** The coefficients of vertical (rows) and horizontal (columns) frequencies 1 to 8; rounding's leavings are made 0. */
function lowFrequencies(grid: Float64Array): Float64Array {
  const horizontal = new Float64Array(GRID * KEPT);
  for (let y = 0; y < GRID; y++)
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let x = 0; x < GRID; x++)
        sum += (COSINES[u * GRID + x] as number) * (grid[y * GRID + x] as number);
      horizontal[y * KEPT + u] = sum;
    }
  const coefficients = new Float64Array(KEPT * KEPT);
  for (let v = 0; v < KEPT; v++)
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let y = 0; y < GRID; y++)
        sum += (COSINES[v * GRID + y] as number) * (horizontal[y * KEPT + u] as number);
      // A thousand lumas of 255 add up to errors of 1e-10 at most; a grey level in one cell to about 1.
      coefficients[v * KEPT + u] = Math.abs(sum) < 1e-6 ? 0 : sum;
    }
  return coefficients;
}
