/** Reads tar archives, plain or gzipped, as a stream of entries that are checked before anyone sees them. */

import type { FileHandle } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract as createExtract, type Extract, type Header } from 'tar-stream';
import {
  ARCHIVE_CHUNK_BYTES,
  type ArchiveEntry,
  type ArchiveEntryKind,
  checkedEntryName,
  damagedArchive,
  entryPlace,
  openArchiveFile,
  type ReadArchiveOptions,
  unreadableFile,
} from './archive_entry.js';
import { UnpackMeter } from './archive_limits.js';
import { UserError } from './errors.js';

/**
 * The entries of a tar (ustar, pax, GNU), one at a time and in constant memory. Gzip is told by its first bytes. An entry
 * that is not opened is passed over. `source` is a path, or a stream of bytes, which is destroyed at the end.
 *
 * Throws a `UserError` for unsafe names, for what passes a limit, and for an archive that is damaged or cut off; a tar
 * without its end marker counts as cut off, since nothing else tells a whole one from one that lost entries.
 *
 * @example
 *   for await (const entry of readTar('faces.tar.gz'))
 *     if (entry.name.endsWith('.jpg')) await use(entry.open());
 */
export async function* readTar(
  source: string | Readable,
  options: ReadArchiveOptions = {},
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const { signal } = options;
  signal?.throwIfAborted();
  const archive = typeof source === 'string' ? source : 'the tar stream';
  const meter = new UnpackMeter(archive, options.limits);
  const file = typeof source === 'string' ? await openArchiveFile(source) : undefined;
  const extract = createExtract(ALSO_OLD_FORMATS);
  // Errors reach us through the iterator; without a listener an abort between two entries would end the process.
  extract.on('error', () => {});
  let closing: Promise<void> | undefined;
  const stop = (reason?: Error): void => {
    if (typeof source !== 'string') source.destroy();
    extract.destroy(reason);
    // A second close() would not wait for the first.
    closing ??= file?.close().catch(() => {});
  };
  const onAbort = (): void => stop(asError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });

  const end = new EndMarker();
  const raw = typeof source === 'string' ? fileBytes(file!, source) : streamBytes(source);
  const pumping = pump(tarBytes(raw, meter, archive), extract, end);
  // Awaited below; until then a failure must not count as unhandled.
  pumping.catch(() => {});
  let place = `${archive}, first header`;
  try {
    signal?.throwIfAborted();
    for await (const stream of extract) {
      const header: TarHeader = stream.header as TarHeader;
      meter.countEntry();
      const kind = tarEntryKind(header);
      const name = checkedEntryName(header.name, kind, archive);
      place = `${entryPlace(archive, header.name)}, byte ${header.byteOffset}`;
      const content = new EntryContent(stream, { kind, place, bytes: header.size, meter, signal });
      if (name !== '') yield { name, kind, bytes: header.size, open: () => content.open() };
      await content.passOver();
      end.entryEndsAt(header);
    }
    await pumping;
    end.check();
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof UserError ? error : damagedArchive(`${place} or after`, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop();
    await pumping.catch(() => {});
    await closing;
  }
}

/** Tars older than POSIX have no magic; their checksum is looked at all the same. The option lacks a declaration. */
const ALSO_OLD_FORMATS: object = { allowUnknownFormat: true };

/** A header as tar-stream gives it, with what its declarations leave out. */
type TarHeader = Header & {
  /** Where the entry's contents begin in the unpacked tar. */
  readonly byteOffset: number;
  readonly pax: Readonly<Record<string, string>> | null;
};

/** The contents of one entry, as tar-stream gives them. */
interface TarContent extends AsyncIterable<unknown> {
  readonly header: Header;
}

