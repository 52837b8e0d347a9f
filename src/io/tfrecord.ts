/** TFRecord files: the framing, a writer that examples are encoded into directly, and the index beside a shard. */

import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync } from 'node:fs';
import { crc32cInJavaScript, maskCrc32c, maskedCrc32c } from './crc32c.js';
import { UserError, unwritable } from './errors.js';
import type { ExampleEncoder, ExampleSink } from './example.js';
import type { ExampleValues, Features } from './features.js';
import { writeFully } from './write_fully.js';

/**
 * A frame is `uint64 length | uint32 masked crc32c(length) | data | uint32 masked crc32c(data)`, little endian
 * (tensorflow/core/lib/io/record_writer.h).
 */
export const HEAD_BYTES = 12;
export const TAIL_BYTES = 4;
export const FRAMING_BYTES = HEAD_BYTES + TAIL_BYTES;

/** Where a record stands in its file: bytes before its frame, and bytes of the whole frame. */
export interface IndexEntry {
  readonly offset: number;
  readonly length: number;
}

/** What a finished file is. */
export interface WrittenFile {
  readonly records: number;
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the file; empty where `digest` was 'none'. */
  readonly sha256: string;
  readonly index: readonly IndexEntry[];
}

/** What a file can go without; shards go without nothing. */
export interface WriterOptions {
  /** Takes more time than encoding and writing together. 'sha256' where not said. */
  readonly digest?: 'sha256' | 'none';
  /** Whether `finish()` waits until the disk holds the file. 'disk' where not said. */
  readonly sync?: 'disk' | 'none';
}

/** The frame of one record, for those who write it somewhere else than to a file. */
export function frameRecord(payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafeSlow(payload.length + FRAMING_BYTES);
  frame.set(payload, HEAD_BYTES);
  closeFrame(frame, 0, payload.length);
  return frame;
}

/** Writes head and tail around a payload that stands at `start` + 12 already. */
export function closeFrame(bytes: Uint8Array, start: number, payloadBytes: number): void {
  putUint32(bytes, start, payloadBytes);
  putUint32(bytes, start + 4, Math.floor(payloadBytes / 2 ** 32));
  putUint32(bytes, start + 8, maskCrc32c(crc32cInJavaScript(bytes, start, start + 8)));
  const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + start + HEAD_BYTES, payloadBytes);
  putUint32(bytes, start + HEAD_BYTES + payloadBytes, maskedCrc32c(payload));
}

/** Little endian, modulo 2^32. */
function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/**
 * Writes a TFRecord file, synchronously and in large pieces: it belongs on a worker thread. The path is a temporary
 * one; whoever made the writer renames the file when `finish()` has returned, and calls `abort()` otherwise.
 */
export class RecordWriter {
  readonly path: string;
  private file: number | undefined;
  private readonly hash: Hash | undefined;
  private readonly sync: 'disk' | 'none';
  private readonly entries: IndexEntry[] = [];
  private readonly sink: ChunkSink;
  private written = 0;

  /** Creates or empties the file. @throws UserError where it can't be written. */
  static create(path: string, options: WriterOptions = {}): RecordWriter {
    return new RecordWriter(path, options);
  }

  private constructor(path: string, { digest = 'sha256', sync = 'disk' }: WriterOptions) {
    this.path = path;
    this.hash = digest === 'none' ? undefined : createHash(digest);
    this.sync = sync;
    this.sink = new ChunkSink((chunk) => this.flush(chunk));
    this.file = this.attempt(() => openSync(path, 'w'));
  }

  /** Records written so far. */
  get records(): number {
    return this.entries.length;
  }

  /** Bytes of the file so far, those that are still in memory included. */
  get bytes(): number {
    return this.written + this.sink.used;
  }

  /** Adds a record; the payload may be reused afterwards. @throws UserError where the file can't be written. */
  write(payload: Uint8Array): void {
    const position = this.sink.reserve(payload.length);
    this.sink.bytes.set(payload, position);
    this.close(payload.length);
  }

  /**
   * Encodes an example between the head and the tail of its frame, without a copy.
   * @throws UserError where a value does not fit its feature (nothing is then written) or the file can't be written.
   */
  writeExample<F extends Features>(encoder: ExampleEncoder<F>, values: ExampleValues<F>): void {
    this.close(encoder.encodeInto(values, this.sink));
  }

  /** Writes what is left and waits until the disk holds it. The writer can't be used afterwards. */
  finish(): WrittenFile {
    this.sink.flush();
    const file = this.openFile();
    if (this.sync === 'disk') this.attempt(() => fsyncSync(file));
    this.file = undefined;
    this.attempt(() => closeSync(file));
    return {
      records: this.records,
      bytes: this.written,
      sha256: this.hash?.digest('hex') ?? '',
      index: this.entries,
    };
  }

  /** Closes and removes the file: also after `finish()`, and more than once. */
  abort(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
    rmSync(this.path, { force: true });
  }

