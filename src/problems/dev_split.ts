/** Cuts a dev split out of rows that share images, so that no image is on both sides and few rows are lost. */

import { seededPermutation } from '../io/random.js';

/** Where a row of the train file goes. */
export type Side = 'train' | 'dev' | 'shared' | 'straddling';

const SIDES: readonly Side[] = ['train', 'dev', 'shared', 'straddling'];

export interface SplitCut {
  readonly rows: Readonly<Record<Side, number>>;
  /** The side of a row: `shared` has an image of the test set, `straddling` has images on both sides of the cut. */
  sideOf(row: number): Side;
}

export interface DevSplitOptions {
  /** Image numbers, `perRow` of them a row. */
  readonly images: Uint32Array;
  readonly perRow: number;
  /** Images are numbered 0 … imageCount − 1. */
  readonly imageCount: number;
  /** 1 for an image that the test set holds too. */
  readonly inTest: Uint8Array;
  /** Fraction of the rows that dev should get. */
  readonly fraction: number;
  /** Largest fraction of the rows that may be lost between the two sides. */
  readonly maxLoss: number;
  readonly seed: string;
}

/**
 * Grows a set of dev images from a seeded start: next comes always the image of which the largest part of the rows
 * already touches the set, since it costs least. Rows whose images are all in the set are dev, rows with none are
 * train, the others are lost. Growing stops when dev has its fraction; of all the sets on the way, the one with most dev
 * rows within `maxLoss` is taken. Drawing images by hash instead would keep f³ of the triplets for a fraction f of the
 * images, and lose 1 − f³ − (1 − f)³ of them.
 */
export function cutDevSplit(options: DevSplitOptions): SplitCut {
  const { images, perRow, imageCount, inTest } = options;
  const rowCount = images.length / perRow;
  const codes = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row++)
    for (let i = row * perRow; i < (row + 1) * perRow; i++)
      if (inTest[images[i] as number] === 1) codes[row] = SIDES.indexOf('shared');

  const { starts, rowsOf } = rowsByImage(images, perRow, imageCount, codes);
  const order = growDevSet(options, starts, rowsOf, rowCount);
  const chosen = new Uint8Array(imageCount);
  for (const image of order) chosen[image] = 1;
  const counts = [0, 0, 0, 0];
  for (let row = 0; row < rowCount; row++) {
    if (codes[row] === 0) {
      let inside = 0;
      for (let i = row * perRow; i < (row + 1) * perRow; i++) inside += chosen[images[i] as number] as number;
      codes[row] = SIDES.indexOf(inside === 0 ? 'train' : inside === perRow ? 'dev' : 'straddling');
    }
    counts[codes[row] as number]! += 1;
  }
  const [train, dev, shared, straddling] = counts as [number, number, number, number];
  return {
    rows: { train, dev, shared, straddling },
    sideOf: (row) => SIDES[codes[row] as number] as Side,
  };
}

/** For each image the rows that hold it, as one array cut by `starts`; rows shared with the test set are left out. */
function rowsByImage(images: Uint32Array, perRow: number, imageCount: number, codes: Uint8Array) {
  const starts = new Uint32Array(imageCount + 1);
  for (let i = 0; i < images.length; i++)
    if (codes[(i / perRow) | 0] === 0) starts[(images[i] as number) + 1]! += 1;
  for (let image = 0; image < imageCount; image++) starts[image + 1]! += starts[image] as number;
  const next = starts.slice(0, imageCount);
  const rowsOf = new Uint32Array(starts[imageCount] as number);
  for (let i = 0; i < images.length; i++)
    if (codes[(i / perRow) | 0] === 0) rowsOf[next[images[i] as number]!++] = (i / perRow) | 0;
  return { starts, rowsOf };
}

/** The images of the best set on the way, in the order in which they were taken. */
function growDevSet(
  options: DevSplitOptions,
  starts: Uint32Array,
  rowsOf: Uint32Array,
  rowCount: number,
): Uint32Array {
  const { images, perRow, imageCount } = options;
  const target = Math.round(options.fraction * rowCount);
  const allowed = options.maxLoss * rowCount;
  const shuffled = seededPermutation(imageCount, options.seed);
  const rank = new Uint32Array(imageCount);
  for (let i = 0; i < imageCount; i++) rank[shuffled[i] as number] = i;
  const chosen = new Uint8Array(imageCount);
  const touched = new Uint32Array(imageCount);
  const insideRow = new Uint8Array(rowCount);
  const heap = new ImageHeap((image) => {
    const degree = (starts[image + 1] as number) - (starts[image] as number);
    return (touched[image] as number) / degree + (1 - (rank[image] as number) / imageCount) * 1e-9;
  });
  const taken: number[] = [];
  let bestLength = 0;
  let bestDev = 0;
  let dev = 0;
  let straddling = 0;
  let nextStart = 0;
  while (dev < target && taken.length < imageCount) {
    let image = heap.pop();
    while (image !== undefined && chosen[image] === 1) image = heap.pop();
    if (image === undefined) {
      while (nextStart < imageCount && chosen[shuffled[nextStart] as number] === 1) nextStart++;
      if (nextStart === imageCount) break;
      image = shuffled[nextStart] as number;
    }
    chosen[image] = 1;
    taken.push(image);
    for (let i = starts[image] as number; i < (starts[image + 1] as number); i++) {
      const row = rowsOf[i] as number;
      const inside = ++insideRow[row]!;
      if (inside === 1) {
        straddling++;
        for (let j = row * perRow; j < (row + 1) * perRow; j++) {
          const neighbour = images[j] as number;
          if (chosen[neighbour] === 1) continue;
          touched[neighbour]! += 1;
          heap.push(neighbour);
        }
      }
      if (inside === perRow) {
        straddling--;
        dev++;
      }
    }
    if (straddling <= allowed && dev > bestDev) {
      bestDev = dev;
      bestLength = taken.length;
    }
  }
  return Uint32Array.from(taken.slice(0, bestLength));
}

/** A binary max-heap of images by a score that only grows: an image is pushed anew when its score has grown. */
class ImageHeap {
  private readonly items: number[] = [];
  private readonly scores: number[] = [];

  private readonly score: (image: number) => number;

  constructor(score: (image: number) => number) {
    this.score = score;
  }

  push(image: number): void {
    const score = this.score(image);
    let at = this.items.length;
    this.items.push(image);
    this.scores.push(score);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.scores[parent] as number) >= score) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): number | undefined {
    const top = this.items[0];
    if (top === undefined) return undefined;
    const lastItem = this.items.pop() as number;
    const lastScore = this.scores.pop() as number;
    if (this.items.length > 0) {
      this.items[0] = lastItem;
      this.scores[0] = lastScore;
      this.sink();
    }
    return top;
  }

  private sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.items.length) return;
      const right = left + 1;
      const child =
        right < this.items.length && (this.scores[right] as number) > (this.scores[left] as number)
          ? right
          : left;
      if ((this.scores[child] as number) <= (this.scores[at] as number)) return;
      this.swap(at, child);
      at = child;
    }
  }

  private swap(i: number, j: number): void {
    const item = this.items[i] as number;
    const score = this.scores[i] as number;
    this.items[i] = this.items[j] as number;
    this.scores[i] = this.scores[j] as number;
    this.items[j] = item;
    this.scores[j] = score;
  }
}
