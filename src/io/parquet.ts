/** Parquet files of examples, a column a feature, written in row groups of bounded size (hyparquet-writer does the format). */

import type { CompressionCodec, SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { type Feature, type Features, featuresToJson } from './features.js';
import { HashedFile } from './hashed_file.js';

/**
 * How features stand in the columns, which bear their names:
 * - `int64`, `float32`, `text` and `bytes` are columns of their type, with a shape lists of it, flat and row by row;
 * - an encoded image is a struct of `bytes` and `path` (always null), as Hugging Face's `Image` has it;
 * - a raw image is bytes: height × width × channels of uint8;
 * - optional features are null where they are missing.
 *
 * The footer's key-value metadata hold `t2t-ts.features` (names, kinds and shapes, as a manifest has them) and, for
 * `datasets.load_dataset`, `huggingface`.
 *
 * Writes synchronously: it belongs on a worker thread. The path is a temporary one; whoever made the file renames it when
 * `finish()` has returned, and calls `abort()` otherwise.
 */
export class ParquetFile {
  private readonly file: HashedFile;
  private readonly writer: ParquetWriter;
  private readonly columns: readonly Column[];
  private rows = 0;
  private heldBytes = 0;

  /**
   * @param metadata more of the footer's key-value metadata.
   * @throws UserError where it can't be written.
   */
  static create(path: string, features: Features, metadata: Readonly<Record<string, string>>): ParquetFile {
    return new ParquetFile(path, features, metadata);
  }

  private constructor(path: string, features: Features, metadata: Readonly<Record<string, string>>) {
    this.file = HashedFile.create(path);
    this.columns = Object.entries(features).map(([name, feature]) => columnOf(name, feature));
    const entries = {
      't2t-ts.features': JSON.stringify(featuresToJson(features)),
      huggingface: JSON.stringify({ info: { features: huggingFaceFeatures(features) } }),
      ...metadata,
    };
    this.writer = new ParquetWriter({
      writer: flushingWriter(this.file),
      schema: [
        { name: 'schema', num_children: this.columns.length },
        ...this.columns.flatMap(({ schema }) => schema),
      ],
      kvMetadata: Object.entries(entries).map(([key, value]) => ({ key, value })),
      createdBy: 't2t-ts',
    });
  }

  /**
   * Adds a row; `values` are kept until their row group is full.
   * @param values as a parser of the features gives them.
   */
  write(values: Readonly<Record<string, unknown>>): void {
    for (const column of this.columns) {
      const value = Object.hasOwn(values, column.name) ? values[column.name] : undefined;
      column.data.push(value === undefined ? null : column.convert(value));
      this.heldBytes += sizeOf(value);
    }
    this.rows += 1;
    if (this.heldBytes >= ROW_GROUP_BYTES || this.rows >= ROW_GROUP_ROWS) this.endRowGroup();
  }

  /** Writes what is left and waits until the disk holds it; gives size and lower-case hex SHA-256. */
  finish(): { readonly bytes: number; readonly sha256: string } {
    this.endRowGroup();
    this.writer.finish();
    return this.file.finish();
  }

  /** Closes and removes the file: also after `finish()`, and more than once. */
  abort(): void {
    this.file.abort();
  }

  private endRowGroup(): void {
    if (this.rows === 0) return;
    const columnData = this.columns.map(({ name, data, settings }) => ({ name, data, ...settings }));
    this.writer.write({ columnData, rowGroupSize: this.rows });
    for (const { data } of this.columns) data.length = 0;
    this.rows = 0;
    this.heldBytes = 0;
  }
}

/** Hugging Face's viewer wants groups below 300 MB; ours are bounded by the memory of those that write and read them. */
const ROW_GROUP_BYTES = 16 * 2 ** 20;
const ROW_GROUP_ROWS = 10_000;

interface Column {
  readonly name: string;
  readonly schema: readonly SchemaElement[];
  readonly settings: Omit<ColumnSource, 'name' | 'data'>;
  readonly convert: (value: unknown) => unknown;
  readonly data: unknown[];
}

/** Pictures and noise don't shrink, and a dictionary of floats would take −0 for 0: they are written as they are. */
const AS_THEY_ARE = {
  codec: 'UNCOMPRESSED' as CompressionCodec,
  encoding: 'PLAIN',
  statistics: false,
} as const;

function columnOf(name: string, feature: Feature): Column {
  const { kind, shape, image, optional } = feature;
  const repetition_type = optional ? 'OPTIONAL' : 'REQUIRED';
  const settings = kind === 'int64' || kind === 'text' ? { statistics: shape.length === 0 } : AS_THEY_ARE;
  const common = { name, settings, data: [] };
  const toStored =
    kind === 'int64' ? (value: unknown) => BigInt(value as number | bigint) : (value: unknown) => value;
  if (image !== undefined && image.encoding !== 'raw')
    return {
      ...common,
      // Nullable in any case: Hugging Face knows an image by its type, and that one is.
      schema: [
        { name, repetition_type: 'OPTIONAL', num_children: 2 },
        { name: 'bytes', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY' },
        { name: 'path', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      ],
      convert: (bytes) => ({ bytes, path: null }),
    };
  if (shape.length === 0)
    return { ...common, schema: [{ ...typeOf(kind), name, repetition_type }], convert: toStored };
  return {
    ...common,
    // The three levels of parquet-format's LogicalTypes.md, "Lists".
    schema: [
      { name, repetition_type, converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { ...typeOf(kind), name: 'element', repetition_type: 'REQUIRED' },
    ],
    convert: (values) => Array.from(values as ArrayLike<unknown>, toStored),
  };
}

function typeOf(kind: Feature['kind']): Pick<SchemaElement, 'type' | 'converted_type'> {
  if (kind === 'int64') return { type: 'INT64' };
  if (kind === 'float32') return { type: 'FLOAT' };
  return kind === 'text' ? { type: 'BYTE_ARRAY', converted_type: 'UTF8' } : { type: 'BYTE_ARRAY' };
}

/** What `datasets` calls the types of these columns (huggingface.co/docs/datasets, "Features"). */
function huggingFaceFeatures(features: Features): object {
  return Object.fromEntries(
    Object.entries(features).map(([name, { kind, shape, image }]) => {
      if (image !== undefined && image.encoding !== 'raw') return [name, { _type: 'Image' }];
      const dtype = kind === 'text' ? 'string' : kind === 'int64' || kind === 'float32' ? kind : 'binary';
      const value = { dtype, _type: 'Value' };
      return [name, shape.length === 0 ? value : { feature: value, _type: 'Sequence' }];
    }),
  );
}

/** hyparquet-writer's buffer, emptied into the file after each row group and at the end. */
function flushingWriter(file: HashedFile): ByteWriter {
  const writer = new ByteWriter();
  const flush = (): void => {
    file.write(writer.getBytes());
    writer.index = 0;
  };
  return Object.assign(writer, { flush, finish: flush });
}

/** What a value weighs in a row group: a number in a list has levels beside it while it is encoded, and counts as eight. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Float32Array) return 8 * value.byteLength;
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + 8 + sizeOf(item), 0);
  return 8;
}
