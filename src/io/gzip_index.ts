/** Access points into a gzip file: places from which it can be inflated without what comes before, found while inflating it once. */

import { crc32 } from 'node:zlib';
import { ARCHIVE_CHUNK_BYTES } from './archive_entry.js';
import { WINDOW_BYTES } from './deflate_start.js';
import { type GzipPause, GzipStream, type OpenFile } from './gzip_stream.js';
import { type InflateStop, RawInflater } from './raw_inflate.js';
import { packWindow, resolveStart } from './sparse_window.js';

/** A place between two deflate blocks, or at the first of a member. */
export interface AccessPoint {
  /** The offset in the gzip file of the first byte that is not used yet. */
  readonly position: number;
  /** The offset in what the file inflates to. */
  readonly outPosition: number;
  /** How many bits of the byte before `position` belong to what follows, 0 to 7. */
  readonly bits: number;
  /** The bytes before that what follows copies, as `packWindow` gives them. */
  readonly window: Uint8Array;
}

/** What is needed besides an access point to go on checking from there: the member's CRC-32 and bytes so far. */
export interface MemberSum {
  readonly crc32: number;
  /** Modulo 2^32. */
  readonly bytes: number;
}

/** One piece of what a gzip file inflates to. */
export interface GzipPiece {
  /** Valid until the next piece is asked for; may be empty. */
  readonly output: Uint8Array;
  /** There is an access point where this piece begins. */
  readonly point?: AccessPoint;
  /** That point as a place to begin again. */
  readonly restart?: { readonly position: number; readonly sum: MemberSum };
}

/** Where to begin: at an access point that was found before. */
export interface GzipStart {
  readonly point: AccessPoint;
  readonly window: Uint8Array;
  readonly sum: MemberSum;
}

/**
 * Inflates a gzip file from its beginning or from an access point, and finds access points, one for each `spanBytes` of
 * output at most. They depend on the file alone, wherever it was begun. Checks every member's CRC-32 and length.
 */
