/** Random access into tar and tar.gz archives of any size without unpacking them: an index of each, made once. */

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { entryPlace, unreadableFile } from './archive_entry.js';
import { archiveId, digestBefore } from './archive_id.js';
import type { ArchiveLimits } from './archive_limits.js';
import { storeError } from './content_store.js';
import { UserError } from './errors.js';
import { type OpenFile, readAt } from './gzip_stream.js';
import { isGzip, TAR_MAGIC_BYTES } from './tar.js';
import { GzipContents, plainContents, type TarContents } from './tar_contents.js';
import { type IndexedMember, indexBytesOf, TarIndexFile, writeTarIndex } from './tar_index_file.js';
import { locked } from './tar_index_lock.js';
import { TAR_INDEX_LIMITS, TarIndexer } from './tar_indexer.js';
import { TarJournal } from './tar_journal.js';

/** A file in an archive. */
export interface TarMember {
  /** A relative path that is safe below any folder (see `ArchiveEntry`). */
  readonly name: string;
  readonly bytes: number;
}

/** How far indexing is. */
export interface TarIndexProgress {
  /** Of the archive file; after a restart those of the runs before are included. */
  readonly bytesRead: number;
  readonly totalBytes: number;
  /** Files found so far. */
  readonly members: number;
}

export interface TarIndexOptions {
  /** Stops: what was found stays for the next call. The call fails with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called at the beginning, some times a second, and at the end. */
  onProgress?(progress: TarIndexProgress): void;
  /** Defaults: `TAR_INDEX_LIMITS`. */
  readonly limits?: Partial<ArchiveLimits>;
}

/**
 * Builds the index of an archive (tar, or tar in gzip of any number of members) as the file `indexPath`, at the speed of
 * gunzip. Done at once where the index is there. What a killed run has found is in `<indexPath>.journal`, and the next
 * one goes on from there; the index is the same in the end.
 *
 * An archive that is cut off, as a download is that was stopped, is indexed as far as it goes, and then the call fails;
 * when more of it has come, another call goes on. Until then gzip's own checksum, at its end, has not been seen: damage
 * that came before the cut goes unnoticed. Entries are checked as `readTar` checks them.
 *
 * @throws UserError where the archive is damaged, cut off or unsafe, or the index can't be written.
 *
 * @example
 *   await indexTar('vggface2_train.tar.gz', 'tmp/vggface2_train.index');
 *   const tar = IndexedTar.open('vggface2_train.tar.gz', 'tmp/vggface2_train.index');
 *   const jpeg = await tar.read('n000002/0001_01.jpg');
 */
export async function indexTar(
  archive: string,
  indexPath: string,
  options: TarIndexOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  const file = openArchive(archive);
  try {
    const id = archiveId(file);
    if (isIndexed(indexPath, id)) {
      // A kill may have come between the index's last step and the journal's end.
      rmSync(`${indexPath}.journal`, { force: true });
      return;
    }
    try {
      mkdirSync(dirname(resolve(indexPath)), { recursive: true });
      await locked(indexPath, () => buildIndex(file, id, indexPath, options));
    } catch (error) {
      throw storeError(error, dirname(indexPath));
    }
  } finally {
    closeSync(file.fd);
  }
}

/**
 * What indexing will cost: measured on the first 16 MiB of the archive and scaled up, so an estimate. While it runs, a
 * journal of about the same size is needed beside the index.
 */
export function tarIndexCost(archive: string): {
  readonly kind: 'estimate';
  readonly seconds: number;
  readonly indexBytes: number;
} {
  const file = openArchive(archive);
  try {
    const indexer = new TarIndexer(file, isGzip(headOf(file), archive), {});
    const msFor = (bytes: number): number => {
      const startMs = performance.now();
      while (indexer.position < bytes && indexer.step());
      return performance.now() - startMs;
    };
    try {
      // The first quarter is slow, as all code is that runs for the first time, and is timed only where there is no more.
      const firstMs = msFor(SAMPLE_BYTES / 4);
      const first = indexer.position;
      const restMs = msFor(SAMPLE_BYTES);
      const rest = indexer.position - first;
      const msPerByte = rest > 0 ? restMs / rest : firstMs / Math.max(1, first);
      const scale = Math.max(1, file.bytes / Math.max(1, indexer.position));
      return {
        kind: 'estimate',
        seconds: (msPerByte * file.bytes) / 1000,
        indexBytes: Math.ceil(indexBytesOf(indexer.rest, scale)),
      };
    } finally {
      indexer.close();
    }
  } finally {
    closeSync(file.fd);
  }
}

