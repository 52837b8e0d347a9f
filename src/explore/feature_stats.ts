/** What is reported of a feature: the counts of feature_tally.ts as means, deviations, ranges and histograms. */

import { quantiles, type ReportedHistogram, reportHistogram } from './dyadic_histogram.js';
import type { ChannelTally, FeatureTally, ImageTally, NumberTally, SpreadTally } from './feature_tally.js';
import { deviation, mergeMoments, noMoments } from './moments.js';
import { type ReportedValues, reportValues } from './value_counts.js';

export type FeatureStats = ImageStats | NumberStats | TextStats | BytesStats;

interface PresenceStats {
  /** Records that have it, and that lack it. */
  readonly present: number;
  readonly missing: number;
}

export interface ImageStats extends PresenceStats {
  readonly kind: 'image';
  readonly undecodable: number;
  /** Pictures of one colour all over. */
  readonly plain: number;
  /** `128 × 128 × 3`: height, width, channels. */
  readonly sizes: ReportedValues;
  readonly bytes: SpreadStats;
  /** Mean and deviation of pixels from 0 to 1, as networks take them, and how often each of the 256 values occurs. */
  readonly channels: readonly {
    readonly name: string;
    readonly mean: number;
    readonly deviation: number;
    readonly counts: readonly number[];
  }[];
}

export interface NumberStats extends PresenceStats {
  readonly kind: 'float32' | 'int64';
  /** What a value of 1 is, where that is known. */
  readonly unit?: string;
  readonly channels: readonly ChannelStats[];
  /** Of all channels; absent where there are no numbers. */
  readonly histogram?: ReportedHistogram;
  /** 1, 25, 50, 75 and 99 %, to a 1,000th of the range and within it; absent where there are no numbers. */
  readonly quantiles?: readonly number[];
  /** Of whole numbers. */
  readonly values?: ReportedValues;
}

export interface ChannelStats {
  /** Empty where there is one alone. */
  readonly name: string;
  /** Numbers that are finite; of these are the other figures, null where there are none. */
  readonly count: number;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly least: number | null;
  readonly greatest: number | null;
  readonly notNumbers: number;
  readonly infinite: number;
  /** Records in which the channel does not change. */
  readonly flat: number;
}

export interface TextStats extends PresenceStats {
  readonly kind: 'text';
  readonly values: ReportedValues;
}

export interface BytesStats extends PresenceStats {
  readonly kind: 'bytes';
  readonly bytes: SpreadStats;
}

/** Of whole numbers, such as sizes in bytes; null where there are none. */
export interface SpreadStats {
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly least: number | null;
  readonly greatest: number | null;
  readonly histogram?: ReportedHistogram;
}

export const QUANTILES = [0.01, 0.25, 0.5, 0.75, 0.99] as const;

/** As many bars as can be told apart on a telephone. */
const MAX_BINS = 64;

/** Windows of recordings have wild values at both ends; a two-thousandth of them is not shown, but counted. */
const TAIL = 0.0005;

export function reportFeature(
  tally: FeatureTally,
  options: { readonly maxValues: number; readonly unit?: string },
): FeatureStats {
  const { present, missing } = tally;
  if (tally.kind === 'image') return reportImage(tally, options.maxValues);
  if (tally.kind === 'text')
    return { kind: 'text', present, missing, values: reportValues(tally.values, options.maxValues) };
  if (tally.kind === 'bytes') return { kind: 'bytes', present, missing, bytes: reportSpread(tally.bytes) };
  return reportNumbers(tally, options);
}

export function reportSpread({ moments, histogram }: SpreadTally): SpreadStats {
  const bins = reportHistogram(histogram, { maxBins: MAX_BINS, tail: 0 });
  return { ...figures(moments), ...(bins && { histogram: bins }) };
}

function reportImage(tally: ImageTally, maxValues: number): ImageStats {
  const { kind, present, missing, undecodable, plain } = tally;
  return {
    kind,
    present,
    missing,
    undecodable,
    plain,
    sizes: reportValues(tally.sizes, maxValues),
    bytes: reportSpread(tally.bytes),
    channels: Object.entries(tally.pixels).map(([name, counts]) => ({
      name,
      ...ofPixels(counts),
      counts: [...counts],
    })),
  };
}

/** From the counts of the 256 values: exact, whatever the order in which they were counted. */
function ofPixels(counts: Float64Array): { mean: number; deviation: number } {
  const pixels = counts.reduce((sum, count) => sum + count, 0);
  const mean = counts.reduce((sum, count, value) => sum + count * value, 0) / pixels;
  const variance = counts.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / pixels;
  return { mean: mean / 255, deviation: Math.sqrt(variance) / 255 };
}

function reportNumbers(
  tally: NumberTally,
  options: { readonly maxValues: number; readonly unit?: string },
): NumberStats {
  const { kind, present, missing, histogram } = tally;
  const all = noMoments();
  for (const { moments } of tally.channels.values()) mergeMoments(all, moments);
  const within = (value: number): number => Math.min(all.greatest, Math.max(all.least, value));
  const bins = reportHistogram(histogram, { maxBins: MAX_BINS, tail: kind === 'int64' ? 0 : TAIL });
  return {
    kind,
    present,
    missing,
    ...(options.unit !== undefined && { unit: options.unit }),
    channels: [...tally.channels].map(([name, channel]) => reportChannel(name, channel)),
    ...(bins && { histogram: bins, quantiles: quantiles(histogram, QUANTILES).map(within) }),
    ...(kind === 'int64' && { values: reportValues(tally.values, options.maxValues) }),
  };
}

function reportChannel(name: string, { moments, notNumbers, infinite, flat }: ChannelTally): ChannelStats {
  return { name, count: moments.count, ...figures(moments), notNumbers, infinite, flat };
}

function figures(moments: SpreadTally['moments']) {
  const { count, mean, least, greatest } = moments;
  if (count === 0) return { mean: null, deviation: null, least: null, greatest: null };
  return { mean, deviation: deviation(moments), least, greatest };
}
