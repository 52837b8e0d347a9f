/** What indexing an archive has found so far, on disk: an append-only file that a killed run leaves for the next one. */

import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, rmSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { MemberSum } from './gzip_index.js';
import { type OpenFile, readAt } from './gzip_stream.js';
import type { TarScanState } from './tar_scan.js';
import { writeFully } from './write_fully.js';

/** A place from which indexing can go on: in a gzip file the last access point that was found. */
export interface Checkpoint {
  /** Bytes of the archive that are behind it. */
  readonly position: number;
  /** `digestBefore` that position: the archive must still be the one that it was. */
  readonly digest: string;
  readonly archiveBytes: number;
  readonly scan: TarScanState;
  /** In a gzip file. */
  readonly sum: MemberSum | null;
  /** The archive has been seen to its end. */
  readonly isEnd: boolean;
}

/** What was found between two checkpoints, as logs of tar_records.ts. */
export interface JournalSegment {
  readonly checkpoint: Checkpoint;
  readonly members: Buffer;
  readonly points: Buffer;
}

export class TarJournal {
  readonly #path: string;
  readonly #fd: number;
  #bytes = 0;
  #last: JournalSegment | undefined;
  #isOpen = true;

  /** Opens the journal, without what a kill has cut; one with another `head` (whatever decides what is found) begins anew. */
  constructor(path: string, head: string) {
    this.#path = path;
    this.#fd = openSync(path, 'a+');
    const frames = this.#frames(0);
    const first = frames.next();
    if (first.done === true || first.value.payload.toString() !== head) {
      this.restart(head);
      return;
    }
    this.#bytes = first.value.end;
    for (const { payload, end } of frames) {
      this.#last = decodeSegment(payload);
      this.#bytes = end;
    }
    ftruncateSync(this.#fd, this.#bytes);
  }

  /** The last segment that is whole. */
  get last(): JournalSegment | undefined {
    return this.#last;
  }

  restart(head: string): void {
    ftruncateSync(this.#fd, 0);
    this.#bytes = 0;
    this.#last = undefined;
    this.#append([Buffer.from(head)]);
  }

  /** Adds a segment and waits until the disk holds it. */
  add({ checkpoint, members, points }: JournalSegment): void {
    const text = Buffer.from(JSON.stringify(checkpoint));
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(text.length, 0);
    lengths.writeUInt32LE(members.length, 4);
    this.#append([lengths, text, members, points]);
  }

  /** All segments, from the first; what they hold is valid until the next is asked for. */
  *segments(): Generator<JournalSegment, void, undefined> {
    const frames = this.#frames(0);
    frames.next();
    for (const { payload } of frames) yield decodeSegment(payload);
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #append(parts: readonly Buffer[]): void {
    const payload = Buffer.concat(parts);
    const frame = Buffer.alloc(FRAME_HEAD_BYTES);
    frame.writeUInt32LE(payload.length, 0);
    frame.writeUInt32LE(crc32(payload), 4);
    writeFully(this.#fd, Buffer.concat([frame, payload]));
    fdatasyncSync(this.#fd);
    this.#bytes += FRAME_HEAD_BYTES + payload.length;
  }

  /** The frames `length | crc32 | payload` that are whole. */
  *#frames(from: number): Generator<{ payload: Buffer; end: number }, void, undefined> {
    const file: OpenFile = { path: this.#path, fd: this.#fd, bytes: fstatSync(this.#fd).size };
    const frame = Buffer.alloc(FRAME_HEAD_BYTES);
    for (let at = from; readAt(file, frame, at) === FRAME_HEAD_BYTES; ) {
      const start = at + FRAME_HEAD_BYTES;
      const end = start + frame.readUInt32LE(0);
      if (end > file.bytes) return;
      const payload = Buffer.allocUnsafe(end - start);
      if (readAt(file, payload, start) < payload.length || crc32(payload) !== frame.readUInt32LE(4)) return;
      yield { payload, end };
      at = end;
    }
  }
}

const FRAME_HEAD_BYTES = 8;

function decodeSegment(payload: Buffer): JournalSegment {
  const textEnd = 8 + payload.readUInt32LE(0);
  const membersEnd = textEnd + payload.readUInt32LE(4);
  return {
    checkpoint: JSON.parse(payload.toString('utf8', 8, textEnd)) as Checkpoint,
    members: payload.subarray(textEnd, membersEnd),
    points: payload.subarray(membersEnd),
  };
}
