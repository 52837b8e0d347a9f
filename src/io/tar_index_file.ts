/** The finished index of a tar: a file of fixed records, searched where it lies, so that a worker holds next to nothing of it. */

import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { CheckedFile, CheckedFileWriter, checkedFileBytes, type Section } from './checked_file.js';
import type { AccessPoint } from './gzip_index.js';
import type { JournalSegment } from './tar_journal.js';
import { type LoggedMember, loggedMembers, loggedPoints } from './tar_records.js';

/** The head of the file. */
export interface TarIndexHead {
  /** Of the archive, as `archiveId` gives it. */
  readonly archive: string;
  readonly isGzip: boolean;
  /** Why the index ends before the archive should; null for a whole one. */
  readonly incomplete: string | null;
  /** Names: of a name that occurs twice the last counts, as when unpacking. */
  readonly members: number;
  /** Links, devices and sparse files, which are not read. */
  readonly passedOver: number;
  readonly windows: Section;
  readonly points: Section;
  readonly records: Section;
  readonly names: Section;
  readonly slots: Section;
}

/** A member as the index has it. */
export interface IndexedMember {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly crc32: number;
}

/** Writes the index from what indexing has found, and waits until the disk holds it. The path is a temporary one. */
export async function writeTarIndex(
  path: string,
  about: Pick<TarIndexHead, 'archive' | 'isGzip' | 'incomplete' | 'passedOver'>,
  segments: () => Iterable<Pick<JournalSegment, 'members' | 'points'>>,
  pause: () => Promise<void>,
): Promise<void> {
  const writer = new CheckedFileWriter(path, MAGIC);
  try {
    const start = writer.position;
    const points: Buffer[] = [];
    let [members, nameBytes] = [0, 0];
    for (const segment of segments()) {
      for (const point of loggedPoints(segment.points)) {
        points.push(pointRecord(point, writer.position));
        writer.write(point.window);
      }
      for (const { name } of loggedMembers(segment.members)) {
        members++;
        nameBytes += name.length;
      }
      await pause();
    }
    const windows = { start, bytes: writer.position - start };
    const table = new NameTable(members, nameBytes);
    for (const segment of segments()) {
      for (const member of loggedMembers(segment.members)) table.add(member);
      await pause();
    }
    writer.finish({
      ...about,
      members: table.size,
      windows,
      points: section(writer, points),
      records: section(writer, [table.records]),
      names: section(writer, [table.names]),
      slots: section(writer, [table.slotBytes()]),
    } satisfies TarIndexHead);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    writer.close();
  }
}

/** What the index will take if there is `scale` times as much as this, in bytes. */
export function indexBytesOf(
  { members, points }: Pick<JournalSegment, 'members' | 'points'>,
  scale: number,
): number {
  let bytes = 0;
  for (const { name } of loggedMembers(members)) bytes += RECORD_BYTES + 2 * SLOT_BYTES + name.length;
  for (const { window } of loggedPoints(points)) bytes += POINT_BYTES + window.length;
  return checkedFileBytes(bytes * scale);
}

/** An index, open for searching. */
export class TarIndexFile {
  readonly head: TarIndexHead;
  readonly #file: CheckedFile;
  /** Where the access points are in the tar, 8 bytes each: read when the first is asked for. */
  #outPositions: Float64Array | undefined;

  /** @throws UserError where there is none. @throws Error where the file is not a whole index of this version. */
  constructor(path: string) {
    this.#file = new CheckedFile(path, MAGIC);
    this.head = this.#file.head as TarIndexHead;
  }

