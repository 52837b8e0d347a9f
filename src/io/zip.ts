/** Reads zip archives, also Zip64, by their directory: entries in any order, as streams, checked against what they declare. */

import type { FileHandle } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, getFileNameLowLevel, RandomAccessReader } from 'yauzl';
import {
  ARCHIVE_CHUNK_BYTES,
  type ArchiveEntry,
  type ArchiveEntryKind,
  checkedEntryName,
  damagedArchive,
  entryPlace,
  openArchiveFile,
  type ReadArchiveOptions,
} from './archive_entry.js';
import { UnpackMeter } from './archive_limits.js';
import { UserError } from './errors.js';

/**
 * The entries of a zip in the order of its directory. The whole directory is read and checked first (names, limits,
 * entries that overlap), so nothing is given of an archive that is refused for them. An entry may be opened at any time,
 * also after the iteration, in any order and more than once: each `open()` opens the file for itself and closes it.
 *
 * Throws a `UserError` for a file that is no zip or is damaged, unsafe names, overlapping entries and passed limits.
 * Contents are checked against their size and CRC-32; encrypted ones and methods other than stored and deflate fail when
 * they are opened.
 */
export async function* readZip(
  path: string,
  options: ReadArchiveOptions = {},
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const { signal } = options;
  signal?.throwIfAborted();
  const meter = new UnpackMeter(path, options.limits);
  for (const part of await readDirectory(path, meter, signal)) {
    signal?.throwIfAborted();
    const { name, kind, bytes } = part;
    if (name !== '') yield { name, kind, bytes, open: () => openPart(path, part, meter, signal) };
  }
}

/** What the directory says of an entry, as far as we need it. */
interface ZipPart {
  readonly name: string;
  readonly kind: ArchiveEntryKind;
  readonly place: string;
  readonly bytes: number;
  readonly compressedBytes: number;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc32: number;
  readonly headerOffset: number;
  /** Where the next entry, or the directory, begins: nothing of this one may lie behind it. */
  endLimit: number;
}

async function readDirectory(
  path: string,
  meter: UnpackMeter,
  signal: AbortSignal | undefined,
): Promise<ZipPart[]> {
  const handle = await openArchiveFile(path);
  try {
    const { size } = await handle.stat();
    const zip = await fromRandomAccessReaderPromise(new FileReader(handle, size), size, {
      autoClose: false,
      // Names are decoded below: yauzl would turn backslashes into slashes and give up at the first odd name.
      decodeStrings: false,
    });
    const directoryOffset = zip.readEntryCursor as unknown as number;
    const parts: ZipPart[] = [];
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      meter.countEntry();
      parts.push(describePart(entry, path, directoryOffset));
    }
    refuseOverlaps(parts, path);
    return parts;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    if (error instanceof Error && /strong encryption/.test(error.message)) throw encrypted(path);
    throw damagedArchive(`${path}, directory`, error);
  } finally {
    await handle.close();
  }
}

/**
 * Gives yauzl the bytes it asks for, through a window, as a directory is read in very many small steps. It refuses
 * positions outside of the file itself: `fs.read` throws for those that a hostile 64-bit field can hold, and yauzl lets
 * that end the process.
 */
class FileReader extends RandomAccessReader {
  readonly #handle: FileHandle;
  readonly #size: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(handle: FileHandle, size: number) {
    super();
    this.#handle = handle;
    this.#size = size;
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#fill(position, length).then(
      () => {
        const start = position - this.#windowStart;
        this.#window.copy(target, offset, start, start + length);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** The handle belongs to whoever opened it. */
  override close(callback: (error: Error | null) => void): void {
    setImmediate(callback, null);
  }

  async #fill(position: number, length: number): Promise<void> {
    if (!(position >= 0 && position + length <= this.#size))
      throw new Error('a field points outside of the file');
    const isInWindow =
      position >= this.#windowStart && position + length <= this.#windowStart + this.#window.length;
    if (isInWindow) return;
    const bytes = Math.min(Math.max(length, ARCHIVE_CHUNK_BYTES), this.#size - position);
    this.#window = await readFully(this.#handle, position, bytes);
    this.#windowStart = position;
  }
}

async function readFully(handle: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let filled = 0; filled < bytes; ) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, position + filled);
    if (bytesRead === 0) throw new Error('the file ends too early');
    filled += bytesRead;
  }
  return buffer;
}

function describePart(entry: Entry, path: string, directoryOffset: number): ZipPart {
  const rawName = getFileNameLowLevel(
    entry.generalPurposeBitFlag,
    entry.fileNameRaw,
    entry.extraFields,
    // "Strict" is yauzl's word for leaving backslashes as they are, for us to refuse.
    true,
  );
  const kind = kindOf(entry, rawName);
  return {
    name: checkedEntryName(rawName, kind, path),
    kind,
    place: entryPlace(path, rawName),
    bytes: entry.uncompressedSize,
    compressedBytes: entry.compressedSize,
    method: entry.compressionMethod,
    isEncrypted: entry.isEncrypted(),
    crc32: entry.crc32,
    headerOffset: entry.relativeOffsetOfLocalHeader,
    endLimit: directoryOffset,
  };
}