  private close(payloadBytes: number): void {
    const offset = this.bytes;
    const length = payloadBytes + FRAMING_BYTES;
    closeFrame(this.sink.bytes, this.sink.used, payloadBytes);
    this.sink.used += length;
    this.entries.push({ offset, length });
  }

  private flush(chunk: Uint8Array): void {
    const file = this.openFile();
    this.hash?.update(chunk);
    this.attempt(() => writeFully(file, chunk));
    this.written += chunk.length;
  }

  private openFile(): number {
    if (this.file === undefined) throw new Error(`${this.path} is finished or given up already`);
    return this.file;
  }

  private attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw unwritable('the file', this.path, cause);
    }
  }
}

/** A path's index in the form of NVIDIA DALI's `tfrecord2idx`, which PyTorch's `tfrecord` package takes too: `offset length` a line. */
export function formatIndex(entries: readonly IndexEntry[]): string {
  let lines = '';
  for (const { offset, length } of entries) lines += `${offset} ${length}\n`;
  return lines;
}

/**
 * Reads an index file. Where `fileBytes` is given, the frames must fill a file of that size exactly.
 * @throws UserError naming the line where it is no index: frames follow each other without gaps from offset 0.
 */
export function readIndex(path: string, fileBytes?: number): IndexEntry[] {
  const entries: IndexEntry[] = [];
  const scan = new IndexScan(path, (offset, length) => entries.push({ offset, length }));
  scan.take(readFileSync(path));
  scan.finish(fileBytes);
  return entries;
}

/** Reads an index piece by piece, for those of millions of lines: `visit` gets each frame's offset and length in bytes. */
export class IndexScan {
  private readonly path: string;
  private readonly visit: (offset: number, length: number) => void;
  private line = 1;
  /** Where the last frame ends. */
  private end = 0;
  private offset: number | undefined;
  private value = 0;
  private digits = 0;

  constructor(path: string, visit: (offset: number, length: number) => void) {
    this.path = path;
    this.visit = visit;
  }

  /** The next piece of the file. @throws UserError naming the line where it is no index. */
  take(piece: Uint8Array): void {
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]!;
      if (byte >= 0x30 && byte <= 0x39 && this.digits < MAX_DIGITS) {
        this.value = 10 * this.value + byte - 0x30;
        this.digits += 1;
      } else if (byte === 0x20 && this.offset === undefined && this.digits > 0) {
        this.offset = this.value;
        this.value = this.digits = 0;
      } else if (byte === 0x0a && this.offset !== undefined && this.digits > 0) this.endLine(this.offset);
      else throw this.wrong('not "offset length" in bytes');
    }
  }

  /** The end of the file. @throws UserError where the last line does not end, or not where the shard does. */
  finish(fileBytes?: number): void {
    if (this.offset !== undefined || this.digits > 0)
      throw this.wrong('the index is cut off: its last line does not end');
    if (fileBytes !== undefined && this.end !== fileBytes)
      throw this.wrong(
        `the index ends at byte ${this.end}, its shard at ${fileBytes}`,
        Math.max(1, this.line - 1),
      );
  }

  private endLine(offset: number): void {
    const length = this.value;
    if (offset !== this.end) throw this.wrong(`offset ${offset} where the record before ends at ${this.end}`);
    if (length < FRAMING_BYTES) throw this.wrong(`a record of ${length} bytes, less than its framing`);
    this.visit(offset, length);
    this.end += length;
    this.offset = undefined;
    this.value = this.digits = 0;
    this.line += 1;
  }

  private wrong(what: string, line = this.line): UserError {
    return new UserError(what, {
      where: `${this.path}, line ${line}`,
      remedy: 'make the index again from its shard',
    });
  }
}

/** Of a number below 2^53. */
const MAX_DIGITS = 16;

/** Larger pieces are no faster; with the default write stream files take five to ten times as long. */
const CHUNK_BYTES = 1 << 20;

/** Gathers frames and passes them on in large pieces. `used` bytes are whole frames; what is reserved comes after them. */
class ChunkSink implements ExampleSink {
  bytes: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  used = 0;
  private readonly emit: (chunk: Uint8Array) => void;

  constructor(emit: (chunk: Uint8Array) => void) {
    this.emit = emit;
  }

  /** Room for a payload of `size` bytes with its head before and its tail after; gives the payload's position. */
  reserve(size: number): number {
    const frame = size + FRAMING_BYTES;
    if (this.used + frame > this.bytes.length) {
      this.flush();
      // A record larger than a chunk gets a buffer of its own, given back at the next flush.
      if (frame > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(frame);
    }
    return this.used + HEAD_BYTES;
  }

  flush(): void {
    if (this.used > 0) this.emit(this.bytes.subarray(0, this.used));
    this.used = 0;
    if (this.bytes.length > CHUNK_BYTES) this.bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }
}
