/** A picture and its halves: what is looked at from afar need not be read pixel by pixel again and again. */

import type { RgbImage } from './face.js';

/** A picture shrunk by a power of two: its pixel (x, y) is the mean of the factor × factor pixels from (factor·x, factor·y) on. */
export interface Half {
  readonly image: RgbImage;
  readonly factor: number;
}

/** The picture itself, its half, its quarter …, each made when it is first asked for. */
export class Halves {
  readonly #made: RgbImage[];

  constructor(picture: RgbImage) {
    this.#made = [picture];
  }

  get picture(): RgbImage {
    return this.#made[0] as RgbImage;
  }

  /** The smallest one that need not be enlarged to show the picture at `scale`. */
  at(scale: number): Half {
    let level = 0;
    while (scale * 2 ** (level + 1) <= 1 && this.#sideAt(level) > 1) level++;
    while (this.#made.length <= level) this.#made.push(halve(this.#made.at(-1) as RgbImage));
    return { image: this.#made[level] as RgbImage, factor: 2 ** level };
  }

  #sideAt(level: number): number {
    return Math.max(this.picture.width, this.picture.height) / 2 ** level;
  }
}

/** Each pixel the mean of four, rounded to nearest; a last odd row or column counts twice. */
function halve({ width, height, data }: RgbImage): RgbImage {
  const columns = Math.ceil(width / 2);
  const rows = Math.ceil(height / 2);
  const half = new Uint8Array(columns * rows * 3);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const upper = row * 2 * width * 3;
    const lower = row * 2 + 1 < height ? upper + width * 3 : upper;
    for (let column = 0; column < columns; column++) {
      const left = column * 6;
      const right = column * 2 + 1 < width ? left + 3 : left;
      for (let channel = 0; channel < 3; channel++) {
        const sum =
          (data[upper + left + channel] as number) +
          (data[upper + right + channel] as number) +
          (data[lower + left + channel] as number) +
          (data[lower + right + channel] as number);
        half[at++] = (sum + 2) >> 2;
      }
    }
  }
  return { width: columns, height: rows, data: half };
}
