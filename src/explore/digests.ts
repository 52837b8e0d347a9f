/** Finds what occurs twice among millions of things by 64 bits of each, sorted. */

export interface Repeats {
  readonly all: number;
  readonly distinct: number;
  /** `times[n]` things occur n + 1 times; the last element counts those that occur as often as that or more. */
  readonly times: readonly number[];
}

/** As many sizes of groups as can be read at a glance. */
const MAX_TIMES = 10;

/** All of them in one array, ascending. */
export function sortedDigests(parts: readonly BigUint64Array[]): BigUint64Array {
  const all = new BigUint64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.sort();
}

/** @param sorted as `sortedDigests` gives them */
export function repeatsOf(sorted: BigUint64Array): Repeats {
  const times: number[] = [];
  let distinct = 0;
  for (let i = 0; i < sorted.length; ) {
    const end = endOfRun(sorted, i);
    const place = Math.min(end - i, MAX_TIMES) - 1;
    while (times.length <= place) times.push(0);
    times[place]! += 1;
    distinct += 1;
    i = end;
  }
  return { all: sorted.length, distinct, times };
}

/** How many different ones are in both. */
export function digestsInBoth(a: BigUint64Array, b: BigUint64Array): number {
  let [i, j, both] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i] as bigint, b[j] as bigint];
    if (left === right) both += 1;
    if (left <= right) i = endOfRun(a, i);
    if (right <= left) j = endOfRun(b, j);
  }
  return both;
}

function endOfRun(sorted: BigUint64Array, start: number): number {
  let end = start + 1;
  while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
  return end;
}