/** What an entry is, by its type in the words of tar-stream, its full name and its pax records. */
export function tarEntryKind({
  name,
  type,
  pax,
}: Pick<TarHeader, 'name' | 'type' | 'pax'>): ArchiveEntryKind {
  // The contents of a sparse file in pax form are a map and its pieces, not the file (GNU tar manual, "Sparse Formats").
  if (pax !== null && Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'))) return 'other';
  const isFile = type === 'file' || type === 'contiguous-file';
  // Before POSIX a slash at the end of its name was all that told a folder from a file.
  if (type === 'directory' || (isFile && name.endsWith('/'))) return 'folder';
  if (isFile) return 'file';
  return type === 'link' || type === 'symlink' ? 'link' : 'other';
}

/** Reads the file through. Whoever opened it closes it: a generator that was never started could not. */
async function* fileBytes(handle: FileHandle, path: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(ARCHIVE_CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    throw unreadableFile(path, error);
  }
}

async function* streamBytes(source: Readable): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as Uint8Array);
}

/** The bytes of the tar itself, counted, whether or not they come compressed. */
async function* tarBytes(
  raw: AsyncGenerator<Buffer, void, undefined>,
  meter: UnpackMeter,
  archive: string,
): AsyncGenerator<Buffer, void, undefined> {
  const { head, all } = await peek(raw, TAR_MAGIC_BYTES);
  let isGzipped: boolean;
  try {
    isGzipped = isGzip(head, archive);
  } catch (error) {
    await all.return();
    throw error;
  }
  for await (const chunk of isGzipped ? gunzipped(all, meter) : all) {
    if (!isGzipped) meter.countIn(chunk.length);
    meter.countOut(chunk.length);
    yield chunk;
  }
}

/**
 * Whether an archive that begins with `head` is gzipped. @throws UserError where it is compressed otherwise.
 * `head` holds `TAR_MAGIC_BYTES`, or the whole of a shorter file.
 */
export function isGzip(head: Buffer, archive: string): boolean {
  for (const [name, magic] of OTHER_COMPRESSIONS)
    if (head.subarray(0, magic.length).equals(magic))
      throw new UserError(`the archive is compressed with ${name}, which is not read here`, {
        where: archive,
        remedy: `unpack it with ${name} first, or pack it with gzip`,
      });
  return head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
}

/** As many bytes of an archive as `isGzip` wants to see. */
export const TAR_MAGIC_BYTES = 6;

/** RFC 1952: ID1, ID2, and the only compression method there is. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 8]);
const OTHER_COMPRESSIONS: readonly (readonly [string, Buffer])[] = [
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

/** The first bytes of a stream, as many as there are up to `bytes`, and the whole stream again. */
async function peek(
  chunks: AsyncGenerator<Buffer, void, undefined>,
  bytes: number,
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer, void, undefined> }> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < bytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return { head, all: again() };

  async function* again(): AsyncGenerator<Buffer, void, undefined> {
    try {
      if (head.length > 0) yield head;
      yield* chunks;
    } finally {
      await chunks.return();
    }
  }
}

/** All members of a gzip file, one after another (RFC 1952, section 2.2). */
async function* gunzipped(
  compressed: AsyncGenerator<Buffer, void, undefined>,
  meter: UnpackMeter,
): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip({ chunkSize: ARCHIVE_CHUNK_BYTES });
  const feeding = pipeline(compressed, gunzip);
  feeding.catch(() => {});
  let counted = 0;
  try {
    for await (const chunk of gunzip) {
      meter.countIn(gunzip.bytesWritten - counted);
      counted = gunzip.bytesWritten;
      yield chunk as Buffer;
    }
    await feeding;
  } finally {
    gunzip.destroy();
    await feeding.catch(() => {});
    await compressed.return();
  }
}

/** Feeds the parser at its own pace; what goes wrong on the way becomes the parser's error. */
async function pump(
  bytes: AsyncGenerator<Buffer, void, undefined>,
  extract: Extract,
  end: EndMarker,
): Promise<void> {
  try {
    for await (const chunk of bytes) {
      if (extract.destroyed) return;
      end.sees(chunk);
      if (!extract.write(chunk)) await drained(extract);
    }
    extract.end(null);
  } catch (error) {
    extract.destroy(asError(error));
    throw error;
  }
}

