/** Rows whose true mean is known, and how often intervals over them hold it. */

import { type Random, seededRandom } from '../io/random.js';
import { bootstrapIntervals } from './bootstrap.js';
import { type RowGroups, rowGroups } from './row_groups.js';
import { weightedMean } from './weighted_mean.js';

/** `rows` rows with the parts of `each` of `groups` groups (of standard deviation `shared`) and one of their own (1). */
export interface RowKind {
  readonly groups: number;
  readonly rows: number;
  readonly each: number;
  readonly shared: number;
}

/** Draws such rows; the true mean of their values is 0. */
export function drawRows(
  random: Random,
  kind: RowKind,
): { readonly groups: RowGroups; readonly values: Float64Array } {
  const parts = Float64Array.from({ length: kind.groups }, () => kind.shared * normal(random));
  const members = Array.from({ length: kind.rows }, () => {
    const chosen = new Set<number>();
    while (chosen.size < kind.each) chosen.add(random.below(kind.groups));
    return [...chosen];
  });
  const values = Float64Array.from(members, (of) =>
    of.reduce((sum, group) => sum + parts[group]!, normal(random)),
  );
  return { groups: rowGroups(members.map((of) => of.map(String))), values };
}

/** The share of `times` intervals that hold the truth, and their mean width; over groups, or as if rows shared nothing. */
export function coverage(
  kind: RowKind,
  options: { readonly times: number; readonly replicates: number; readonly over: 'groups' | 'rows' },
): { readonly held: number; readonly width: number } {
  const { times, replicates, over } = options;
  const random = seededRandom(`coverage ${JSON.stringify(kind)}`);
  let held = 0;
  let width = 0;
  for (let time = 0; time < times; time++) {
    const { groups, values } = drawRows(random, kind);
    const resampled = over === 'groups' ? groups : rowGroups(Array.from(values, (_, row) => [String(row)]));
    const { mean } = bootstrapIntervals(
      resampled,
      { mean: (weights) => weightedMean(values, weights) },
      { seed: String(time), replicates },
    );
    if (mean.low <= 0 && 0 <= mean.high) held += 1 / times;
    width += (mean.high - mean.low) / times;
  }
  return { held, width };
}

/** By Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
