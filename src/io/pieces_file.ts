/**
 * A file that arrives in pieces and in any order: `<path>.part`, and beside it a journal of the pieces that are whole,
 * each with its checksum, so that a killed process loses only pieces that were on their way.
 */

import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { storeError } from './content_store.js';
import { UserError } from './errors.js';
import { lockFile } from './file_lock.js';
import type { Validator } from './partial_file.js';
import { writeFully } from './write_fully.js';

/** Which version of which file is arriving. */
export interface PiecesVersion {
  readonly url: string;
  readonly validator: Validator;
  readonly totalBytes: number;
}

/** The journal's first line. */
interface JournalHead extends PiecesVersion {
  readonly pieceBytes: number;
}

export class PiecesFile {
  /** `<target>.part` */
  readonly path: string;
  /** Undefined before `begin()`. */
  version: PiecesVersion | undefined;
  /** True for each piece that is whole. */
  private whole: boolean[] = [];
  private wholeBytes = 0;
  private readonly target: string;
  private readonly journalPath: string;
  private readonly pieceBytes: number;
  private readonly unlock: () => void;
  private readonly file: number;

  private constructor(target: string, pieceBytes: number, unlock: () => void) {
    this.target = target;
    this.path = `${target}.part`;
    this.journalPath = `${this.path}.pieces`;
    this.pieceBytes = pieceBytes;
    this.unlock = unlock;
    try {
      this.file = openSync(this.path, existsSync(this.path) ? 'r+' : 'w+');
    } catch (error) {
      unlock();
      throw storeError(error, dirname(target));
    }
  }

  /**
   * Opens what an earlier process has left of `url`, or begins anew. Every piece that is said to be whole is read and
   * checked again.
   * @throws UserError where another process is fetching it.
   */
  static open(target: string, url: string, pieceBytes: number): PiecesFile {
    const pieces = new PiecesFile(target, pieceBytes, lockFile(`${target}.part`));
    try {
      pieces.takeOver(url);
      return pieces;
    } catch (error) {
      pieces.close();
      throw error;
    }
  }

  /** Bytes of whole pieces. */
  get bytes(): number {
    return this.wholeBytes;
  }

  /** Forgets what is here, and waits for the pieces of a version. @throws UserError where the disk is too full for it. */
  begin(version: PiecesVersion): void {
    this.forget();
    const { bavail, bsize } = statfsSync(dirname(this.target));
    if (bavail * bsize < version.totalBytes)
      throw new UserError(`the disk has ${bavail * bsize} bytes free, and ${version.totalBytes} are needed`, {
        where: dirname(this.target),
        remedy: 'make room or choose another folder',
      });
    this.version = version;
    this.whole = new Array<boolean>(pieceCount(version, this.pieceBytes)).fill(false);
    writeFileSync(this.journalPath, `${JSON.stringify({ ...version, pieceBytes: this.pieceBytes })}\n`);
  }

  /** Forgets what is here. */
  forget(): void {
    // The journal first: it must never stand beside bytes of another version.
    rmSync(this.journalPath, { force: true });
    ftruncateSync(this.file, 0);
    this.version = undefined;
    this.whole = [];
    this.wholeBytes = 0;
  }

  /** The stretches [start, end) in bytes that are still wanted, in order; none overlaps a whole piece. */
  missing(): { start: number; end: number }[] {
    const { version, pieceBytes } = this;
    if (version === undefined) return [];
    const stretches: { start: number; end: number }[] = [];
    for (const [piece, isWhole] of this.whole.entries()) {
      if (isWhole) continue;
      const start = piece * pieceBytes;
      const end = Math.min(start + pieceBytes, version.totalBytes);
      const last = stretches.at(-1);
      if (last?.end === start) last.end = end;
      else stretches.push({ start, end });
    }
    return stretches;
  }

