/** Bootstrap intervals over subjects, identities or images: how far a score could have come out otherwise with other people. */

import { type Random, seededRandom } from '../io/random.js';
import type { RowGroups } from './row_groups.js';
import type { Metric } from './weighted_mean.js';

export interface Interval {
  /** The metric on the rows as they are. */
  readonly value: number;
  /** The ends of the interval; NaN for a single group, and where the metric was defined on less than half of the replicates. */
  readonly low: number;
  readonly high: number;
  /** How many groups were resampled. Fewer than about ten can't tell how groups differ: the interval is then too narrow. */
  readonly groups: number;
  /** Replicates on which the metric was not defined, e.g. without a row of some class; they are left out. */
  readonly undefinedReplicates: number;
}

export interface BootstrapOptions {
  readonly seed: string;
  /** 2000 where not said (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ask for 1000 or more). */
  readonly replicates?: number;
  /** Ends beyond what the metrics can be are drawn in to it, e.g. [0, 1]. */
  readonly range?: readonly [least: number, most: number];
}

/**
 * 95 % intervals of several metrics on the same resampled groups, so that the difference of two systems, given as a
 * metric of its own (`(w) => a(w) − b(w)`), is paired.
 *
 * Rows of one group (windows of a subject) are resampled with it: groups are drawn with replacement, and a row counts as
 * often as its group was drawn (the cluster bootstrap; Davison and Hinkley, "Bootstrap Methods and their Application", 1997,
 * section 3.8). A row of several groups (a triplet touches three identities) has no exact bootstrap (McCullagh, Bernoulli 6,
 * 2000). The pigeonhole bootstrap (Owen, Annals of Applied Statistics 1, 2007) multiplies the counts of a row's groups. It is
 * never too narrow, but what is a row's own is counted up to 2ᵏ − 1 times for k groups: with triplets intervals came out
 * twice as wide as needed. So counts are added here instead, by which rows vary together as often as they share a group:
 * that is the sum of the one-way terms of multiway clustering (Cameron, Gelbach and Miller, Journal of Business & Economic
 * Statistics 29, 2011), and a row's own part is in it k times. The k − 1 surplus ones are measured by resampling rows and
 * taken off, as the variance of pairs is decomposed by Aronow, Samii and Assenova (Political Analysis 23, 2015): deviations
 * are drawn in by the root of the variance's share that remains. Rows that share two groups are counted twice still: the
 * interval is then a little too wide. For k = 1 all of this is the cluster bootstrap to the letter.
 *
 * Ends are percentiles, and by the fewness of groups farther out than the 2.5th and 97.5th: Hesterberg's expanded percentile
 * interval (The American Statistician 69, 2015), without which 95 % over ten groups are nearer to 90 %.
 *
 * A metric that is the same on every replicate (an accuracy of 1) gives an interval without width: that says that no error
 * was seen, not that there is none.
 */
export function bootstrapIntervals<Name extends string>(
  groups: RowGroups,
  metrics: Readonly<Record<Name, Metric>>,
  options: BootstrapOptions,
): Record<Name, Interval> {
  const { seed, replicates = 2000, range } = options;
  const names = Object.keys(metrics) as Name[];
  const shape = shapeOf(groups);
  const rows = shape.counts.length;
  const drawGroups = groupWeights(groups, shape, seededRandom(`${seed}/groups`));
  const byGroup = replicate(names, metrics, { replicates, rows, draw: drawGroups });
  const drawRows = shape.most === 1 ? undefined : surplusWeights(shape, seededRandom(`${seed}/rows`));
  const few = Math.min(replicates, SURPLUS_REPLICATES);
  const byRow = drawRows && replicate(names, metrics, { replicates: few, rows, draw: drawRows });
  const tail = tailShare(groups.names.length);
  const result = {} as Record<Name, Interval>;
  for (const name of names) {
    const value = metrics[name]();
    const defined = byGroup[name].filter((found) => !Number.isNaN(found));
    const factor = byRow === undefined ? 1 : spreadFactor(shape.most, defined, byRow[name]);
    const spread = defined.map((found) => value + factor * (found - value)).sort();
    const enough = groups.names.length > 1 && spread.length >= replicates / 2;
    const end = (share: number): number => {
      const at = enough ? quantile(spread, share) : Number.NaN;
      return range === undefined ? at : Math.min(Math.max(at, range[0]), range[1]);
    };
    result[name] = {
      value,
      low: end(tail),
      high: end(1 - tail),
      groups: groups.names.length,
      undefinedReplicates: replicates - defined.length,
    };
  }
  return result;
}

