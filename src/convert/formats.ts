/** The formats that splits are converted to: their names, their files, and what writes them. */

import { shardName } from '../datagen/data_files.js';
import { UserError } from '../io/errors.js';
import type { Features } from '../io/features.js';
import { ParquetFile } from '../io/parquet.js';
import { TarFile } from '../io/tar_file.js';
import { sampleFiles, sampleName, webdatasetLayout } from '../io/webdataset.js';
import type { Split } from '../problems/problem.js';

export type ConversionFormat = 'webdataset' | 'parquet';

export const CONVERSION_FORMATS: readonly ConversionFormat[] = ['webdataset', 'parquet'];

/** Changes whenever the same records would give other files. */
export const FORMAT_VERSIONS: Readonly<Record<ConversionFormat, string>> = { webdataset: '1', parquet: '1' };

/**
 * A format by the name that a person gave.
 * @throws UserError where it is none that we write.
 */
export function readFormat(name: string): ConversionFormat {
  const format = CONVERSION_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  if (name === 'arrayrecord')
    throw new UserError('no library for JavaScript writes ArrayRecord files', {
      where: '--to arrayrecord',
      remedy:
        'Python’s array_record does, and our records go into it as they are: `w = ArrayRecordWriter(path, "group_size:1")`, then `w.write(record)` for each of `tf.data.TFRecordDataset(files).as_numpy_iterator()`, then `w.close()`',
      exitCode: 2,
    });
  throw new UserError(`${JSON.stringify(name)} is no format to convert to`, {
    where: '--to',
    remedy: `give ${CONVERSION_FORMATS.join(' or ')}`,
    exitCode: 2,
  });
}

/** What a shard's file is called: WebDataset's users write `fec-train-{000000..000009}.tar`, Hugging Face's our own name. */
export function convertedName(
  format: ConversionFormat,
  problem: string,
  split: Split,
  { index, of }: { readonly index: number; readonly of: number },
): string {
  return format === 'webdataset'
    ? `${problem}-${split}-${String(index).padStart(6, '0')}.tar`
    : `${shardName(problem, split, index, of)}.parquet`;
}

/** Takes the examples of one shard. */
export interface ExampleWriter {
  /**
   * @param record number of the record in its split.
   * @param values as a parser of the features gives them.
   */
  add(record: number, values: Readonly<Record<string, unknown>>): Promise<void> | void;
  finish(): Promise<WrittenBytes> | WrittenBytes;
  abort(): void;
}

export interface WrittenBytes {
  readonly bytes: number;
  readonly sha256: string;
}

/** What writes a shard in a format, under a temporary name. */
export function openExampleWriter(
  format: ConversionFormat,
  path: string,
  features: Features,
  metadata: Readonly<Record<string, string>>,
): ExampleWriter {
  return format === 'webdataset'
    ? webdatasetWriter(path, features)
    : parquetWriter(ParquetFile.create(path, features, metadata));
}

function webdatasetWriter(path: string, features: Features): ExampleWriter {
  const tar = TarFile.create(path);
  const layout = webdatasetLayout(features);
  const hasKey = features.key?.kind === 'text' && features.key.shape.length === 0;
  return {
    async add(record, values) {
      const name = sampleName(record, hasKey ? (values.key as string | undefined) : undefined);
      for (const { ending, bytes } of sampleFiles(layout, features, values))
        await tar.add(`${name}.${ending}`, bytes);
    },
    finish: () => tar.finish(),
    abort: () => tar.abort(),
  };
}

function parquetWriter(file: ParquetFile): ExampleWriter {
  return {
    add: (_record, values) => file.write(values),
    finish: () => file.finish(),
    abort: () => file.abort(),
  };
}
