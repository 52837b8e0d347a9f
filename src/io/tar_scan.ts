/** Scans a tar as it goes by, in pieces of any size, and tells its files; its state can be kept and taken up again. */

import { crc32 } from 'node:zlib';
import { checkedEntryName } from './archive_entry.js';
import type { UnpackMeter } from './archive_limits.js';
import { BLOCK_BYTES, tarEntryKind } from './tar.js';
import { decodeLongName, decodePaxRecords, decodeTarBlock, type TarBlock } from './tar_header.js';

/** A file of a tar that was seen to its end. */
export interface ScannedMember {
  /** As `checkedEntryName` gives it. */
  readonly name: string;
  /** Where its contents begin in the tar, and how many bytes they are. */
  readonly offset: number;
  readonly bytes: number;
  /** CRC-32 of the contents. */
  readonly crc32: number;
}

/** All that a scanner knows between two pieces; plain JSON. */
export interface TarScanState {
  readonly position: number;
  /** Entries of every kind, so far. */
  readonly entries: number;
  /** Files among them that were seen to their end. */
  readonly members: number;
  /** Links, devices and sparse files among them: what may have been meant as a file, and is none. */
  readonly passedOver: number;
  /** Where the contents of the last entry end, with their padding. */
  readonly entriesEnd: number;
  readonly sawZeros: boolean;
  /** Bytes to pass over before the next header. */
  readonly skip: number;
  /** Bytes that are still to come of `entry`'s contents or of the long header `long`. */
  readonly left: number;
  readonly entry: ScannedMember | null;
  readonly long: string | null;
  /** The beginning of a header or long header, base64. */
  readonly part: string;
  readonly longName: string | null;
  readonly pax: Readonly<Record<string, string>> | null;
  readonly paxGlobal: Readonly<Record<string, string>> | null;
}

/** What a tar scanner starts with. */
export const TAR_START: TarScanState = {
  position: 0,
  entries: 0,
  members: 0,
  passedOver: 0,
  entriesEnd: 0,
  sawZeros: false,
  skip: 0,
  left: 0,
  entry: null,
  long: null,
  part: '',
  longName: null,
  pax: null,
  paxGlobal: null,
};

/**
 * Gives every file to `onMember` once its last byte has gone by, in the order of the archive; folders, links, devices
 * and sparse files are passed over as `readTar` passes over what nobody opens, and the same archives are refused.
 */
export class TarScanner {
  readonly #archive: string;
  readonly #meter: UnpackMeter;
  readonly #onMember: (member: ScannedMember) => void;
  #state: Mutable<Omit<TarScanState, 'part' | 'entry'>>;
  #entry: Mutable<ScannedMember> | null;
  /** The parts of a header that lies over several pieces. */
  #parts: Buffer[];

  constructor(
    archive: string,
    meter: UnpackMeter,
    onMember: (member: ScannedMember) => void,
    { part, entry, ...state }: TarScanState = TAR_START,
  ) {
    this.#archive = archive;
    this.#meter = meter;
    this.#onMember = onMember;
    this.#state = { ...state };
    this.#entry = entry === null ? null : { ...entry };
    this.#parts = part === '' ? [] : [Buffer.from(part, 'base64')];
  }