/** One file of an archive is damaged or too large; others may be whole. */
export class DamagedMemberError extends UserError {}

/** An archive with its index, open for reading. Any number of threads and processes may have one open. */
export class IndexedTar {
  /** Tells this archive from every other, also from one under the same name: its size and a digest of parts of it. */
  readonly id: string;
  /** Files; a name that occurs twice counts once, and its last occurrence is read. */
  readonly memberCount: number;
  /** Why files may be missing: the archive was cut off when it was indexed. Undefined for a whole one. */
  readonly incomplete: string | undefined;
  /** Links, devices and sparse files of the archive, which are no files here. */
  readonly passedOver: number;
  readonly #archive: string;
  readonly #indexPath: string;
  readonly #file: OpenFile;
  readonly #index: TarIndexFile;
  readonly #contents: TarContents;
  #isClosed = false;

  /** @throws UserError where the archive or its index is absent or damaged, or the index is of another archive. */
  static open(archive: string, indexPath: string): IndexedTar {
    return new IndexedTar(archive, indexPath);
  }

  private constructor(archive: string, indexPath: string) {
    this.#archive = archive;
    this.#indexPath = indexPath;
    this.#file = openArchive(archive);
    let index: TarIndexFile | undefined;
    try {
      if (!existsSync(indexPath))
        throw new UserError('the archive has no index yet', { where: indexPath, remedy: 'index it first' });
      index = this.#whole(() => new TarIndexFile(indexPath));
      this.id = archiveId(this.#file);
      const { archive: indexed, members, incomplete, passedOver, isGzip: isGzipped } = index.head;
      if (indexed !== this.id)
        throw new UserError('the archive is not the one that was indexed', {
          where: `${archive}, index ${indexPath}`,
          remedy: 'index it again, or put the archive back that was there',
        });
      this.memberCount = members;
      this.incomplete = incomplete ?? undefined;
      this.passedOver = passedOver;
      this.#index = index;
      const found = index;
      this.#contents = isGzipped
        ? new GzipContents(this.#file, {
            pointBefore: (offset) => this.#whole(() => found.pointBefore(offset)),
            point: (number) => this.#whole(() => found.point(number)),
          })
        : plainContents(this.#file);
    } catch (error) {
      index?.close();
      closeSync(this.#file.fd);
      throw error;
    }
  }

  /** The names of all files, in the order of the archive, read little by little. @throws UserError where the index is damaged. */
  *names(): Generator<string, void, undefined> {
    for (const { name } of this.members()) yield name;
  }

  /** All files with their sizes, in the order of the archive. @throws UserError where the index is damaged. */
  *members(): Generator<TarMember, void, undefined> {
    const members = this.#whole(() => this.#index.members());
    for (;;) {
      this.#refuseClosed();
      const next = this.#whole(() => members.next());
      if (next.done === true) return;
      yield { name: next.value.name, bytes: next.value.bytes };
    }
  }

  /** Whether there is a file of this name. @throws UserError where the index is damaged. */
  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /**
   * The contents of a file, checked against its CRC-32; undefined where there is none of this name. Inflates at most
   * about a megabyte that is not asked for.
   * @throws UserError where the archive or the index is damaged.
   */
  async read(name: string): Promise<Uint8Array | undefined> {
    const member = this.#find(name);
    if (member === undefined) return undefined;
    const where = entryPlace(this.#archive, name);
    if (member.bytes > TAR_INDEX_LIMITS.maxEntryBytes)
      throw new DamagedMemberError(`a file of ${member.bytes} bytes is too large to be read at once`, {
        where,
      });
    const contents = this.#contents.read(member.offset, member.bytes);
    if (contents.length !== member.bytes || crc32(contents) !== member.crc32)
      throw new DamagedMemberError('the contents of the archive are not those that were indexed', {
        where,
        remedy: `if the archive is as it should be, delete ${this.#indexPath} and index it again`,
      });
    return contents;
  }

  /** Closes both files. Nothing can be read afterwards; a second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#contents.close();
    this.#index.close();
    closeSync(this.#file.fd);
  }

  #find(name: string): IndexedMember | undefined {
    this.#refuseClosed();
    return this.#whole(() => this.#index.find(name));
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new Error(`${this.#archive} is closed already`);
  }

  /** An index that is not as it was written is the user's to delete. */
  #whole<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw cause instanceof UserError ? cause : damagedIndex(this.#indexPath, cause);
    }
  }
}

function openArchive(path: string): OpenFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw unreadableFile(path, error);
  }
  const stats = fstatSync(fd);
  if (stats.isFile()) return { path, fd, bytes: stats.size };
  closeSync(fd);
  throw new UserError('it is not a file, and so no archive', { where: path });
}

