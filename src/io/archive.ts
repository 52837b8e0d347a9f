/** Unpacks zip and tar archives that may be hostile into a folder that nothing of theirs can leave. */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ArchiveEntry,
  entryPlace,
  openArchiveFile,
  type ReadArchiveOptions,
  unreadableFile,
} from './archive_entry.js';
import { UserError } from './errors.js';
import { readTar } from './tar.js';
import { readZip } from './zip.js';

export interface ExtractOptions extends ReadArchiveOptions {
  /** Which entries to unpack, by their normalised names (folders without a trailing slash). Default: all. */
  readonly only?: (name: string) => boolean;
  /** Called after each chunk that is written. */
  readonly onProgress?: (progress: ExtractProgress) => void;
}

export interface ExtractProgress {
  /** The entry that is being written. */
  readonly name: string;
  /** Files that are finished. */
  readonly files: number;
  /** Bytes written so far, over all files. */
  readonly bytes: number;
}

/** What was written: regular files alone, in the archive's order. */
export interface ExtractedFile {
  readonly name: string;
  /** The file's absolute path. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Unpacks a zip, a tar or a gzipped tar (told apart by their first bytes) below `folder`, which is made where it is
 * missing. Files appear whole under their names or not at all, replacing older ones; on an error those that were
 * finished stay. Modes, owners and times are not taken over. Files are not synced to the disk one by one.
 *
 * Throws a `UserError` where `readZip` or `readTar` would, for a link or a device among the chosen entries, for a name
 * that comes twice, and where a symbolic link that is already in `folder` stands in the way: none is ever followed.
 */
export async function extractArchive(
  archive: string,
  folder: string,
  options: ExtractOptions = {},
): Promise<readonly ExtractedFile[]> {
  const { only = () => true, onProgress, signal } = options;
  signal?.throwIfAborted();
  const entries = (await isZip(archive)) ? readZip(archive, options) : readTar(archive, options);
  const target = await openTarget(folder, archive);
  const written: ExtractedFile[] = [];
  let bytes = 0;
  try {
    for await (const entry of entries) {
      if (!only(entry.name)) continue;
      if (entry.kind === 'folder') {
        await target.ensureFolder(entry.name);
        continue;
      }
      if (entry.kind !== 'file') throw notAFile(entry, archive);
      const before = bytes;
      const path = await target.writeFile(entry, (chunkBytes) => {
        bytes += chunkBytes;
        onProgress?.({ name: entry.name, files: written.length, bytes });
      });
      written.push({ name: entry.name, path, bytes: bytes - before });
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  return written;
}

/** A zip begins with an entry or, where it has none, with the end of its directory; others may have a program before them. */
async function isZip(path: string): Promise<boolean> {
  const handle = await openArchiveFile(path);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const signature = bytesRead < 4 ? 0 : buffer.readUInt32LE(0);
    return signature === 0x04034b50 || signature === 0x06054b50 || /\.zip$/i.test(path);
  } catch (error) {
    throw unreadableFile(path, error);
  } finally {
    await handle.close();
  }
}

function notAFile(entry: ArchiveEntry, archive: string): UserError {
  const kind = entry.kind === 'link' ? 'a link' : 'neither a file nor a folder';
  return new UserError(`an entry of the archive is ${kind}, which is never unpacked`, {
    where: entryPlace(archive, entry.name),
    remedy: 'unpack it by hand, or ask its maker for an archive of plain files',
  });
}

interface Target {
  ensureFolder(name: string): Promise<string>;
  writeFile(entry: ArchiveEntry, onChunk: (bytes: number) => void): Promise<string>;
}

/** The folder that is unpacked into. It may itself be reached through a link: that is its owner's choice. */
async function openTarget(folder: string, archive: string): Promise<Target> {
  const root = await writing(folder, async () => {
    await mkdir(folder, { recursive: true });
    return realpath(folder);
  });
  const knownFolders = new Set<string>();
  /** The names that were written, by what a file system that folds case and accents would make of them. */
  const writtenNames = new Map<string, string>();
  return { ensureFolder, writeFile };

  /** Makes or checks one folder after another: `mkdir -p` would walk through links. */
  async function ensureFolder(name: string): Promise<string> {
    let path = root;
    for (const part of name.split('/').filter((each) => each !== '')) {
      path = join(path, part);
      if (knownFolders.has(path)) continue;
      await writing(path, () => mkdir(path).catch(rejectUnlessExists));
      const found = await writing(path, () => lstat(path));
      if (found.isSymbolicLink()) throw linkInTheWay(path, archive);
      if (!found.isDirectory()) throw inTheWay('a file', path, archive);
      knownFolders.add(path);
    }
    return path;
  }

  async function writeFile(entry: ArchiveEntry, onChunk: (bytes: number) => void): Promise<string> {
    const slash = entry.name.lastIndexOf('/');
    const parent = await ensureFolder(entry.name.slice(0, Math.max(0, slash)));
    const path = join(parent, entry.name.slice(slash + 1));
    await checkFree(path, entry.name);
    const partial = join(dirname(path), `.unpacking-${process.pid}-${randomBytes(6).toString('hex')}`);
    try {
      await copy(entry, partial, onChunk);
      await writing(path, () => rename(partial, path));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    writtenNames.set(folded(entry.name), entry.name);
    return path;
  }

  async function checkFree(path: string, name: string): Promise<void> {
    const earlier = writtenNames.get(folded(name));
    if (earlier === name) throw comesTwice(name);
    const found = await writing(path, () => lstat(path).catch(undefinedIfMissing));
    if (found === undefined) return;
    if (found.isSymbolicLink()) throw linkInTheWay(path, archive);
    if (!found.isFile()) throw inTheWay('a folder or a special file', path, archive);
    if (earlier !== undefined && (await lstat(join(root, earlier))).ino === found.ino) throw comesTwice(name);
  }

  function comesTwice(name: string): UserError {
    return new UserError('two entries of the archive would be the same file', {
      where: entryPlace(archive, name),
      remedy: 'unpack it by hand and choose which one to keep',
    });
  }
}

async function copy(entry: ArchiveEntry, path: string, onChunk: (bytes: number) => void): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  const file = await writing(path, () => open(path, flags, 0o644));
  try {
    for await (const chunk of entry.open()) {
      const bytes = chunk as Buffer;
      await writing(path, () => file.writeFile(bytes));
      onChunk(bytes.length);
    }
  } finally {
    await file.close();
  }
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Runs a step of writing, and says what the system refused and where. */
async function writing<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UserError(`the archive can't be unpacked here (${code})`, { where: path, cause: error });
  }
}

function rejectUnlessExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function linkInTheWay(path: string, archive: string): UserError {
  return new UserError('a symbolic link stands where the archive is unpacked, and is not followed', {
    where: `${path}, unpacking ${archive}`,
    remedy: 'remove the link or choose an empty folder',
  });
}

function inTheWay(what: string, path: string, archive: string): UserError {
  return new UserError(`${what} stands where the archive has something else`, {
    where: `${path}, unpacking ${archive}`,
    remedy: 'remove it or choose an empty folder',
  });
}