export class GzipWalker {
  readonly #stream: GzipStream;
  readonly #prober = new RawInflater();
  readonly #spanBytes: number;
  /** History, then the piece: matches reach back over pieces. */
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES + PIECE_BYTES);
  #history = 0;
  #filled = 0;
  #outPosition: number;
  #lastPoint: number;
  #crc: number;
  #memberBytes: number;
  #isInMember: boolean;
  /** The place of a block that begins, whose point is not known yet. */
  #candidate: Candidate | undefined;
  /** After an access point the first piece is as long as the check of a candidate: wherever one began, the steps are the same. */
  #isFirst: boolean;
  #failure: unknown;
  #isBehind = false;

  /** `spanBytes` is 64 KiB at least, so that a window never reaches back over the point before. */
  constructor(file: OpenFile, spanBytes: number, start?: GzipStart) {
    this.#stream = new GzipStream(file, READ_BYTES);
    this.#spanBytes = Math.max(spanBytes, 2 * WINDOW_BYTES);
    this.#isInMember = start !== undefined;
    this.#isFirst = start !== undefined && (start.window.length > 0 || start.point.bits > 0);
    this.#outPosition = start?.point.outPosition ?? 0;
    this.#lastPoint = start?.point.outPosition ?? Number.NEGATIVE_INFINITY;
    this.#crc = start?.sum.crc32 ?? 0;
    this.#memberBytes = start?.sum.bytes ?? 0;
    if (start === undefined) return;
    this.#stream.seekInto(start.point.position, start.point.bits, start.window);
    this.#history = start.window.length;
    this.#buffer.set(start.window, WINDOW_BYTES - start.window.length);
  }

  /** The offset in the gzip file of what is not used yet. */
  get position(): number {
    return this.#stream.position;
  }

  /** Whether `next` threw because the file ends too early. */
  get isCutOff(): boolean {
    return this.#stream.isCutOff;
  }

  /** Whether `next` threw because what stands behind a whole member is not gzip. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * The next piece, or undefined at the end of the file. Works on at most 256 KiB of input or output.
   * @throws UserError where the file is damaged or cut off.
   */
  next(): GzipPiece | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isInMember) return this.#openMember() ? this.#beginMember() : undefined;
    const spanLeft = this.#lastPoint + this.#spanBytes - this.#outPosition;
    const isChecking = this.#candidate !== undefined || this.#isFirst;
    const isDue = !isChecking && spanLeft <= 0;
    // The 32 KiB after a place tell which of the bytes before it are needed.
    const limit = isChecking ? WINDOW_BYTES : isDue ? PIECE_BYTES : Math.min(PIECE_BYTES, spanLeft);
    const pause = this.#inflate(limit, isDue ? 'at the next block' : 'only at the end');
    if (pause === 'input' && isChecking) return { output: EMPTY };
    this.#isFirst = false;
    const piece = this.#takePiece();
    if (pause === 'block')
      this.#candidate = {
        position: this.#stream.position,
        window: new Uint8Array(this.#buffer.subarray(WINDOW_BYTES - this.#history, WINDOW_BYTES)),
      };
    if (pause === 'member') this.#endMember();
    return piece;
  }

  close(): void {
    this.#stream.close();
    this.#prober.close();
  }

  #openMember(): boolean {
    const isFirst = this.#lastPoint === Number.NEGATIVE_INFINITY;
    try {
      return this.#stream.openMember();
    } catch (error) {
      this.#isBehind = !isFirst;
      throw error;
    }
  }

  #beginMember(): GzipPiece {
    this.#isInMember = true;
    this.#crc = 0;
    this.#memberBytes = 0;
    this.#history = 0;
    if (this.#outPosition - this.#lastPoint < this.#spanBytes) return { output: EMPTY };
    this.#lastPoint = this.#outPosition;
    return {
      output: EMPTY,
      point: { position: this.#stream.position, outPosition: this.#outPosition, bits: 0, window: EMPTY },
      restart: { position: this.#stream.position, sum: { crc32: 0, bytes: 0 } },
    };
  }

  /** What was inflated before an error is given first, and the error with the next piece. */
  #inflate(limit: number, stop: InflateStop): GzipPause {
    try {
      const from = WINDOW_BYTES + this.#filled;
      const pause = this.#stream.inflate(this.#buffer, from, WINDOW_BYTES + limit, stop);
      this.#filled += this.#stream.produced;
      return pause;
    } catch (error) {
      if (this.#filled === 0) throw error;
      this.#failure = error;
      this.#candidate = undefined;
      return 'full';
    }
  }

  #takePiece(): GzipPiece {
    const output = this.#buffer.subarray(WINDOW_BYTES, WINDOW_BYTES + this.#filled);
    const point = this.#candidate === undefined ? undefined : this.#resolve(this.#candidate, output);
    const sum = { crc32: this.#crc, bytes: this.#memberBytes };
    // Where a candidate came to nothing the next span is waited for, too: trying costs more than inflating.
    if (this.#candidate !== undefined) this.#lastPoint = this.#outPosition;
    this.#candidate = undefined;
    this.#crc = crc32(output, this.#crc);
    this.#memberBytes = (this.#memberBytes + output.length) >>> 0;
    this.#outPosition += output.length;
    const end = WINDOW_BYTES + this.#filled;
    this.#history = Math.min(WINDOW_BYTES, this.#history + this.#filled);
    this.#buffer.copyWithin(WINDOW_BYTES - this.#history, end - this.#history, end);
    this.#filled = 0;
    return point === undefined ? { output } : { output, point, restart: { position: point.position, sum } };
  }

  #resolve({ position, window }: Candidate, following: Uint8Array): AccessPoint | undefined {
    if (following.length < MIN_PROOF_BYTES) return undefined;
    const data = this.#stream.peek(position - 1, PROBE_BYTES);
    const resolved = resolveStart(this.#prober, { window, following, data });
    if (resolved === undefined) return undefined;
    return {
      position,
      outPosition: this.#outPosition,
      bits: resolved.bits,
      window: packWindow(resolved.window),
    };
  }

  #endMember(): void {
    this.#isInMember = false;
    try {
      const { crc32: expected, bytes } = this.#stream.closeMember();
      if (expected === this.#crc && bytes === this.#memberBytes) return;
      this.#failure = this.#stream.damage('the checksum of a gzip member differs from its contents');
    } catch (error) {
      this.#failure = error;
    }
  }
}

interface Candidate {
  readonly position: number;
  /** Up to 32 KiB before it. */
  readonly window: Uint8Array;
}

/** As for tars that are streamed, 256 KiB: larger steps are no faster. */
const PIECE_BYTES = ARCHIVE_CHUNK_BYTES;
const READ_BYTES = ARCHIVE_CHUNK_BYTES;

/** What inflates to 32 KiB is seldom longer itself: 32 KiB stored, or the worst of Huffman codes, 15 bits a byte. */
const PROBE_BYTES = 2 * WINDOW_BYTES;

/** Less than this at the end of a member proves too little, and is as well read from the point before. */
const MIN_PROOF_BYTES = 1024;

const EMPTY = new Uint8Array(0);
