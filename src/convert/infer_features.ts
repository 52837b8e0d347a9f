/** A first description of records that others wrote, from the records themselves, for a person to look through. */

import { UserError } from '../io/errors.js';
import { type AnyFeature, MalformedExampleError, parseAnyExample } from '../io/example_parser.js';
import { bytes, type Feature, type Features, float32, image, int64, optional, text } from '../io/features.js';
import { sniffImageFormat } from '../io/image_format.js';
import { readRecordBatches } from '../io/tfrecord_reader.js';
import type { RecordFile } from './record_files.js';

export interface InferredFeatures {
  readonly features: Features;
  readonly records: number;
  /** What could not be told from the records. */
  readonly notes: readonly string[];
}

/**
 * Reads all records and says what they have in common: the kinds of their features, whether they have one value, a fixed
 * number or any number, and whether some records lack them. Bytes are an image where all begin as JPEG or PNG files do, and
 * text where all are UTF-8 without control characters. A matrix looks like a long list: its shape is for a person to say.
 * @throws UserError where a record is damaged or no tf.train.Example, or two records hold a feature in two types, or there
 * is no feature at all.
 */
export async function inferFeatures(files: readonly RecordFile[]): Promise<InferredFeatures> {
  const seen = new Map<string, Seen>();
  let records = 0;
  for (const { path } of files)
    for await (const batch of readRecordBatches(path))
      for (const { index, offset, data } of batch) {
        const place = `${path}, record ${index} at byte ${offset}`;
        for (const [name, feature] of exampleAt(data, place)) {
          const known = seen.get(name) ?? new Seen();
          seen.set(name, known);
          known.add(feature, name, place);
        }
        records += 1;
      }
  const names = [...seen.keys()].filter((name) => name !== NO_NAME).sort();
  if (names.length === 0)
    throw new UserError(records === 0 ? 'the files hold no records' : 'no record holds a feature', {
      where: files[0]?.path ?? '',
      remedy: 'give others',
    });
  return {
    features: Object.fromEntries(names.map((name) => [name, (seen.get(name) as Seen).feature(records)])),
    records,
    notes: [
      ...names
        .filter((name) => (seen.get(name) as Seen).isEmpty)
        .map((name) => `no record has a value of ${JSON.stringify(name)}: its kind is a guess`),
      ...(seen.has(NO_NAME) ? [`no feature can be called ${NO_NAME}: it is left out`] : []),
    ],
  };
}

/** The one name that is no plain JavaScript property. */
const NO_NAME = '__proto__';

function exampleAt(data: Uint8Array, where: string): ReadonlyMap<string, AnyFeature> {
  try {
    return parseAnyExample(data);
  } catch (error) {
    if (!(error instanceof MalformedExampleError)) throw error;
    throw new UserError(error.what, {
      where,
      remedy: 'only records that are tf.train.Example can be imported',
      cause: error,
    });
  }
}

/** What has been seen of one feature. */
class Seen {
  private kind: AnyFeature['kind'] = 'empty';
  private records = 0;
  private hasNone = false;
  /** The number of values where there are some; null where it differs. */
  private count: number | null | undefined;
  private looksLike: 'jpeg' | 'png' | 'text' | 'bytes' | undefined;

  get isEmpty(): boolean {
    return this.kind === 'empty';
  }

  add({ kind, values }: AnyFeature, name: string, where: string): void {
    this.records += 1;
    if (values.length === 0) this.hasNone = true;
    // A list without values has a kind, which whoever reads it checks.
    if (kind === 'empty') return;
    if (this.kind !== 'empty' && this.kind !== kind)
      throw new UserError(
        `feature ${JSON.stringify(name)} holds ${kind} values here, and ${this.kind} values before`,
        {
          where,
          remedy: 'import the files of each kind on their own',
        },
      );
    this.kind = kind;
    if (values.length === 0) return;
    this.count = this.count === undefined || this.count === values.length ? values.length : null;
    if (kind === 'bytes') for (const value of values) this.look(value);
  }

  feature(records: number): Feature {
    const count = this.count ?? null;
    const required = this.withShape(count === 1 ? [] : [count]);
    // A list of any length may have none without being missing.
    const mayBeMissing = this.records < records || (this.hasNone && count !== null);
    return mayBeMissing || this.isEmpty ? optional(required) : required;
  }

  private withShape(shape: readonly (number | null)[]): Feature {
    if (this.kind === 'int64') return int64(shape);
    if (this.kind === 'float') return float32(shape);
    if (this.looksLike === 'text') return text(shape);
    const isImage = this.looksLike === 'jpeg' || this.looksLike === 'png';
    return isImage && shape.length === 0
      ? image({ encoding: this.looksLike as 'jpeg' | 'png' })
      : bytes(shape);
  }

  private look(value: Uint8Array): void {
    if (this.looksLike === 'bytes') return;
    const format = sniffImageFormat(value.subarray(0, 32));
    const now = format === 'jpeg' || format === 'png' ? format : isText(value) ? 'text' : 'bytes';
    this.looksLike = this.looksLike === undefined || this.looksLike === now ? now : 'bytes';
  }
}

function isText(value: Uint8Array): boolean {
  try {
    // Line ends and tabs stand in texts; other control characters don't.
    return !/[^\P{Cc}\n\r\t]/u.test(utf8.decode(value));
  } catch {
    return false;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