/** Unix file types in the upper half of the external attributes (stat.h's S_IFMT), wherever the archive was made. */
function kindOf(entry: Entry, rawName: string): ArchiveEntryKind {
  const type = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (type === 0o120000) return 'link';
  if (rawName.endsWith('/') || type === 0o040000) return 'folder';
  // Info-ZIP marks what it was given through a pipe or a socket as one; the contents are a file's.
  return type === 0o020000 || type === 0o060000 ? 'other' : 'file';
}

/**
 * Entries that share bytes let a small archive unpack to any size (D. Fifield, "A better zip bomb", 2019). The length of
 * the local header is known only when an entry is opened, which checks `endLimit` once more.
 */
function refuseOverlaps(parts: readonly ZipPart[], path: string): void {
  const byOffset = [...parts].sort((a, b) => a.headerOffset - b.headerOffset);
  byOffset.forEach((part, i) => {
    part.endLimit = Math.min(part.endLimit, byOffset[i + 1]?.headerOffset ?? Number.POSITIVE_INFINITY);
    if (part.headerOffset + LOCAL_HEADER_BYTES + part.compressedBytes > part.endLimit)
      throw overlapping(part.place);
  });
  if (byOffset.length === 0) return;
  if (byOffset[0]!.headerOffset < 0) throw damagedArchive(path, 'a negative offset');
}

function overlapping(place: string): UserError {
  return new UserError('an entry of the archive overlaps what follows it, as in decompression bombs', {
    where: place,
    remedy: 'do not unpack it; fetch it again from its maker',
  });
}

function encrypted(place: string): UserError {
  return new UserError('the archive is encrypted', {
    where: place,
    remedy: 'unpack it with its password first',
  });
}

function openPart(
  path: string,
  part: ZipPart,
  meter: UnpackMeter,
  signal: AbortSignal | undefined,
): Readable {
  if (part.kind !== 'file') throw new Error(`only files have contents, and ${part.place} is a ${part.kind}`);
  const stream = Readable.from(contents(path, part, meter), {
    objectMode: false,
    highWaterMark: ARCHIVE_CHUNK_BYTES,
  });
  // Whoever reads it gets its errors; an abort before anyone reads must not end the process.
  stream.on('error', () => {});
  if (signal !== undefined) addAbortSignal(signal, stream);
  return stream;
}

async function* contents(
  path: string,
  part: ZipPart,
  meter: UnpackMeter,
): AsyncGenerator<Buffer, void, undefined> {
  if (part.isEncrypted) throw encrypted(part.place);
  if (part.method !== STORED && part.method !== DEFLATED)
    throw new UserError(`an entry is compressed by method ${part.method}, which is not read here`, {
      where: part.place,
      remedy: 'pack the archive again with the usual method, deflate',
    });
  meter.checkEntryBytes(part.bytes, part.place);
  const handle = await openArchiveFile(path);
  try {
    const stored = storedBytes(handle, await findData(handle, part), part.compressedBytes, meter);
    let bytes = 0;
    let crc = 0;
    for await (const chunk of part.method === DEFLATED ? inflated(stored) : stored) {
      bytes += chunk.length;
      meter.countOut(chunk.length);
      meter.checkEntryBytes(bytes, part.place);
      if (bytes > part.bytes) throw new Error(`it holds more than the ${part.bytes} bytes that it declares`);
      crc = crc32(chunk, crc);
      yield chunk;
    }
    if (bytes !== part.bytes) throw new Error(`it holds ${bytes} bytes and declares ${part.bytes}`);
    if (crc !== part.crc32) throw new Error('its checksum does not fit its contents');
  } catch (error) {
    throw error instanceof UserError ? error : damagedArchive(part.place, error);
  } finally {
    await handle.close();
  }
}

/** Where an entry's data begin: behind its local header, whose two lengths need not be those of the directory. */
async function findData(handle: FileHandle, part: ZipPart): Promise<number> {
  const header = await readFully(handle, part.headerOffset, LOCAL_HEADER_BYTES);
  if (header.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE)
    throw new Error('its local header is not where it should be');
  if ((header.readUInt16LE(6) & 1) !== 0) throw encrypted(part.place);
  if (header.readUInt16LE(8) !== part.method) throw new Error('its two headers name different methods');
  const start = part.headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + part.compressedBytes > part.endLimit) throw overlapping(part.place);
  return start;
}

async function* storedBytes(
  handle: FileHandle,
  start: number,
  bytes: number,
  meter: UnpackMeter,
): AsyncGenerator<Buffer, void, undefined> {
  for (let done = 0; done < bytes; ) {
    const chunk = await readFully(handle, start + done, Math.min(ARCHIVE_CHUNK_BYTES, bytes - done));
    done += chunk.length;
    meter.countIn(chunk.length);
    yield chunk;
  }
}

async function* inflated(
  compressed: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  const inflate = createInflateRaw({ chunkSize: ARCHIVE_CHUNK_BYTES });
  const feeding = pipeline(compressed, inflate);
  feeding.catch(() => {});
  try {
    for await (const chunk of inflate) yield chunk as Buffer;
    await feeding;
  } finally {
    inflate.destroy();
    await feeding.catch(() => {});
    await compressed.return();
  }
}

/** APPNOTE.TXT 6.3.10: section 4.3.7 for the local header, 4.4.5 for the methods. */
const LOCAL_HEADER_SIGNATURE = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
