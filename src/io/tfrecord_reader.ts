/** Reads TFRecord files, whole or at an offset, believing nothing that is in them: every error names file, record and byte. */

import type { FileHandle } from 'node:fs/promises';
import { crc32cInJavaScript, maskCrc32c, maskedCrc32c } from './crc32c.js';
import { UserError } from './errors.js';
import { openRecordSource } from './record_source.js';
import { FRAMING_BYTES, HEAD_BYTES, type IndexEntry } from './tfrecord.js';

/** A record as it was read. `data` is a view of a buffer that is never reused: it holds for ever, and keeps up to 1 MiB alive. */
export interface TfRecord {
  /** 0 for the first of the file. */
  readonly index: number;
  /** Where its frame begins, in bytes (of the unpacked content where the file is gzip). */
  readonly offset: number;
  readonly data: Uint8Array;
}

export type RecordFault =
  | 'length-crc'
  | 'data-crc'
  | 'truncated'
  | 'too-long'
  | 'not-as-indexed'
  | 'gzip'
  | 'unreadable';

/** A TFRecord file that is damaged, and where. */
export class RecordError extends UserError {
  readonly fault: RecordFault;
  readonly file: string;
  /** Number of the record, 0 for the first. */
  readonly record: number;
  /** Where that record's frame begins, in bytes. */
  readonly offset: number;

  constructor(fault: RecordFault, what: string, place: RecordPlace, cause?: unknown) {
    const { file, record, offset } = place;
    super(what, { where: `${file}, record ${record} at byte ${offset}`, remedy: REMEDY, cause });
    this.name = 'RecordError';
    this.fault = fault;
    this.file = file;
    this.record = record;
    this.offset = offset;
  }
}

export interface RecordPlace {
  readonly file: string;
  readonly record: number;
  readonly offset: number;
}

export interface ReadOptions {
  /** Whether the checksums of the data are checked; those of the lengths always are. True where not said. */
  readonly verify?: boolean;
  /** A longer record is refused. 256 MiB where not said; protobuf's own limit is 2 GiB. */
  readonly maxRecordBytes?: number;
}

/**
 * The records of a file, gzip or not, in order.
 * @throws RecordError where the file is damaged or can't be read; records before that place have been given.
 */
export async function* readRecords(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<TfRecord, void, undefined> {
  for await (const batch of readRecordBatches(path, options)) yield* batch;
}

/** Like `readRecords`, by the hundred: as many at a time as one piece of the file held, which is faster. */
export async function* readRecordBatches(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<TfRecord[], void, undefined> {
  const scan = new FrameScan(path, options);
  const source = await openRecordSource(path, (head) => lengthIsRight(head, 0)).catch((cause: unknown) => {
    throw unreadable(scan, cause);
  });
  try {
    for (;;) {
      const piece = await source.next().catch((cause: unknown) => {
        throw unreadable(scan, cause);
      });
      if (piece === undefined) break;
      const batch: TfRecord[] = [];
      let damage: unknown;
      try {
        scan.takePiece(piece, batch, source.size);
      } catch (error) {
        damage = error;
      }
      if (batch.length > 0) yield batch;
      if (damage !== undefined) throw damage;
    }
    scan.end();
  } finally {
    await source.close();
  }
}

/**
 * The records of a file that is in memory, as views of it. `file` is its name for errors.
 * @throws RecordError like `readRecords`.
 */
export function* recordsInBuffer(
  bytes: Uint8Array,
  options: ReadOptions & { readonly file?: string } = {},
): Generator<TfRecord, void, undefined> {
  const scan = new FrameScan(options.file ?? 'buffer', options);
  let start = 0;
  for (;;) {
    const record = scan.takeOne(bytes, start, bytes.length, bytes.length - start);
    if (record === undefined) break;
    yield record;
    start += record.data.length + FRAMING_BYTES;
  }
  if (start < bytes.length) throw scan.truncated(bytes.length - start);
}

/**
 * One record, found by an index, of a file that is not gzip. `place` is for errors.
 * @throws RecordError where there is no such record at that place.
 */
export async function readRecordAt(
  handle: FileHandle,
  entry: IndexEntry,
  place: { readonly file: string; readonly record: number },
  options: ReadOptions = {},
): Promise<TfRecord> {
  const scan = new FrameScan(place.file, options, place.record, entry.offset);
  const { size } = await handle.stat();
  if (entry.length < FRAMING_BYTES || entry.offset + entry.length > size)
    throw notAsIndexed(`the index says ${entry.length} bytes, the file ends before`, scan);
  const bytes = new Uint8Array(entry.length);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, entry.offset + filled);
    if (bytesRead === 0) throw scan.truncated(filled);
    filled += bytesRead;
  }
  return recordInFrame(bytes, { ...place, offset: entry.offset }, options);
}

/**
 * The record whose frame `bytes` are, from first to last, as the index said. `place` is for errors.
 * @throws RecordError where they are no such frame.
 */
export function recordInFrame(bytes: Uint8Array, place: RecordPlace, options: ReadOptions = {}): TfRecord {
  const scan = new FrameScan(place.file, options, place.record, place.offset);
  const record = scan.takeOne(bytes, 0, bytes.length, undefined);
  if (record === undefined || record.data.length !== bytes.length - FRAMING_BYTES)
    throw notAsIndexed(`the index says ${bytes.length} bytes, the record another length`, place);
  return record;
}

