/** Indexes a tar in one pass: inflates it where it is gzipped, scans it, and writes down what it finds as it goes. */

import { ARCHIVE_CHUNK_BYTES, damagedArchive } from './archive_entry.js';
import { digestBefore } from './archive_id.js';
import { type ArchiveLimits, UnpackMeter } from './archive_limits.js';
import { UserError } from './errors.js';
import { type AccessPoint, type GzipStart, GzipWalker, type MemberSum } from './gzip_index.js';
import { type OpenFile, readAt } from './gzip_stream.js';
import { unpackWindow } from './sparse_window.js';
import type { JournalSegment, TarJournal } from './tar_journal.js';
import { ByteLog, loggedPoints } from './tar_records.js';
import { TAR_START, TarScanner } from './tar_scan.js';

/**
 * Larger than for archives that are unpacked, as nothing is: VGGFace2's train archive has 3.14 million images in 36 GB.
 * Twenty million members take about a gigabyte of memory while the index is written. A member is read whole into memory.
 */
export const TAR_INDEX_LIMITS: ArchiveLimits = {
  maxEntries: 20_000_000,
  maxTotalBytes: 4 * 2 ** 40,
  maxEntryBytes: 2 ** 31 - 1,
  maxRatio: 200,
};

/** One pass over an archive, from its beginning or from a journal's last segment. */
export class TarIndexer {
  readonly #file: OpenFile;
  readonly #walk: TarWalk;
  readonly #scanner: TarScanner;
  readonly #meter: UnpackMeter;
  readonly #members = new ByteLog();
  readonly #points = new ByteLog();
  /** How much of the archive the meter knows of, and how much the journal. */
  #metered: number;
  #journaled: number;
  #cutOff: UserError | undefined;

  /** @throws Error where this version of Node can't do it, UserError where a limit is passed already. */
  constructor(
    file: OpenFile,
    isGzip: boolean,
    {
      last,
      limits,
    }: { readonly last?: JournalSegment | undefined; readonly limits?: Partial<ArchiveLimits> | undefined },
  ) {
    this.#file = file;
    const scan = last?.checkpoint.scan ?? TAR_START;
    const position = last?.checkpoint.position ?? 0;
    this.#metered = position;
    this.#journaled = position;
    this.#meter = new UnpackMeter(file.path, { ...TAR_INDEX_LIMITS, ...limits });
    for (let i = 0; i < scan.entries; i++) this.#meter.countEntry();
    this.#meter.countIn(position);
    this.#meter.countOut(scan.position);
    this.#scanner = new TarScanner(file.path, this.#meter, (member) => this.#members.addMember(member), scan);
    this.#walk = isGzip ? new GzipWalker(file, SPAN_BYTES, gzipStart(last)) : new PlainWalker(file, position);
  }

  /** Bytes of the archive that are behind. */
  get position(): number {
    return this.#walk.position;
  }

  /** Files found so far. */
  get members(): number {
    return this.#scanner.members;
  }

  /** Links, devices and sparse files passed over so far. */
  get passedOver(): number {
    return this.#scanner.passedOver;
  }

