/** The pairs of one person's images that come from different photographs, numbered, so that a number is a pair. */

/**
 * Unordered pairs of images of different photographs. Images are put in the order of their photographs; a pair is its
 * first image and any image behind the first one's photograph.
 */
export class PhotographPairs {
  /** How many pairs there are; exact below 2^53. */
  readonly count: number;
  /** Image numbers in the order of their photographs. */
  private readonly order: Uint32Array;
  /** For each place in `order` the first place behind its photograph. */
  private readonly ends: Uint32Array;
  /** For each place in `order` the number of pairs whose first image stands before it. */
  private readonly before: Float64Array;

  /** @param photographs for each image the number of its photograph */
  constructor(photographs: ArrayLike<number>) {
    const images = photographs.length;
    const photograph = (image: number | undefined): number => photographs[image as number] as number;
    this.order = new Uint32Array(images);
    let isSorted = true;
    for (let i = 0; i < images; i++) {
      this.order[i] = i;
      if (i > 0 && photograph(i) < photograph(i - 1)) isSorted = false;
    }
    if (!isSorted) this.order.sort((a, b) => photograph(a) - photograph(b) || a - b);
    this.ends = new Uint32Array(images);
    for (let place = images - 1; place >= 0; place--) {
      const isLast =
        place === images - 1 || photograph(this.order[place]) !== photograph(this.order[place + 1]);
      this.ends[place] = isLast ? place + 1 : (this.ends[place + 1] as number);
    }
    this.before = new Float64Array(images);
    let count = 0;
    for (let place = 0; place < images; place++) {
      this.before[place] = count;
      count += images - (this.ends[place] as number);
    }
    this.count = count;
  }

  /** The pair of a number from 0 to count − 1: two image numbers. */
  at(number: number): readonly [number, number] {
    if (!(number >= 0 && number < this.count)) throw new RangeError(`pair ${number} of ${this.count}`);
    let low = 0;
    let high = this.before.length - 1;
    // The last place with at most `number` pairs before it; places without pairs stand at the end.
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.before[middle] as number) <= number) low = middle;
      else high = middle - 1;
    }
    const partner = (this.ends[low] as number) + number - (this.before[low] as number);
    return [this.order[low] as number, this.order[partner] as number];
  }
}
