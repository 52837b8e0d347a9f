/** What is counted of each feature while records go by: plain data that crosses to another thread and is added up there. */

import type { Feature } from '../io/features.js';
import { count, type DyadicHistogram, mergeHistogram, noHistogram } from './dyadic_histogram.js';
import { addValues, type Moments, mergeMoments, noMoments } from './moments.js';
import { countValue, mergeValues, noValues, type ValueCounts } from './value_counts.js';

export type FeatureTally = ImageTally | NumberTally | TextTally | BytesTally;

interface Presence {
  /** Records that have it, and that lack it. */
  present: number;
  missing: number;
}

export interface ImageTally extends Presence {
  readonly kind: 'image';
  /** Bytes that no decoder takes. */
  undecodable: number;
  /** Of one colour all over. */
  plain: number;
  /** `128 × 128 × 3`: height, width, channels. */
  readonly sizes: ValueCounts;
  readonly bytes: SpreadTally;
  /** By colour (`red`, …), how often each of the 256 values occurs. */
  readonly pixels: Record<string, Float64Array>;
}

export interface NumberTally extends Presence {
  readonly kind: 'float32' | 'int64';
  readonly channels: Map<string, ChannelTally>;
  /** Of all channels together. */
  readonly histogram: DyadicHistogram;
  /** Of whole numbers. */
  readonly values: ValueCounts;
}

export interface ChannelTally {
  readonly moments: Moments;
  notNumbers: number;
  infinite: number;
  /** Records in which all its values (two at least) are the same. */
  flat: number;
}

export interface TextTally extends Presence {
  readonly kind: 'text';
  readonly values: ValueCounts;
}

export interface BytesTally extends Presence {
  readonly kind: 'bytes';
  readonly bytes: SpreadTally;
}

/** Whole numbers, e.g. sizes in bytes. */
export interface SpreadTally {
  readonly moments: Moments;
  readonly histogram: DyadicHistogram;
}

export function noSpread(): SpreadTally {
  return { moments: noMoments(), histogram: noHistogram('whole') };
}

export function addToSpread({ moments, histogram }: SpreadTally, value: number): void {
  addValues(moments, [value]);
  count(histogram, [value], { least: value, greatest: value });
}

export function mergeSpread(into: SpreadTally, other: SpreadTally): void {
  mergeMoments(into.moments, other.moments);
  mergeHistogram(into.histogram, other.histogram);
}

export function noTally({ kind }: Feature): FeatureTally {
  const presence = { present: 0, missing: 0 };
  if (kind === 'image')
    return { kind, ...presence, undecodable: 0, plain: 0, sizes: noValues(), bytes: noSpread(), pixels: {} };
  if (kind === 'text') return { kind, ...presence, values: noValues() };
  if (kind === 'bytes') return { kind, ...presence, bytes: noSpread() };
  const histogram = noHistogram(kind === 'int64' ? 'whole' : 'any');
  return { kind, ...presence, channels: new Map(), histogram, values: noValues() };
}

/** Adds a text feature's value: one string or a list of them. */
export function tallyText(tally: TextTally, value: string | readonly string[]): void {
  for (const each of typeof value === 'string' ? [value] : value) countValue(tally.values, each);
}

/** More rows or elements are no channels that anybody looks at one by one; recordings have some 300 at most. */
const MAX_CHANNELS = 512;

/**
 * Adds a number feature's value. A matrix has a channel a row, a list of fixed length a channel an element, up to 512 of
 * them; anything else is one channel. `names` are those of the channels, where the record has them.
 */
export function tallyNumbers(
  tally: NumberTally,
  value: number | bigint | ArrayLike<number | bigint>,
  of: { readonly feature: Feature; readonly names?: readonly string[] },
): void {
  const given = typeof value === 'number' || typeof value === 'bigint' ? [value] : value;
  if (tally.kind === 'int64')
    for (let i = 0; i < given.length; i++) countValue(tally.values, String(given[i]));
  const numbers = given instanceof Float32Array ? given : Array.from(given, Number);
  const { shape } = of.feature;
  const rows = shape.length === 0 || shape[0] === null ? matrixRows(shape, numbers) : (shape[0] as number);
  const channels = rows > MAX_CHANNELS ? 1 : rows;
  const length = numbers.length / channels;
  let [least, greatest] = [Infinity, -Infinity];
  for (let channel = 0; channel < channels; channel++) {
    const name = channels === 1 ? '' : (of.names?.[channel] ?? String(channel));
    const values = numbers.slice(channel * length, (channel + 1) * length);
    const own = noMoments();
    addValues(own, values);
    addToChannel(tally.channels, name, {
      ...outliers(values, own),
      moments: own,
      flat: isFlat(own, length) ? 1 : 0,
    });
    least = Math.min(least, own.least);
    greatest = Math.max(greatest, own.greatest);
  }
  count(tally.histogram, numbers, { least, greatest });
}

