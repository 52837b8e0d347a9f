/**
 * A histogram of numbers whose range nobody knows beforehand, of constant size: where they don't fit, bins are joined two by
 * two. Its bins depend on the numbers alone, not on their order or on who counted which.
 */

/** Plain data, so that it crosses to another thread; changed in place by `count` and `mergeHistogram`. */
export interface DyadicHistogram {
  /** Bins are 2^exponent wide; bin i holds values from i · 2^exponent up to, not including, (i + 1) · 2^exponent. */
  exponent: number;
  /** The lowest and the highest bin in use; `first` is above `last` where nothing was counted. */
  first: number;
  last: number;
  /** `counts[i]` is that of bin `first + i`. */
  counts: Float64Array;
}

/** Resolution: numbers spread over this many bins at most, over half as many at least. */
const BINS = 2048;

/** Numbers that differ by less than a trillionth are one to us. */
const LEAST_EXPONENT = -40;

/** @param kind `whole` where all values are whole numbers: no bin is then narrower than 1 */
export function noHistogram(kind: 'any' | 'whole' = 'any'): DyadicHistogram {
  return {
    exponent: kind === 'whole' ? 0 : LEAST_EXPONENT,
    first: 0,
    last: -1,
    counts: new Float64Array(BINS),
  };
}

/** Counts the finite ones of some values, which lie between `least` and `greatest`. */
export function count(
  histogram: DyadicHistogram,
  values: ArrayLike<number>,
  range: { readonly least: number; readonly greatest: number },
): void {
  if (!(range.least <= range.greatest)) return;
  const { exponent: before } = histogram;
  cover(histogram, before, binOf(range.least, 2 ** -before), binOf(range.greatest, 2 ** -before));
  const { first, counts, exponent } = histogram;
  const scale = 2 ** -exponent;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) counts[binOf(value, scale) - first]! += 1;
  }
}

/** A number below 0 that is too small for the product to be anything but 0 is in the bin below 0 all the same. */
function binOf(value: number, scale: number): number {
  const bin = Math.floor(value * scale);
  return bin === 0 && value < 0 ? -1 : bin;
}

export function mergeHistogram(into: DyadicHistogram, other: Readonly<DyadicHistogram>): void {
  if (other.first > other.last) return;
  cover(into, other.exponent, other.first, other.last);
  const shift = 2 ** (into.exponent - other.exponent);
  forEachUsed(other, (bin, times) => {
    into.counts[Math.floor(bin / shift) - into.first]! += times;
  });
}

/** A histogram as it is reported: of the middle of the numbers, so that a few wild ones do not flatten it. */
export interface ReportedHistogram {
  /** Where the first bin begins, and how wide each is. */
  readonly from: number;
  readonly width: number;
  readonly counts: readonly number[];
  /** How many lie below the first bin and above the last. */
  readonly below: number;
  readonly above: number;
}

/**
 * At most `maxBins` bins over what is left when up to `tail` of the numbers is cut at each end; undefined where nothing was
 * counted.
 */
export function reportHistogram(
  { exponent, first, last, counts }: Readonly<DyadicHistogram>,
  { maxBins, tail }: { readonly maxBins: number; readonly tail: number },
): ReportedHistogram | undefined {
  if (first > last) return undefined;
  const used = counts.subarray(0, last - first + 1);
  const total = used.reduce((sum, each) => sum + each, 0);
  let [low, high, below, above] = [0, used.length - 1, 0, 0];
  while (low < high && below + (used[low] as number) <= tail * total) below += used[low++] as number;
  while (high > low && above + (used[high] as number) <= tail * total) above += used[high--] as number;
  let factor = 1;
  const joined = (i: number): number => Math.floor((first + i) / factor);
  while (joined(high) - joined(low) >= maxBins) factor *= 2;
  const start = joined(low);
  const bins = new Array<number>(joined(high) - start + 1).fill(0);
  for (let i = low; i <= high; i++) if (used[i] !== 0) bins[joined(i) - start]! += used[i] as number;
  const width = 2 ** exponent * factor;
  return { from: start * width, width, counts: bins, below, above };
}

/**
 * Below which value the given parts of the numbers lie, to the width of a bin (of whole numbers 1 wide: exact). Empty where
 * nothing was counted.
 */
export function quantiles(
  { exponent, first, last, counts }: Readonly<DyadicHistogram>,
  parts: readonly number[],
): number[] {
  if (first > last) return [];
  const total = counts.reduce((sum, each) => sum + each, 0);
  return parts.map((part) => {
    let below = 0;
    let i = 0;
    while (i < last - first && below + (counts[i] as number) < part * total) below += counts[i++] as number;
    const bin = first + i;
    return exponent === 0 ? bin : (bin + 0.5) * 2 ** exponent;
  });
}

/** Makes room for bins `low` to `high` of width 2^exponent, joining bins until all are fewer than `BINS`. */
function cover(histogram: DyadicHistogram, exponent: number, low: number, high: number): void {
  const isEmpty = histogram.first > histogram.last;
  let target = Math.max(histogram.exponent, exponent);
  // The zero added makes 0 of −0, so that equal histograms are equal in every sense.
  const at = (bin: number, of: number): number => Math.floor(bin / 2 ** (target - of)) + 0;
  const lowest = (): number =>
    isEmpty ? at(low, exponent) : Math.min(at(low, exponent), at(histogram.first, histogram.exponent));
  const highest = (): number =>
    isEmpty ? at(high, exponent) : Math.max(at(high, exponent), at(histogram.last, histogram.exponent));
  while (highest() - lowest() >= BINS) target += 1;
  const [first, last] = [lowest(), highest()];
  if (target === histogram.exponent && first === histogram.first && last <= first + BINS - 1) {
    histogram.last = last;
    return;
  }
  const counts = new Float64Array(BINS);
  forEachUsed(histogram, (bin, times) => {
    counts[at(bin, histogram.exponent) - first]! += times;
  });
  histogram.exponent = target;
  histogram.first = first;
  histogram.last = last;
  histogram.counts = counts;
}

/**
 * Bins that hold something. Counted from the first: the number of a bin may be so large (3e38 in bins of a trillionth) that
 * the next whole number is no other to a double; the bins between are then empty.
 */
function forEachUsed(
  { first, last, counts }: Readonly<DyadicHistogram>,
  visit: (bin: number, times: number) => void,
): void {
  for (let i = 0; i <= last - first; i++) if (counts[i] !== 0) visit(first + i, counts[i] as number);
}