  /** What was found and is not in the journal yet. */
  get rest(): Pick<JournalSegment, 'members' | 'points'> {
    return { members: this.#members.bytes, points: this.#points.bytes };
  }

  /** The error for an archive that ended too early; what came before it is in the journal and in `rest`. */
  get cutOff(): UserError | undefined {
    return this.#cutOff;
  }

  /**
   * Works through the next 256 KiB or less; false at the end. Adds to the journal now and then, and at the end of a
   * whole archive. @throws UserError where the archive is damaged or passes a limit.
   */
  step(journal?: TarJournal): boolean {
    let piece: TarPiece | undefined;
    try {
      piece = this.#walk.next();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // What stands behind a tar that is whole is nothing to us: readers of tars don't look at it either.
      const isBehindTar = this.#walk.isBehind && this.#missing() === undefined;
      if (!isBehindTar && !this.#walk.isCutOff) throw error;
      if (!isBehindTar) {
        this.#cutOff = error;
        return false;
      }
    }
    if (piece === undefined) return this.#end(journal);
    if (piece.point !== undefined) this.#points.addPoint(piece.point);
    if (piece.restart !== undefined && piece.restart.position - this.#journaled >= JOURNAL_BYTES)
      if (journal !== undefined) this.#keep(journal, piece.restart, 'on the way');
    this.#meter.countIn(this.#walk.position - this.#metered);
    this.#metered = this.#walk.position;
    this.#meter.countOut(piece.output.length);
    try {
      this.#scanner.scan(piece.output);
    } catch (error) {
      throw error instanceof UserError ? error : damagedArchive(this.#place(), error);
    }
    return true;
  }

  close(): void {
    this.#walk.close();
  }

  #end(journal: TarJournal | undefined): false {
    const missing = this.#missing();
    if (missing !== undefined && this.#scanner.position === 0) throw damagedArchive(this.#file.path, missing);
    if (missing !== undefined) this.#cutOff = damagedArchive(this.#place(), missing);
    else if (journal !== undefined)
      this.#keep(journal, { position: this.#walk.position, sum: null }, 'at the end');
    return false;
  }

  #keep(journal: TarJournal, { position, sum }: Restart, where: 'on the way' | 'at the end'): void {
    journal.add({
      checkpoint: {
        position,
        digest: digestBefore(this.#file, position),
        archiveBytes: this.#file.bytes,
        scan: this.#scanner.state,
        sum,
        isEnd: where === 'at the end',
      },
      ...this.rest,
    });
    this.#members.clear();
    this.#points.clear();
    this.#journaled = position;
  }

  /** Why the tar is not whole yet. */
  #missing(): unknown {
    try {
      this.#scanner.end();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #place(): string {
    return `${this.#file.path}, byte ${this.#scanner.position} of the tar`;
  }
}

/** Where a walk can begin again. */
interface Restart {
  readonly position: number;
  readonly sum: MemberSum | null;
}

interface TarPiece {
  /** Bytes of the tar, valid until the next piece is asked for. */
  readonly output: Uint8Array;
  readonly point?: AccessPoint;
  /** Given where a walk can begin again with this piece. */
  readonly restart?: Restart;
}

/** A way through an archive: what `GzipWalker` is for gzipped ones. */
interface TarWalk {
  readonly position: number;
  readonly isCutOff: boolean;
  readonly isBehind: boolean;
  next(): TarPiece | undefined;
  close(): void;
}

/** Through a tar that is not compressed. */
class PlainWalker implements TarWalk {
  readonly isCutOff = false;
  readonly isBehind = false;
  readonly #file: OpenFile;
  readonly #chunk = Buffer.allocUnsafeSlow(ARCHIVE_CHUNK_BYTES);
  #position: number;

  constructor(file: OpenFile, position: number) {
    this.#file = file;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  next(): TarPiece | undefined {
    const restart = { position: this.#position, sum: null };
    const bytes = readAt(this.#file, this.#chunk, this.#position);
    this.#position += bytes;
    return bytes === 0 ? undefined : { output: this.#chunk.subarray(0, bytes), restart };
  }

  close(): void {}
}

/** In a gzip file the last access point of the segment is the checkpoint. */
function gzipStart(last: JournalSegment | undefined): GzipStart | undefined {
  if (last === undefined) return undefined;
  let point: AccessPoint | undefined;
  for (point of loggedPoints(last.points));
  const { sum } = last.checkpoint;
  if (point === undefined || sum === null) return undefined;
  return { point, window: unpackWindow(point.window), sum };
}

/**
 * Output between two access points. To read a member half of it is inflated on average, which takes 2 ms; in an archive
 * of JPEG images a point takes half a kilobyte of the index, since they hardly ever copy what was before.
 */
const SPAN_BYTES = 2 ** 20;

/** As much as is read again after a kill, at most: some tenths of a second. */
const JOURNAL_BYTES = 64 * 2 ** 20;
