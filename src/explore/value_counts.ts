/** How often each value occurs, as long as there are not too many different ones. */

/** Plain data, so that it crosses to another thread; changed in place. */
export interface ValueCounts {
  readonly counts: Map<string, number>;
  /** True where there were more than `MAX_VALUES` different ones: none is then kept. */
  isOverflown: boolean;
  /** Of all values, those that are not kept too. */
  all: number;
}

/** As many classes as a large corpus has (VGGFace2: 9,131 people); names of files and addresses go beyond it soon. */
export const MAX_VALUES = 10_000;

/** Longer values are cut before they are counted. */
const MAX_VALUE_CHARACTERS = 200;

export function noValues(): ValueCounts {
  return { counts: new Map(), isOverflown: false, all: 0 };
}

export function countValue(values: ValueCounts, value: string, times = 1): void {
  values.all += times;
  if (values.isOverflown) return;
  const key = value.length > MAX_VALUE_CHARACTERS ? `${value.slice(0, MAX_VALUE_CHARACTERS - 1)}…` : value;
  values.counts.set(key, (values.counts.get(key) ?? 0) + times);
  if (values.counts.size > MAX_VALUES) overflow(values);
}

/** The result is the same in any order. */
export function mergeValues(into: ValueCounts, other: ValueCounts): void {
  if (other.isOverflown) {
    into.all += other.all;
    overflow(into);
  } else for (const [value, times] of other.counts) countValue(into, value, times);
}

export interface ReportedValues {
  /** How many values there are, those equal to others too. */
  readonly all: number;
  /** Different values; null where there are more than 10,000. */
  readonly distinct: number | null;
  /** The most frequent first; those equally frequent in the order of their names, numbers by size. */
  readonly most: readonly (readonly [value: string, count: number])[];
}

export function reportValues({ counts, isOverflown, all }: ValueCounts, maxShown: number): ReportedValues {
  if (isOverflown) return { all, distinct: null, most: [] };
  const most = [...counts].sort(([a, m], [b, n]) => n - m || compareNames(a, b)).slice(0, maxShown);
  return { all, distinct: counts.size, most };
}

/**
 * `2` before `10`, numbers before texts, and `a` before `b`, whatever the language of the machine.
 * @param sizeOf the number that a name is, NaN where it is none
 */
export function compareNames(a: string, b: string, sizeOf: (name: string) => number = numberOf): number {
  const [m, n] = [sizeOf(a), sizeOf(b)];
  if (Number.isNaN(m) !== Number.isNaN(n)) return Number.isNaN(m) ? 1 : -1;
  if (m !== n && !Number.isNaN(m)) return m < n ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function numberOf(name: string): number {
  return name.trim() === '' ? Number.NaN : Number(name);
}

function overflow(values: ValueCounts): void {
  values.isOverflown = true;
  values.counts.clear();
}
