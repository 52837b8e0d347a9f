/** A metric by subject or identity: whom a model works for, and whom not. */

import type { RowGroups } from './row_groups.js';
import type { Metric } from './weighted_mean.js';

export interface GroupRow<Name extends string> {
  readonly group: string;
  /** Rows that the group has a part in: a row of several groups counts in each. */
  readonly rows: number;
  /** NaN where the metric is not defined on these rows alone. */
  readonly values: Readonly<Record<Name, number>>;
}

/** Each metric on each group's rows alone, groups sorted by name. Time grows with groups × rows. */
export function groupTable<Name extends string>(
  groups: RowGroups,
  metrics: Readonly<Record<Name, Metric>>,
): GroupRow<Name>[] {
  const rowsOf: number[][] = groups.names.map(() => []);
  for (let row = 0; row + 1 < groups.starts.length; row++)
    for (let at = groups.starts[row]!; at < groups.starts[row + 1]!; at++)
      rowsOf[groups.members[at]!]!.push(row);
  const weights = new Float64Array(groups.starts.length - 1);
  const table = groups.names.map((group, number) => {
    const rows = rowsOf[number]!;
    for (const row of rows) weights[row] = 1;
    const values = {} as Record<Name, number>;
    for (const name of Object.keys(metrics) as Name[]) values[name] = metrics[name](weights);
    for (const row of rows) weights[row] = 0;
    return { group, rows: rows.length, values };
  });
  return table.sort((a, b) => (a.group < b.group ? -1 : 1));
}

/** How a value is spread over groups: each group counts once, however many rows it has. */
export interface GroupSpread {
  /** Groups on which the value is defined. */
  readonly groups: number;
  readonly mean: number;
  /** Of the groups as a sample (n − 1); NaN for fewer than two. */
  readonly standardDeviation: number;
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

export function groupSpread(values: Iterable<number>): GroupSpread {
  const sorted = Float64Array.from([...values].filter((value) => !Number.isNaN(value))).sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    groups: count,
    mean,
    standardDeviation: count < 2 ? Number.NaN : Math.sqrt(squares / (count - 1)),
    least: sorted[0] ?? Number.NaN,
    median: (sorted[(count - 1) >> 1]! + sorted[count >> 1]!) / 2,
    most: sorted[count - 1] ?? Number.NaN,
  };
}