  /** What to begin another scanner with, that shall go on here. */
  get state(): TarScanState {
    const part = Buffer.concat(this.#parts).toString('base64');
    return { ...this.#state, part, entry: this.#entry === null ? null : { ...this.#entry } };
  }

  /** Bytes of the tar that have gone by. */
  get position(): number {
    return this.#state.position;
  }

  /** Files that were given to `onMember`, before a restored state included. */
  get members(): number {
    return this.#state.members;
  }

  /** Links, devices and sparse files that were passed over, before a restored state included. */
  get passedOver(): number {
    return this.#state.passedOver;
  }

  /** Takes the next piece. @throws Error where the tar is damaged, UserError where a name or a size is refused. */
  scan(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const state = this.#state;
    let at = 0;
    while (at < bytes.length) {
      if (this.#entry !== null) at += this.#passContents(bytes, at);
      else if (state.skip > 0) at += this.#passPadding(bytes.length - at);
      else at += this.#gather(bytes, at);
    }
  }

  /** Says that nothing follows. @throws Error where something should: the tar is cut off. */
  end(): void {
    const { position, entriesEnd, sawZeros } = this.#state;
    if (position === 0) throw new Error('it is empty');
    if (this.#entry !== null || this.#parts.length > 0 || this.#state.skip > 0 || this.#state.long !== null)
      throw new Error('it ends in the middle of an entry');
    // One block is enough: some writers leave out the second.
    if (!sawZeros || position < entriesEnd + BLOCK_BYTES)
      throw new Error('its end marker is missing, so entries may be missing too');
  }

  #passContents(bytes: Buffer, at: number): number {
    const entry = this.#entry as Mutable<ScannedMember>;
    const state = this.#state;
    const here = Math.min(state.left, bytes.length - at);
    entry.crc32 = crc32(bytes.subarray(at, at + here), entry.crc32);
    state.left -= here;
    state.position += here;
    if (state.left === 0) this.#endContents();
    return here;
  }

  #endContents(): void {
    const entry = this.#entry as ScannedMember;
    this.#entry = null;
    this.#state.skip = padding(entry.bytes);
    this.#state.members++;
    this.#onMember(entry);
  }

  #passPadding(available: number): number {
    const here = Math.min(this.#state.skip, available);
    this.#state.skip -= here;
    this.#state.position += here;
    return here;
  }

  /** Takes what there is of the header or the long header that stands here. */
  #gather(bytes: Buffer, at: number): number {
    const state = this.#state;
    const wanted = state.long === null ? BLOCK_BYTES : state.left;
    const have = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const here = Math.min(wanted - have, bytes.length - at);
    const part = bytes.subarray(at, at + here);
    state.position += here;
    if (have + here < wanted) {
      // The piece is its maker's again after this call.
      this.#parts.push(Buffer.from(part));
      return here;
    }
    const whole = have === 0 ? part : Buffer.concat([...this.#parts, part]);
    this.#parts = [];
    if (state.long === null) this.#takeHeader(whole);
    else this.#takeLong(whole, state.long);
    return here;
  }

  #takeHeader(block: Buffer): void {
    const state = this.#state;
    const header = decodeTarBlock(block);
    state.sawZeros = header === undefined && block.every((byte) => byte === 0);
    if (header === undefined) return;
    switch (header.type) {
      case 'gnu-long-path':
      case 'gnu-long-link-path':
      case 'pax-header':
      case 'pax-global-header':
        if (!(header.bytes <= MAX_LONG_BYTES)) throw new Error('a long header is too long');
        if (header.bytes === 0) return;
        state.long = header.type;
        state.left = header.bytes;
        return;
      default:
        this.#takeEntry(header);
    }
  }

  #takeLong(contents: Buffer, type: string): void {
    const state = this.#state;
    if (type === 'gnu-long-path') state.longName = decodeLongName(contents);
    else if (type === 'pax-global-header') state.paxGlobal = decodePaxRecords(contents);
    else if (type === 'pax-header') state.pax = { ...state.paxGlobal, ...decodePaxRecords(contents) };
    state.long = null;
    state.left = 0;
    state.skip = padding(contents.length);
  }

  #takeEntry(header: TarBlock): void {
    const state = this.#state;
    const { pax } = state;
    // What pax says comes before what GNU says, and that before the header itself.
    const rawName = pax?.path || state.longName || header.name;
    const bytes = pax?.size ? Number.parseInt(pax.size, 10) : header.bytes;
    state.pax = null;
    state.longName = null;
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error('a header has no valid size');
    this.#meter.countEntry();
    state.entries++;
    // An unknown type is told like one that we know and pass over.
    const kind = tarEntryKind({ name: rawName, type: (header.type ?? 'fifo') as 'file', pax });
    const name = checkedEntryName(rawName, kind, this.#archive);
    const contentBytes = header.type === 'directory' ? 0 : bytes;
    state.entriesEnd = state.position + contentBytes + padding(contentBytes);
    if (kind !== 'file') {
      if (kind !== 'folder') state.passedOver++;
      state.skip = contentBytes + padding(contentBytes);
      return;
    }
    this.#entry = { name, offset: state.position, bytes, crc32: 0 };
    state.left = bytes;
    if (bytes === 0) this.#endContents();
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function padding(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** Long names are some hundred bytes; tar-stream draws the line at the same place. */
const MAX_LONG_BYTES = 4 * 1024 * 1024;