  /** @throws Error where the index is damaged. */
  find(name: string): IndexedMember | undefined {
    const { slots } = this.head;
    const wanted = Buffer.from(name);
    const count = slots.bytes / SLOT_BYTES;
    for (let slot = slotOf(wanted, count), tries = 0; tries < count; slot = (slot + 1) % count, tries++) {
      const record = this.#file.read(slots.start + slot * SLOT_BYTES, SLOT_BYTES).readUInt32LE(0);
      if (record === 0) return undefined;
      const member = this.#record(record - 1);
      if (member.nameBytes === wanted.length && this.#name(member).equals(wanted))
        return { name, offset: member.offset, bytes: member.bytes, crc32: member.crc32 };
    }
    return undefined;
  }

  /** Every member, in the order of the archive, read a few hundred at a time. @throws Error where the index is damaged. */
  *members(): Generator<IndexedMember, void, undefined> {
    const { records, names } = this.head;
    const count = records.bytes / RECORD_BYTES;
    for (let first = 0; first < count; first += BATCH_RECORDS) {
      const here = Math.min(BATCH_RECORDS, count - first);
      const bytes = this.#file.read(records.start + first * RECORD_BYTES, here * RECORD_BYTES);
      const batch = Array.from({ length: here }, (_, i) => decodeRecord(bytes, i * RECORD_BYTES));
      const start = batch[0]?.nameStart ?? 0;
      const last = batch[here - 1];
      const text = this.#file.read(
        names.start + start,
        (last?.nameStart ?? 0) + (last?.nameBytes ?? 0) - start,
      );
      for (const { nameStart, nameBytes, isReplaced, offset, bytes: size, crc32 } of batch) {
        if (isReplaced) continue;
        const name = text.toString('utf8', nameStart - start, nameStart - start + nameBytes);
        yield { name, offset, bytes: size, crc32 };
      }
    }
  }

  /**
   * The number of the last access point that is not behind `outPosition`, and where the one after it is.
   * @throws Error where there is none: the index is damaged.
   */
  pointBefore(outPosition: number): { readonly number: number; readonly nextPosition: number } {
    this.#outPositions ??= this.#readOutPositions();
    const positions = this.#outPositions;
    let [low, high] = [0, positions.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((positions[middle] as number) <= outPosition) low = middle;
      else high = middle;
    }
    if (high === 0) throw new Error('it has no access points');
    return { number: low, nextPosition: positions[high] ?? Number.POSITIVE_INFINITY };
  }

  /** An access point by its number. @throws Error where the index is damaged. */
  point(number: number): AccessPoint {
    const record = this.#point(number);
    const window = this.#file.read(record.readUIntLE(17, 6), record.readUInt32LE(13));
    return {
      position: record.readUIntLE(0, 6),
      outPosition: record.readUIntLE(6, 6),
      bits: record.readUInt8(12),
      window,
    };
  }

  close(): void {
    this.#file.close();
  }

  #readOutPositions(): Float64Array {
    const { start, bytes } = this.head.points;
    const records = this.#file.read(start, bytes);
    return Float64Array.from({ length: bytes / POINT_BYTES }, (_, i) =>
      records.readUIntLE(i * POINT_BYTES + 6, 6),
    );
  }

  #point(at: number): Buffer {
    return this.#file.read(this.head.points.start + at * POINT_BYTES, POINT_BYTES);
  }

  #record(at: number): DecodedRecord {
    return decodeRecord(this.#file.read(this.head.records.start + at * RECORD_BYTES, RECORD_BYTES), 0);
  }

  #name({ nameStart, nameBytes }: DecodedRecord): Buffer {
    return this.#file.read(this.head.names.start + nameStart, nameBytes);
  }
}

const MAGIC = 't2t tar index 2';

/** Members in memory while the index is written: 24 bytes, 8 of slots, 4 of hash and its name for each. */
class NameTable {
  readonly records: Buffer;
  readonly names: Buffer;
  readonly #slots: Uint32Array;
  /** Told apart by their hash first, since names are compared a thousand times slower. */
  readonly #hashes: Uint32Array;
  #count = 0;
  #nameEnd = 0;
  #replaced = 0;

  constructor(members: number, nameBytes: number) {
    this.records = Buffer.alloc(members * RECORD_BYTES);
    this.names = Buffer.alloc(nameBytes);
    this.#hashes = new Uint32Array(members);
    // Half of the slots stay free: a search then takes two or three steps.
    this.#slots = new Uint32Array(2 * members + 1);
  }

