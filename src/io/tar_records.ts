/** The binary forms in which members and access points are kept, in the journal of an index and in the index. */

import type { AccessPoint } from './gzip_index.js';
import type { ScannedMember } from './tar_scan.js';

/** Bytes that grow at their end. */
export class ByteLog {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #used = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = 0;
  }

  addMember({ name, offset, bytes, crc32 }: ScannedMember): void {
    const nameBytes = Buffer.byteLength(name);
    const at = this.#reserve(MEMBER_HEAD_BYTES + nameBytes);
    const log = this.#bytes;
    log.writeUIntLE(offset, at, 6);
    log.writeUIntLE(bytes, at + 6, 6);
    log.writeUInt32LE(crc32, at + 12);
    log.writeUInt16LE(nameBytes, at + 16);
    log.write(name, at + MEMBER_HEAD_BYTES);
  }

  addPoint({ position, outPosition, bits, window }: AccessPoint): void {
    const at = this.#reserve(POINT_HEAD_BYTES + window.length);
    const log = this.#bytes;
    log.writeUIntLE(position, at, 6);
    log.writeUIntLE(outPosition, at + 6, 6);
    log.writeUInt8(bits, at + 12);
    log.writeUInt32LE(window.length, at + 13);
    log.set(window, at + POINT_HEAD_BYTES);
  }

  #reserve(bytes: number): number {
    const at = this.#used;
    if (at + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, at + bytes));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#used += bytes;
    return at;
  }
}

/** A member as it was added; the name stays bytes. */
export interface LoggedMember {
  readonly offset: number;
  readonly bytes: number;
  readonly crc32: number;
  readonly name: Buffer;
}

/** The members of a log, in its order. */
export function* loggedMembers(log: Buffer): Generator<LoggedMember, void, undefined> {
  for (let at = 0; at < log.length; ) {
    const nameStart = at + MEMBER_HEAD_BYTES;
    const nameEnd = nameStart + log.readUInt16LE(at + 16);
    yield {
      offset: log.readUIntLE(at, 6),
      bytes: log.readUIntLE(at + 6, 6),
      crc32: log.readUInt32LE(at + 12),
      name: log.subarray(nameStart, nameEnd),
    };
    at = nameEnd;
  }
}

/** The access points of a log, in its order. */
export function* loggedPoints(log: Buffer): Generator<AccessPoint, void, undefined> {
  for (let at = 0; at < log.length; ) {
    const start = at + POINT_HEAD_BYTES;
    const end = start + log.readUInt32LE(at + 13);
    yield {
      position: log.readUIntLE(at, 6),
      outPosition: log.readUIntLE(at + 6, 6),
      bits: log.readUInt8(at + 12),
      window: log.subarray(start, end),
    };
    at = end;
  }
}

/** Offset and size of 48 bits each, CRC-32, length of the name; the name follows. Little endian, as all here. */
const MEMBER_HEAD_BYTES = 18;

/** Two offsets of 48 bits, the bits, length of the window; the window follows. */
const POINT_HEAD_BYTES = 17;