/** Only a variance is taken from them, which so many give to within 6 %: √(2 ⁄ 500). */
const SURPLUS_REPLICATES = 500;

interface Shape {
  /** By row: how many groups it belongs to. */
  readonly counts: Uint32Array;
  readonly most: number;
}

function shapeOf({ starts }: RowGroups): Shape {
  const counts = Uint32Array.from({ length: starts.length - 1 }, (_, row) => starts[row + 1]! - starts[row]!);
  return { counts, most: counts.reduce((most, count) => Math.max(most, count), 1) };
}

/** Fills a replicate's weights. */
type Draw = (weights: Float64Array) => void;

/**
 * 1 + Σ (count − 1) ⁄ k over a row's groups, k being the most that any row has: never negative, and the count itself where
 * k is 1. Deviations of the metric are k times too small for it, which `spreadFactor` makes good.
 */
function groupWeights({ names, starts, members }: RowGroups, { counts, most }: Shape, random: Random): Draw {
  const drawn = new Uint32Array(names.length);
  return (weights) => {
    multiplicities(drawn, random);
    for (let row = 0; row < weights.length; row++) {
      let sum = 0;
      for (let at = starts[row]!; at < starts[row + 1]!; at++) sum += drawn[members[at]!]!;
      weights[row] = 1 + (sum - counts[row]!) / most;
    }
  };
}

/** Rows drawn one by one, each with the share of its own part that `groupWeights` counts too often. */
function surplusWeights({ counts, most }: Shape, random: Random): Draw {
  const drawn = new Uint32Array(counts.length);
  const shares = Float64Array.from(counts, (count) => Math.sqrt((count - 1) / (most - 1)));
  return (weights) => {
    multiplicities(drawn, random);
    for (let row = 0; row < weights.length; row++) weights[row] = 1 + shares[row]! * (drawn[row]! - 1);
  };
}

/** How often each of n comes up in n draws with replacement. */
function multiplicities(drawn: Uint32Array, random: Random): void {
  drawn.fill(0);
  for (let draw = 0; draw < drawn.length; draw++) drawn[random.below(drawn.length)]! += 1;
}

/** Each metric's values on the replicates. */
function replicate<Name extends string>(
  names: readonly Name[],
  metrics: Readonly<Record<Name, Metric>>,
  runs: { readonly replicates: number; readonly rows: number; readonly draw: Draw },
): Record<Name, Float64Array> {
  const weights = new Float64Array(runs.rows);
  const values = {} as Record<Name, Float64Array>;
  for (const name of names) values[name] = new Float64Array(runs.replicates);
  for (let run = 0; run < runs.replicates; run++) {
    runs.draw(weights);
    for (const name of names) values[name][run] = metrics[name](weights);
  }
  return values;
}

/**
 * What deviations under `groupWeights` are multiplied by. Their variance, times k², holds a row's own part k times; k − 1
 * of these go. No less than one k-th of it remains: that is what is left where no two rows share a group.
 */
function spreadFactor(most: number, byGroup: Float64Array, byRow: Float64Array): number {
  const surplus = variance(byRow.filter((found) => !Number.isNaN(found))) / variance(byGroup);
  const remaining = most ** 2 - (most - 1) * surplus;
  return remaining > most ? Math.sqrt(remaining) : Math.sqrt(most);
}

function variance(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/**
 * What is cut off at each end for n groups: Φ(−√(n ⁄ (n − 1)) · t), where t is Student's for n − 1 degrees of freedom; 0.025
 * for many.
 */
function tailShare(groups: number): number {
  const freedom = Math.max(1, groups - 1);
  return normalTail(Math.sqrt(1 + 1 / freedom) * studentQuantile(freedom));
}

/** The 97.5 % quantile of Student's t; Abramowitz and Stegun 26.7.5, below 1 % too small from 2 degrees of freedom on. */
function studentQuantile(freedom: number): number {
  const z = 1.959963984540054;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return terms.reduce((sum, term, at) => sum + term / freedom ** (at + 1), z);
}

/** P(Z > z) of the normal distribution for z ≥ 0; Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8. */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = series.reduceRight((inner, coefficient) => (inner + coefficient) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/** By straight lines between order statistics (type 7 of Hyndman and Fan, The American Statistician 50, 1996). */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}