  /** Names, each counted once. */
  get size(): number {
    return this.#count - this.#replaced;
  }

  add({ name, offset, bytes, crc32 }: LoggedMember): void {
    const digest = hashOf(name);
    const short = digest % 2 ** 32;
    let slot = digest % this.#slots.length;
    for (let other = this.#slots[slot]; other !== 0; other = this.#slots[slot]) {
      const at = ((other as number) - 1) * RECORD_BYTES;
      if (this.#hashes[(other as number) - 1] === short && this.#nameAt(at).equals(name)) {
        this.records.writeUInt16LE(this.records.readUInt16LE(at + 22) | REPLACED, at + 22);
        this.#replaced++;
        break;
      }
      slot = (slot + 1) % this.#slots.length;
    }
    const at = this.#count * RECORD_BYTES;
    this.#hashes[this.#count] = short;
    this.#slots[slot] = ++this.#count;
    this.records.writeUIntLE(offset, at, 6);
    this.records.writeUIntLE(bytes, at + 6, 6);
    this.records.writeUInt32LE(crc32, at + 12);
    this.records.writeUIntLE(this.#nameEnd, at + 16, 6);
    this.records.writeUInt16LE(name.length, at + 22);
    this.names.set(name, this.#nameEnd);
    this.#nameEnd += name.length;
  }

  slotBytes(): Buffer {
    const bytes = Buffer.alloc(this.#slots.length * SLOT_BYTES);
    this.#slots.forEach((record, at) => {
      bytes.writeUInt32LE(record, at * SLOT_BYTES);
    });
    return bytes;
  }

  #nameAt(at: number): Buffer {
    const { nameStart, nameBytes } = decodeRecord(this.records, at);
    return this.names.subarray(nameStart, nameStart + nameBytes);
  }
}

/** A cryptographic hash: with another a hostile archive could choose names that all want one slot. 48 bits of it. */
function hashOf(name: Buffer): number {
  return hash('sha1', name, 'buffer').readUIntLE(0, 6);
}

function slotOf(name: Buffer, slots: number): number {
  return hashOf(name) % slots;
}

/** A record number and one, or 0 for a free slot. */
const SLOT_BYTES = 4;

/** Offset and size of 48 bits each, CRC-32, start of the name of 48 bits, its length with a flag. */
const RECORD_BYTES = 24;

/** A later member has the same name. Names have 1,024 bytes at most. */
const REPLACED = 0x8000;

const BATCH_RECORDS = 512;

interface DecodedRecord {
  readonly offset: number;
  readonly bytes: number;
  readonly crc32: number;
  readonly nameStart: number;
  readonly nameBytes: number;
  readonly isReplaced: boolean;
}

function decodeRecord(bytes: Buffer, at: number): DecodedRecord {
  const name = bytes.readUInt16LE(at + 22);
  return {
    offset: bytes.readUIntLE(at, 6),
    bytes: bytes.readUIntLE(at + 6, 6),
    crc32: bytes.readUInt32LE(at + 12),
    nameStart: bytes.readUIntLE(at + 16, 6),
    nameBytes: name & ~REPLACED,
    isReplaced: (name & REPLACED) !== 0,
  };
}

/** Two positions of 48 bits, the bits, length and place of the window. */
const POINT_BYTES = 23;

function pointRecord({ position, outPosition, bits, window }: AccessPoint, windowStart: number): Buffer {
  const record = Buffer.alloc(POINT_BYTES);
  record.writeUIntLE(position, 0, 6);
  record.writeUIntLE(outPosition, 6, 6);
  record.writeUInt8(bits, 12);
  record.writeUInt32LE(window.length, 13);
  record.writeUIntLE(windowStart, 17, 6);
  return record;
}

function section(writer: CheckedFileWriter, parts: readonly Uint8Array[]): Section {
  const start = writer.position;
  for (const part of parts) writer.write(part);
  return { start, bytes: writer.position - start };
}