function headOf(file: OpenFile): Buffer {
  const head = Buffer.alloc(TAR_MAGIC_BYTES);
  return head.subarray(0, readAt(file, head, 0));
}

function isIndexed(indexPath: string, id: string): boolean {
  if (!existsSync(indexPath)) return false;
  try {
    const index = new TarIndexFile(indexPath);
    index.close();
    return index.head.archive === id && index.head.incomplete === null;
  } catch {
    return false; // It is made again.
  }
}

async function buildIndex(
  file: OpenFile,
  id: string,
  indexPath: string,
  { signal, onProgress, limits }: TarIndexOptions,
): Promise<void> {
  const isGzipped = isGzip(headOf(file), file.path);
  const journal = openJournal(`${indexPath}.journal`, file, isGzipped);
  let indexer: TarIndexer | undefined;
  try {
    const running = new TarIndexer(file, isGzipped, { last: journal.last, limits });
    indexer = running;
    const tell = (): void =>
      onProgress?.({ bytesRead: running.position, totalBytes: file.bytes, members: running.members });
    const pause = pauses(signal, tell);
    tell();
    if (journal.last?.checkpoint.isEnd !== true) while (running.step(journal)) await pause();
    const { cutOff } = running;
    const rest = cutOff === undefined ? [] : [running.rest];
    const about = {
      archive: id,
      isGzip: isGzipped,
      incomplete: cutOff?.message ?? null,
      passedOver: running.passedOver,
    };
    const made = `${indexPath}.making`;
    await writeTarIndex(made, about, () => joined(journal, rest), pause);
    renameSync(made, indexPath);
    syncFolder(dirname(indexPath));
    tell();
    if (cutOff !== undefined)
      throw new UserError(`${cutOff.what}; it is indexed up to there, ${running.members} files`, {
        ...(cutOff.where === undefined ? {} : { where: cutOff.where }),
        remedy: 'complete the archive and index it again: that goes on from there',
        cause: cutOff,
      });
    journal.remove();
  } catch (error) {
    // What a damaged archive gave must not be gone on with when a good copy has its place.
    if (error instanceof UserError && indexer?.cutOff === undefined) journal.remove();
    throw error;
  } finally {
    indexer?.close();
    journal.close();
  }
}

/** The journal, begun anew where it is of another archive: one that has grown since then is the same. */
function openJournal(path: string, file: OpenFile, isGzipped: boolean): TarJournal {
  const head = JSON.stringify({ format: JOURNAL_FORMAT, isGzip: isGzipped });
  const journal = new TarJournal(path, head);
  const last = journal.last?.checkpoint;
  if (last === undefined) return journal;
  const isSame = last.position <= file.bytes && digestBefore(file, last.position) === last.digest;
  // One that was whole has nothing to be added to: what was added is another archive.
  if (!isSame || (last.isEnd && last.archiveBytes !== file.bytes)) journal.restart(head);
  return journal;
}

function* joined<T>(journal: { segments(): Iterable<T> }, rest: readonly T[]): Generator<T, void, undefined> {
  yield* journal.segments();
  yield* rest;
}

/** Lets others run now and then, tells how far it is, and stops where that is wanted. */
function pauses(signal: AbortSignal | undefined, tell: () => void): () => Promise<void> {
  let [pausedMs, toldMs] = [performance.now(), performance.now()];
  return async () => {
    const nowMs = performance.now();
    if (nowMs - pausedMs < WORK_MS) return;
    await setImmediate();
    signal?.throwIfAborted();
    pausedMs = performance.now();
    if (nowMs - toldMs < TELL_MS) return;
    toldMs = nowMs;
    tell();
  };
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function damagedIndex(path: string, cause: unknown): UserError {
  return new UserError(`the index is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, {
    where: path,
    remedy: 'delete it and index the archive again',
    cause,
  });
}

/** Raised with whatever changes what is found, or its form. */
const JOURNAL_FORMAT = 2;

const SAMPLE_BYTES = 16 * 2 ** 20;

/** Others wait this long at most for their turn, and a bar moves so often. */
const WORK_MS = 10;
const TELL_MS = 200;