  /** Keeps a whole piece that begins at `start`. @throws UserError where the disk is full. */
  write(start: number, bytes: Uint8Array): void {
    const piece = start / this.pieceBytes;
    try {
      writeFully(this.file, bytes, start);
      appendFileSync(this.journalPath, `${JSON.stringify({ piece, crc32: crc32(bytes) })}\n`);
    } catch (error) {
      throw storeError(error, dirname(this.target));
    }
    if (this.whole[piece] === true) return;
    this.whole[piece] = true;
    this.wholeBytes += bytes.length;
  }

  /** Gives the whole file its name, after it has reached the disk. */
  finish(): void {
    fsyncSync(this.file);
    this.rename(this.target);
    const folder = openSync(dirname(this.target), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** Keeps a file that is not what it should be under another name; tells it. */
  setAside(): string {
    const aside = `${this.target}.wrong`;
    this.rename(aside);
    return aside;
  }

  /** Keeps what is here for a later process; an empty part is removed. */
  close(): void {
    closeSync(this.file);
    if (this.version === undefined) rmSync(this.path, { force: true });
    this.unlock();
  }

  private rename(target: string): void {
    renameSync(this.path, target);
    rmSync(this.journalPath, { force: true });
    this.version = undefined;
  }

  private takeOver(url: string): void {
    const { head, sums } = readJournal(this.journalPath);
    if (head === undefined || head.url !== url || head.pieceBytes !== this.pieceBytes) {
      this.forget();
      return;
    }
    const { pieceBytes: _, ...version } = head;
    this.version = version;
    const count = pieceCount(version, this.pieceBytes);
    this.whole = new Array<boolean>(count).fill(false);
    const buffer = Buffer.allocUnsafe(this.pieceBytes);
    const lines = [JSON.stringify(head)];
    for (const [piece, sum] of sums) {
      if (piece >= count) continue;
      const start = piece * this.pieceBytes;
      const bytes = Math.min(this.pieceBytes, version.totalBytes - start);
      if (!this.holds(buffer.subarray(0, bytes), start, sum)) continue;
      this.whole[piece] = true;
      this.wholeBytes += bytes;
      lines.push(JSON.stringify({ piece, crc32: sum }));
    }
    // Written anew, so that the next line does not join one that a kill has cut.
    writeFileSync(`${this.journalPath}.new`, `${lines.join('\n')}\n`);
    renameSync(`${this.journalPath}.new`, this.journalPath);
  }

  private holds(bytes: Buffer, start: number, sum: number): boolean {
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.file, bytes, done, bytes.length - done, start + done);
      if (read === 0) return false;
      done += read;
    }
    return crc32(bytes) === sum;
  }
}

/** True where an earlier process has left pieces of the file, so that they can be gone on from. */
export function hasPieces(target: string): boolean {
  return existsSync(`${target}.part.pieces`);
}

function pieceCount({ totalBytes }: PiecesVersion, pieceBytes: number): number {
  return Math.ceil(totalBytes / pieceBytes);
}

/** The head and each whole piece's checksum; lines that a kill has cut are passed over. */
function readJournal(path: string): { head: JournalHead | undefined; sums: Map<number, number> } {
  const sums = new Map<number, number>();
  const [first, ...rest] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const head = readHead(parseJson(first));
  for (const line of head === undefined ? [] : rest) {
    const { piece, crc32: sum } = parseJson(line);
    if (Number.isInteger(piece) && (piece as number) >= 0 && typeof sum === 'number')
      sums.set(piece as number, sum);
  }
  return { head, sums };
}

function readHead({ url, validator, totalBytes, pieceBytes }: Fields): JournalHead | undefined {
  const { etag, lastModified } = (validator ?? {}) as Fields;
  const known =
    typeof etag === 'string' ? { etag } : typeof lastModified === 'string' ? { lastModified } : undefined;
  const isHead = typeof url === 'string' && isCount(totalBytes) && isCount(pieceBytes) && known !== undefined;
  return isHead ? { url, validator: known, totalBytes, pieceBytes } : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function parseJson(line: string | undefined): Fields {
  try {
    return ((JSON.parse(line ?? '') as Fields | null) ?? {}) as Fields;
  } catch {
    return {};
  }
}