function drained(extract: Extract): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      extract.off('drain', done);
      extract.off('close', done);
      resolve();
    };
    extract.on('drain', done);
    extract.on('close', done);
    if (extract.destroyed) done();
  });
}

/** The contents of one entry: given to one reader, and read to their end in any case, as a tar can't be read otherwise. */
class EntryContent {
  readonly #stream: TarContent;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #about: ContentDetails;
  #given: Readable | undefined;
  #isOver = false;

  constructor(stream: TarContent, about: ContentDetails) {
    this.#stream = stream;
    this.#about = about;
    // Never `return()` this iterator: that would destroy the stream, and with it the whole archive.
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  open(): Readable {
    const { kind, place } = this.#about;
    if (kind !== 'file') throw new Error(`only files have contents, and ${place} is a ${kind}`);
    if (this.#given !== undefined || this.#isOver)
      throw new Error('an entry of a tar can be opened once, before the next entry is asked for');
    this.#given = Readable.from(this.#read(), { objectMode: false, highWaterMark: ARCHIVE_CHUNK_BYTES });
    this.#given.on('error', () => {});
    if (this.#about.signal !== undefined) addAbortSignal(this.#about.signal, this.#given);
    return this.#given;
  }

  async passOver(): Promise<void> {
    this.#isOver = true;
    if (this.#given !== undefined && !this.#given.closed) {
      const closed = new Promise((resolve) => this.#given?.once('close', resolve));
      this.#given.destroy();
      await closed;
    }
    let bytes = 0;
    for (let next = await this.#chunks.next(); next.done !== true; next = await this.#chunks.next())
      bytes += next.value.length;
    // A stream that is destroyed ends like one that is read through: only `error` events and sizes tell.
    if (this.#given === undefined) this.#checkWhole(bytes);
  }

  async *#read(): AsyncGenerator<Buffer, void, undefined> {
    const { meter, place } = this.#about;
    meter.checkEntryBytes(this.#about.bytes, place);
    let bytes = 0;
    for (;;) {
      const next = await this.#chunks.next().catch((error: unknown) => {
        throw error instanceof UserError ? error : damagedArchive(place, error);
      });
      if (next.done === true) break;
      bytes += next.value.length;
      meter.checkEntryBytes(bytes, place);
      yield next.value;
    }
    this.#checkWhole(bytes);
  }

  #checkWhole(bytes: number): void {
    const expected = this.#stream.header.type === 'directory' ? 0 : this.#about.bytes;
    if (bytes !== expected)
      throw damagedArchive(this.#about.place, `${bytes} of ${expected} bytes are there`);
  }
}

interface ContentDetails {
  readonly kind: ArchiveEntryKind;
  readonly place: string;
  readonly bytes: number;
  readonly meter: UnpackMeter;
  readonly signal: AbortSignal | undefined;
}

/** Watches for the block of zeros behind the last entry: POSIX (pax, "ustar Interchange Format") ends a tar with two. */
class EndMarker {
  #totalBytes = 0;
  #zerosAtEnd = 0;
  #lastEntryEnd = 0;

  sees(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const tail = chunk.subarray(Math.max(0, chunk.length - BLOCK_BYTES));
    let zeros = 0;
    while (zeros < tail.length && tail[tail.length - 1 - zeros] === 0) zeros++;
    this.#zerosAtEnd = zeros === chunk.length ? this.#zerosAtEnd + zeros : zeros;
  }

  entryEndsAt({ byteOffset, size, type }: TarHeader): void {
    const bytes = type === 'directory' ? 0 : size;
    this.#lastEntryEnd = byteOffset + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }

  /** One block is enough: some writers leave out the second. */
  check(): void {
    if (this.#totalBytes === 0) throw new Error('it is empty');
    if (this.#zerosAtEnd < BLOCK_BYTES || this.#totalBytes < this.#lastEntryEnd + BLOCK_BYTES)
      throw new Error('its end marker is missing, so entries may be missing too');
  }
}

/** Of which a tar is made (POSIX pax, "ustar Interchange Format"). */
export const BLOCK_BYTES = 512;

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
