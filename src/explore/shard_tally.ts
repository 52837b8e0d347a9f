/** Counts one shard: every record once, in order, so that the sums are the same whoever counts. */

import { createHash } from 'node:crypto';
import { UserError } from '../io/errors.js';
import { createExampleParser } from '../io/example_parser.js';
import { type Feature, type Features, featuresFromJson, type ImageFormat } from '../io/features.js';
import { sniffImageFormat } from '../io/image_format.js';
import type { ImageDecoder } from '../reading/image_decoder.js';
import {
  addToSpread,
  type DecodedPicture,
  type FeatureTally,
  noSpread,
  noTally,
  type SpreadTally,
  tallyNumbers,
  tallyPicture,
  tallyText,
} from './feature_tally.js';
import { countValue, noValues, type ValueCounts } from './value_counts.js';
import { shardRecords } from './whole_split.js';

/** A shard to be counted. Plain data. */
export interface ShardToTally {
  readonly path: string;
  /** As the manifest has them. */
  readonly features: unknown;
  /** Records to count, from the first. */
  readonly records: number;
  /** All that the shard holds by its manifest. */
  readonly written: number;
}

/** What was counted. Plain data. */
export interface ShardTally {
  readonly records: number;
  readonly recordBytes: SpreadTally;
  readonly features: ReadonlyMap<string, FeatureTally>;
  /** Votes for the most frequent answer of all votes, e.g. `4 of 6`. */
  readonly agreement: ValueCounts;
  /** The first 64 bits of the SHA-256 of each record's key, and of each picture and each window of a recording. */
  readonly keys: BigUint64Array;
  readonly contents: BigUint64Array;
  /** Records in which one picture or window stands twice. */
  readonly repeating: number;
}

/** The feature that holds all annotators' answers. */
export const VOTES = 'rating/all';

/** Records whose pictures are decoded at once, on libuv's threads. */
const RECORDS_AT_ONCE = 8;

/** @throws UserError where the shard is damaged, or holds other features or another number of records. */
export async function tallyShard(
  { path, features: json, records, written }: ShardToTally,
  decoder: ImageDecoder,
): Promise<ShardTally> {
  const features = featuresFromJson(json, path);
  const parser = createExampleParser(features);
  const counted = new Counted(features);
  for await (const batch of shardRecords(path, { records, written }))
    for (let i = 0; i < batch.length; i += RECORDS_AT_ONCE) {
      const some = batch.slice(i, i + RECORDS_AT_ONCE);
      const examples = some.map(({ data }) => parser.parse(data) as Record<string, unknown>);
      const pictures = await Promise.all(examples.map((values) => decodeAll(values, features, decoder)));
      for (const [k, values] of examples.entries())
        counted.add(values, pictures[k] as ReadonlyMap<string, DecodedPicture>, some[k]!.data.length);
    }
  return counted.tally();
}

/** Whether a feature is a window of a recording: channels × samples, with the channels' names beside it. */
export function isWindow(name: string, features: Features): boolean {
  const { kind, shape } = features[name] ?? {};
  return kind === 'float32' && shape?.length === 2 && features[channelsFeature(name) ?? ''] !== undefined;
}

/** Windows are `eeg/raw`, or `eeg/a` to `eeg/c`; the names of their channels are `eeg/channels`. */
function channelsFeature(name: string): string | undefined {
  const prefix = /^(.+)\/(?:raw|[abc])$/.exec(name)?.[1];
  return prefix === undefined ? undefined : `${prefix}/channels`;
}

async function decodeAll(
  values: Record<string, unknown>,
  features: Features,
  decoder: ImageDecoder,
): Promise<Map<string, DecodedPicture>> {
  const pictures = new Map<string, DecodedPicture>();
  await Promise.all(
    Object.entries(values).map(async ([name, value]) => {
      const format = features[name]?.image;
      if (format === undefined || !(value instanceof Uint8Array)) return;
      const picture = await decode(value, format, decoder);
      if (picture !== undefined) pictures.set(name, picture);
    }),
  );
  return pictures;
}

/** The pixels that training gets too; undefined where it gets none. */
async function decode(
  bytes: Uint8Array,
  format: ImageFormat,
  decoder: ImageDecoder,
): Promise<DecodedPicture | undefined> {
  // Else SVG would be drawn, too: a few hundred bytes of it can keep a processor busy for minutes.
  if (format.encoding !== 'raw' && sniffImageFormat(bytes) === undefined) return undefined;
  try {
    const { data, shape } = await decoder.decode(bytes, format);
    const [height, width, channels] = shape as [number, number, number];
    return { data, height, width, channels };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

class Counted {
  private records = 0;
  private repeating = 0;
  private readonly features: Features;
  private readonly recordBytes = noSpread();
  private readonly agreement = noValues();
  private readonly keys: bigint[] = [];
  private readonly contents: bigint[] = [];
  private readonly tallies: Map<string, FeatureTally>;

  constructor(features: Features) {
    this.features = features;
    this.tallies = new Map(Object.entries(features).map(([name, feature]) => [name, noTally(feature)]));
  }

  add(
    values: Record<string, unknown>,
    pictures: ReadonlyMap<string, DecodedPicture>,
    recordBytes: number,
  ): void {
    this.records += 1;
    addToSpread(this.recordBytes, recordBytes);
    const own: bigint[] = [];
    for (const [name, tally] of this.tallies) {
      const value = values[name];
      if (value === undefined) {
        tally.missing += 1;
        continue;
      }
      tally.present += 1;
      const feature = this.features[name] as Feature;
      if (tally.kind === 'image') tallyPicture(tally, (value as Uint8Array).length, pictures.get(name));
      else if (tally.kind === 'text') tallyText(tally, value as string | string[]);
      else if (tally.kind === 'bytes')
        for (const each of value instanceof Uint8Array ? [value] : (value as Uint8Array[]))
          addToSpread(tally.bytes, each.length);
      else {
        const names = values[channelsFeature(name) ?? ''];
        const of = Array.isArray(names) ? { feature, names: names as string[] } : { feature };
        tallyNumbers(tally, value as number | bigint | number[] | Float32Array, of);
      }
      if (tally.kind === 'image') own.push(digest(value as Uint8Array));
      else if (isWindow(name, this.features) && value instanceof Float32Array)
        own.push(digest(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)));
      else if (name === 'key' && typeof value === 'string') this.keys.push(digest(Buffer.from(value)));
    }
    if (new Set(own).size < own.length) this.repeating += 1;
    this.contents.push(...own);
    const votes = values[VOTES];
    if (Array.isArray(votes) && votes.length > 0) countValue(this.agreement, agreementOf(votes));
  }

  tally(): ShardTally {
    const { records, recordBytes, tallies: features, agreement, repeating } = this;
    const [keys, contents] = [BigUint64Array.from(this.keys), BigUint64Array.from(this.contents)];
    return { records, recordBytes, features, agreement, keys, contents, repeating };
  }
}

function agreementOf(votes: readonly unknown[]): string {
  const times = new Map<unknown, number>();
  for (const vote of votes) times.set(vote, (times.get(vote) ?? 0) + 1);
  return `${Math.max(...times.values())} of ${votes.length}`;
}

/** Among ten million contents, two that differ have the same 64 bits with a chance of one in 370,000. */
function digest(bytes: Uint8Array): bigint {
  return createHash('sha256').update(bytes).digest().readBigUInt64BE();
}
