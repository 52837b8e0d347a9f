/** Looks into shards: the first examples of a finished split, or the records of any TFRecord file. */

import { join } from 'node:path';
import { finishedManifest, type Manifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { createExampleParser, parseAnyExample } from '../io/example_parser.js';
import { type Features, featuresFromJson } from '../io/features.js';
import { MalformedExampleError } from '../io/protobuf.js';
import { readRecords } from '../io/tfrecord_reader.js';
import type { Split } from '../problems/problem.js';

/** One record, with its features' values as they were parsed. */
export interface InspectedExample {
  /** The file's name, and the record's number in it. */
  readonly shard: string;
  readonly index: number;
  readonly values: ReadonlyMap<string, unknown>;
}

export interface InspectedSplit {
  readonly manifest: Manifest;
  readonly features: Features;
  readonly examples: readonly InspectedExample[];
}

/**
 * The first examples of a split: a fair sample, since the plan was shuffled.
 * @throws UserError where the split is missing or not finished, or a record is damaged.
 */
export async function inspectSplit(
  dataDir: string,
  problem: string,
  split: Split,
  limit: number,
): Promise<InspectedSplit> {
  const manifest = finishedManifest(dataDir, problem, split);
  const features = featuresFromJson(manifest.features, `the manifest of ${problem}`);
  const parser = createExampleParser(features);
  const examples: InspectedExample[] = [];
  for (const { file } of manifest.shards) {
    if (examples.length >= limit) break;
    for await (const { index, data } of readRecords(join(dataDir, file))) {
      examples.push({ shard: file, index, values: new Map(Object.entries(parser.parse(data))) });
      if (examples.length >= limit) break;
    }
  }
  return { manifest, features, examples };
}

/**
 * The first records of any TFRecord file, gzip or not, also of those that others wrote. A record that is no Example has
 * the one value `(bytes)`.
 */
export async function inspectFile(path: string, limit: number): Promise<InspectedExample[]> {
  const examples: InspectedExample[] = [];
  for await (const { index, data } of readRecords(path)) {
    if (examples.length >= limit) break;
    examples.push({ shard: path, index, values: anyValues(data) });
  }
  if (examples.length === 0 && limit > 0)
    throw new UserError('the file holds no records', { where: path, remedy: 'give a TFRecord file' });
  return examples;
}

function anyValues(data: Uint8Array): Map<string, unknown> {
  try {
    return new Map(
      [...parseAnyExample(data)].map(([name, { values }]) => [
        name,
        values.length === 1 ? values[0] : [...values],
      ]),
    );
  } catch (error) {
    if (!(error instanceof MalformedExampleError)) throw error;
    return new Map([['(bytes)', data]]);
  }
}

/** A value in a few words: bytes by their number (text where they are text), long lists by their length. */
export function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return describeBytes(value);
  if (typeof value === 'number')
    return Number.isInteger(value) ? String(value) : Number(value.toPrecision(6)).toString();
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const items = [...(value as unknown as Iterable<unknown>)];
    const shown = items.slice(0, 8).map(describeValue).join(', ');
    return items.length > 8 ? `[${shown}, … ${items.length} values]` : `[${shown}]`;
  }
  return String(value);
}

/** A value for JSON: bytes as `{"bytes": n}` or text, integers beyond 2⁵³ as strings. */
export function jsonValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return textOf(value) ?? { bytes: value.length };
  if (typeof value === 'bigint') return value.toString();
  if (ArrayBuffer.isView(value) || Array.isArray(value))
    return [...(value as unknown as Iterable<unknown>)].map(jsonValue);
  return value;
}

function describeBytes(bytes: Uint8Array): string {
  return textOf(bytes) ?? `${bytes.length} bytes`;
}

/** Bytes that are printable UTF-8 of a readable length, as text. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > 400) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