function notAsIndexed(what: string, place: RecordPlace): RecordError {
  return new RecordError('not-as-indexed', what, place);
}

/** Whether a file is gzip by its first bytes, and not a plain one whose first record's length begins like that. */
export async function isGzipFile(path: string): Promise<boolean> {
  const source = await openRecordSource(path, (head) => lengthIsRight(head, 0));
  await source.close();
  return source.size === undefined;
}

const REMEDY = 'make the file again, or fetch an undamaged copy';

/** Goes from frame to frame; its public members are the place of the next record. */
class FrameScan implements RecordPlace {
  readonly file: string;
  record: number;
  offset: number;
  /** Bytes from the record's beginning that must be at hand to go on: a head, or the whole frame once its head was seen. */
  needed = HEAD_BYTES;
  /** The beginning of a record that the next piece goes on with. */
  private held: Uint8Array = NOTHING;
  private heldBytes = 0;
  private readonly verify: boolean;
  private readonly maxRecordBytes: number;

  constructor(file: string, options: ReadOptions, record = 0, offset = 0) {
    this.file = file;
    this.record = record;
    this.offset = offset;
    this.verify = options.verify ?? true;
    this.maxRecordBytes = options.maxRecordBytes ?? 256 * 2 ** 20;
  }

  /** Adds to `batch` all records that end in this piece, the next of the file; what is left of it is kept for the next. */
  takePiece(piece: Uint8Array, batch: TfRecord[], fileBytes: number | undefined): void {
    const left = () => (fileBytes === undefined ? undefined : fileBytes - this.offset);
    let start = 0;
    while (this.heldBytes > 0) {
      const count = Math.min(this.needed - this.heldBytes, piece.length - start);
      if (count === 0) return;
      this.hold(piece.subarray(start, start + count));
      start += count;
      const record = this.takeOne(this.held, 0, this.heldBytes, left());
      if (record === undefined) continue; // its head is whole now, or the piece is used up
      batch.push(record);
      this.held = NOTHING;
      this.heldBytes = 0;
    }
    for (;;) {
      const record = this.takeOne(piece, start, piece.length, left());
      if (record === undefined) break;
      batch.push(record);
      start += record.data.length + FRAMING_BYTES;
    }
    this.held = piece.subarray(start);
    this.heldBytes = this.held.length;
  }

  /** Adds to the beginning of a record. The buffer grows as bytes come: a length that is only claimed costs no memory. */
  private hold(more: Uint8Array): void {
    const bytes = this.heldBytes + more.length;
    if (bytes > this.held.length) {
      const grown = new Uint8Array(Math.max(bytes, Math.min(this.needed, 2 * bytes)));
      grown.set(this.held.subarray(0, this.heldBytes));
      this.held = grown;
    }
    this.held.set(more, this.heldBytes);
    this.heldBytes = bytes;
  }

  /** @throws RecordError where a record has begun and not ended. */
  end(): void {
    if (this.heldBytes > 0) throw this.truncated(this.heldBytes);
  }

  /** The record at `start`, or undefined where not all of it is before `end`. `left` bytes are in the file from there on. */
  takeOne(bytes: Uint8Array, start: number, end: number, left: number | undefined): TfRecord | undefined {
    this.needed = HEAD_BYTES;
    if (end - start < HEAD_BYTES) return undefined;
    if (!lengthIsRight(bytes, start))
      throw new RecordError('length-crc', 'the checksum of the record length is wrong', this);
    const length = uint32(bytes, start) + uint32(bytes, start + 4) * 2 ** 32;
    if (length > this.maxRecordBytes)
      throw new RecordError(
        'too-long',
        `a record of ${length} bytes, more than ${this.maxRecordBytes}`,
        this,
      );
    const frame = length + FRAMING_BYTES;
    if (left !== undefined && frame > left) throw this.truncated(left);
    this.needed = frame;
    if (end - start < frame) return undefined;
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset + start + HEAD_BYTES, length);
    if (this.verify && maskedCrc32c(data) !== uint32(bytes, start + HEAD_BYTES + length))
      throw new RecordError('data-crc', 'the checksum of the record data is wrong', this);
    const record: TfRecord = { index: this.record, offset: this.offset, data };
    this.needed = HEAD_BYTES;
    this.record++;
    this.offset += frame;
    return record;
  }

  truncated(bytes: number): RecordError {
    const wanted = this.needed === HEAD_BYTES ? 'its head alone' : `${this.needed}`;
    return new RecordError(
      'truncated',
      `the file ends after ${bytes} bytes of a record that takes ${wanted}`,
      this,
    );
  }
}

const NOTHING = new Uint8Array(0);

function unreadable(place: RecordPlace, cause: unknown): RecordError {
  const { code = '', message = '' } = cause as NodeJS.ErrnoException;
  if (code.startsWith('Z_'))
    return new RecordError('gzip', `the gzip stream is damaged (${message})`, place, cause);
  return new RecordError('unreadable', `the file can't be read (${code || message})`, place, cause);
}

function lengthIsRight(bytes: Uint8Array, start: number): boolean {
  return maskCrc32c(crc32cInJavaScript(bytes, start, start + 8)) === uint32(bytes, start + 8);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