/** Names of what is in a decoded picture's pixels, by the number of channels. */
const COLOURS: readonly (readonly string[])[] = [
  [],
  ['grey'],
  ['grey', 'alpha'],
  ['red', 'green', 'blue'],
  ['red', 'green', 'blue', 'alpha'],
];

export interface DecodedPicture {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Adds an encoded picture of so many bytes; undefined where it could not be decoded. */
export function tallyPicture(tally: ImageTally, bytes: number, picture: DecodedPicture | undefined): void {
  addToSpread(tally.bytes, bytes);
  if (picture === undefined) {
    tally.undecodable += 1;
    return;
  }
  const { data, height, width, channels } = picture;
  countValue(tally.sizes, `${height} × ${width} × ${channels}`);
  let isPlain = true;
  for (const [channel, colour] of (COLOURS[channels] ?? []).entries()) {
    tally.pixels[colour] ??= new Float64Array(256);
    const counts = tally.pixels[colour];
    const first = data[channel];
    for (let i = channel; i < data.length; i += channels) {
      const value = data[i] as number;
      counts[value]! += 1;
      if (value !== first) isPlain = false;
    }
  }
  if (isPlain) tally.plain += 1;
}

/** @throws Error where the two are not of the same feature. */
export function mergeTally(into: FeatureTally, other: FeatureTally): void {
  into.present += other.present;
  into.missing += other.missing;
  if (into.kind === 'image' && other.kind === 'image') {
    into.undecodable += other.undecodable;
    into.plain += other.plain;
    mergeValues(into.sizes, other.sizes);
    mergeSpread(into.bytes, other.bytes);
    for (const [colour, counts] of Object.entries(other.pixels)) {
      into.pixels[colour] ??= new Float64Array(256);
      for (let i = 0; i < 256; i++) into.pixels[colour][i]! += counts[i] as number;
    }
  } else if (into.kind === 'text' && other.kind === 'text') mergeValues(into.values, other.values);
  else if (into.kind === 'bytes' && other.kind === 'bytes') mergeSpread(into.bytes, other.bytes);
  else if ('channels' in into && 'channels' in other) {
    for (const [name, channel] of other.channels) addToChannel(into.channels, name, channel);
    mergeHistogram(into.histogram, other.histogram);
    mergeValues(into.values, other.values);
  } else throw new Error(`a tally of ${other.kind} can't be added to one of ${into.kind}`);
}

function matrixRows(shape: readonly (number | null)[], values: ArrayLike<number>): number {
  const row = shape.slice(1).reduce<number>((product, size) => product * (size ?? 1), 1);
  return shape.length < 2 || values.length === 0 ? 1 : values.length / row;
}

function addToChannel(channels: Map<string, ChannelTally>, name: string, other: ChannelTally): void {
  let into = channels.get(name);
  if (into === undefined) {
    into = { moments: noMoments(), notNumbers: 0, infinite: 0, flat: 0 };
    channels.set(name, into);
  }
  mergeMoments(into.moments, other.moments);
  into.notNumbers += other.notNumbers;
  into.infinite += other.infinite;
  into.flat += other.flat;
}

function outliers(
  values: ArrayLike<number>,
  { count: finite }: Moments,
): { notNumbers: number; infinite: number } {
  if (finite === values.length) return { notNumbers: 0, infinite: 0 };
  let notNumbers = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) notNumbers += 1;
  return { notNumbers, infinite: values.length - finite - notNumbers };
}

function isFlat({ least, greatest, count: finite }: Moments, length: number): boolean {
  return length > 1 && finite === length && least === greatest;
}
