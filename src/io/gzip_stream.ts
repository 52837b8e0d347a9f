/** Walks through a gzip file by hand, member by member and from any known place: what indexing and reading share. */

import { readSync } from 'node:fs';
import { damagedArchive, unreadableFile } from './archive_entry.js';
import { startOfDeflate } from './deflate_start.js';
import { type InflateStop, RawInflater } from './raw_inflate.js';

/** A file that is open, and its name for messages. */
export interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly bytes: number;
}

/**
 * Why `inflate` came back: its output is full, a block ended where that was asked for, the member's data ended, or the
 * input at hand is used up (call it again).
 */
export type GzipPause = 'full' | 'block' | 'member' | 'input';

/** The end of a member: what its contents should be (RFC 1952, section 2.3.1). */
export interface GzipTrailer {
  readonly crc32: number;
  /** Modulo 2^32. */
  readonly bytes: number;
}

/** One gzip file. It reads in whole, aligned chunks, so that what it does at a place never depends on how it came there. */
export class GzipStream {
  readonly #file: OpenFile;
  readonly #inflater = new RawInflater();
  readonly #chunk: Buffer;
  #at = 0;
  #end = 0;
  /** Where in the file the chunk's end is. */
  #readTo = 0;
  #produced = 0;
  #isCutOff = false;

  /** @throws Error where this version of Node can't do it. */
  constructor(file: OpenFile, chunkBytes: number) {
    this.#file = file;
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
  }

  /** The offset of the next byte of the file that is not used yet. */
  get position(): number {
    return this.#readTo - (this.#end - this.#at);
  }

  /** Bytes that the last call of `inflate` gave. */
  get produced(): number {
    return this.#produced;
  }

  /** Whether an error was thrown because the file ends too early: all that came before it is as it should be. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /** Goes to another place of the file, where a member begins or its data do. */
  seek(position: number): void {
    this.#inflater.reset();
    this.#readTo = position;
    this.#at = 0;
    this.#end = 0;
  }

  /** Goes into the middle of a member's data: to `position`, with `bits` of the byte before unused, after `window`. */
  seekInto(position: number, bits: number, window: Uint8Array): void {
    if (bits === 0 && window.length === 0) {
      this.seek(position);
      return;
    }
    this.seek(position - 1);
    const partial = this.#byte();
    const start = startOfDeflate(window, bits, partial);
    const output = { bytes: new Uint8Array(window.length), start: 0, end: window.length };
    this.#feed({ bytes: start, start: 0, end: start.length }, output);
  }

  /**
   * Opens the member that begins here. False where the file ends, or nothing but zeros are left, as tapes have them.
   * @throws UserError where something else is there.
   */
  openMember(): boolean {
    const from = this.position;
    let first = this.#byteOrEnd();
    while (first === 0) first = this.#byteOrEnd();
    if (first === undefined) return false;
    this.#openAfter(first, from);
    return true;
  }

  /** Inflates into `output` from `start` up to `end`. @throws UserError where the file is damaged or cut off. */
  inflate(output: Uint8Array, start: number, end: number, stop: InflateStop): GzipPause {
    this.#produced = 0;
    if (this.#at === this.#end && !this.#refill()) throw this.#cutOff();
    const range = { bytes: output, start, end };
    this.#produced = this.#feed({ bytes: this.#chunk, start: this.#at, end: this.#end }, range, stop);
    if (start + this.#produced === end) return 'full';
    if (this.#at === this.#end) return 'input';
    return stop === 'at the next block' ? 'block' : 'member';
  }

  /** Leaves a member whose data have ended. */
  closeMember(): GzipTrailer {
    this.#inflater.reset();
    const word = (): number =>
      (this.#byte() | (this.#byte() << 8) | (this.#byte() << 16) | (this.#byte() << 24)) >>> 0;
    return { crc32: word(), bytes: word() };
  }

  /** Bytes of the file at a place, without going there: fewer where it ends. */
  peek(position: number, bytes: number): Buffer {
    const found = Buffer.allocUnsafe(Math.max(0, Math.min(bytes, this.#file.bytes - position)));
    return found.subarray(0, readAt(this.#file, found, position));
  }

  /** The error for what is wrong at the place where the stream stands. */
  damage(cause: unknown): Error {
    return damagedArchive(`${this.#file.path}, byte ${this.position}`, cause);
  }

  close(): void {
    this.#inflater.close();
  }

  #feed(
    input: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
    output: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
    stop: InflateStop = 'only at the end',
  ): number {
    try {
      const { consumed, produced } = this.#inflater.step({ input, output, stop });
      if (input.bytes === this.#chunk) this.#at += consumed;
      return produced;
    } catch (error) {
      throw this.damage(error);
    }
  }

  /** RFC 1952, section 2.3: the rest of a member's header. */
  #openAfter(first: number, from: number): void {
    const [second, method, flags] = [this.#byte(), this.#byte(), this.#byte()];
    if (first !== 0x1f || second !== 0x8b)
      throw damagedArchive(`${this.#file.path}, byte ${from}`, 'what follows is not gzip');
    if (method !== 8 || (flags & RESERVED) !== 0) throw this.damage('a gzip header of an unknown kind');
    this.#skip(6);
    if ((flags & HAS_EXTRA) !== 0) this.#skip(this.#byte() | (this.#byte() << 8));
    for (const text of [HAS_NAME, HAS_COMMENT]) if ((flags & text) !== 0) while (this.#byte() !== 0);
    if ((flags & HAS_HEADER_CRC) !== 0) this.#skip(2);
    this.#inflater.reset();
  }

  #skip(bytes: number): void {
    for (let i = 0; i < bytes; i++) this.#byte();
  }

  #byte(): number {
    const byte = this.#byteOrEnd();
    if (byte === undefined) throw this.#cutOff();
    return byte;
  }

  #byteOrEnd(): number | undefined {
    if (this.#at === this.#end && !this.#refill()) return undefined;
    return this.#chunk[this.#at++];
  }

  #refill(): boolean {
    const size = this.#chunk.length;
    const upTo = Math.min(this.#file.bytes, (Math.floor(this.#readTo / size) + 1) * size);
    const bytes = readAt(this.#file, this.#chunk.subarray(0, Math.max(0, upTo - this.#readTo)), this.#readTo);
    this.#at = 0;
    this.#end = bytes;
    this.#readTo += bytes;
    return bytes > 0;
  }

  #cutOff(): Error {
    this.#isCutOff = true;
    return this.damage('it ends in the middle of its data');
  }
}

/** Fills `into` from a place of a file; gives the number of bytes, fewer only at its end. */
export function readAt({ fd, path }: OpenFile, into: Uint8Array, position: number): number {
  let done = 0;
  try {
    while (done < into.length) {
      const bytes = readSync(fd, into, done, into.length - done, position + done);
      if (bytes === 0) break;
      done += bytes;
    }
  } catch (error) {
    throw unreadableFile(path, error);
  }
  return done;
}

/** Flags of RFC 1952, section 2.3.1. */
const HAS_HEADER_CRC = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
const RESERVED = 0xe0;
