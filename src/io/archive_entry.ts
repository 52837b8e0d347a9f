/** What every archive format gives: entries with names that can't escape, and errors that say where an archive is wrong. */

import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ArchiveLimits } from './archive_limits.js';
import { UserError } from './errors.js';

/** `link` is a symbolic or a hard link, `other` a device, a pipe, or a kind that we don't know. */
export type ArchiveEntryKind = 'file' | 'folder' | 'link' | 'other';

/** One entry of an archive. Links are told, never followed; their targets are not even given. */
export interface ArchiveEntry {
  /** A relative path with `/` between its parts and no `.`, `..` or empty part: safe below any folder. */
  readonly name: string;
  readonly kind: ArchiveEntryKind;
  /** Size of the contents as the archive declares it; what `open()` gives is checked against it. */
  readonly bytes: number;
  /**
   * The contents of an entry of kind `file`. Fails with a `UserError` where they are damaged, cut off, encrypted or
   * over a limit. An entry of a tar can be opened once, before the next entry is asked for; one of a zip at any time.
   */
  open(): Readable;
}

export interface ReadArchiveOptions {
  /** Defaults: `DEFAULT_ARCHIVE_LIMITS`. */
  readonly limits?: Partial<ArchiveLimits>;
  /** Stops reading and closes every file: the iteration fails with the signal's reason, open streams with an AbortError. */
  readonly signal?: AbortSignal;
}

/** Bytes read or inflated at a time: fewer, larger steps cost less (256 KiB measured best for tar through gunzip). */
export const ARCHIVE_CHUNK_BYTES = 256 * 1024;

/**
 * The name of an entry as it may be used, or a `UserError` that names archive and entry. '' stands for the archive's own
 * root ('./', as `tar -c .` writes it), which only a folder may be.
 */
export function checkedEntryName(raw: string, kind: ArchiveEntryKind, archive: string): string {
  const checked = safeEntryName(raw);
  if ('unsafe' in checked) throw unsafe(checked.unsafe);
  if (checked.name === '' && kind !== 'folder') throw unsafe('it names the folder itself');
  return checked.name;

  function unsafe(reason: string): UserError {
    return new UserError(`an entry of the archive has an unsafe name: ${reason}`, {
      where: entryPlace(archive, raw),
      remedy: 'do not unpack archives that you do not trust; ask its maker for one with plain relative names',
    });
  }
}

/**
 * Normalises the name of an entry ('./a//b/' becomes 'a/b'), or says why it can't be used on any system. Names that only
 * Windows can't hold are refused there alone; names of Windows devices everywhere, since data folders travel.
 */
export function safeEntryName(
  raw: string,
  platform: NodeJS.Platform = process.platform,
): { readonly name: string } | { readonly unsafe: string } {
  if (raw === '') return { unsafe: 'it is empty' };
  if (/\p{Cc}/u.test(raw)) return { unsafe: 'it holds a control character' };
  if (raw.includes('\\')) return { unsafe: 'it holds a backslash' };
  if (raw.startsWith('/')) return { unsafe: 'it is an absolute path' };
  if (/^[a-z]:/i.test(raw)) return { unsafe: 'it begins with a drive letter' };
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') return { unsafe: 'it leads out of the folder' };
    if (Buffer.byteLength(part) > MAX_PART_BYTES)
      return { unsafe: `a part of it is longer than ${MAX_PART_BYTES} bytes` };
    if (WINDOWS_DEVICE.test(part)) return { unsafe: 'it is the name of a Windows device' };
    if (platform === 'win32' && /[<>:"|?*]|[. ]$/.test(part))
      return { unsafe: 'Windows does not allow such a name' };
  }
  const name = parts.join('/');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    return { unsafe: `it is longer than ${MAX_NAME_BYTES} bytes` };
  return { name };
}

/** Where in an archive something is, for messages: a hostile name is quoted, cut and freed of control characters. */
export function entryPlace(archive: string, name: string): string {
  const short = name.length > 120 ? `${name.slice(0, 120)}…` : name;
  return `${archive}, entry ${JSON.stringify(short).replace(/[\p{Cc}\p{Bidi_Control}]/gu, '?')}`;
}

/** The error for an archive that does not follow its format. `cause` is what the library beneath said. */
export function damagedArchive(where: string, cause: unknown): UserError {
  const detail = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
  return new UserError(`the archive is damaged, cut off or of another format (${detail})`, {
    where,
    remedy: 'fetch or copy it again and compare its size and checksum',
    cause,
  });
}

/** Opens a file for reading; a missing or unreadable one and a folder are `UserError`s. */
export async function openArchiveFile(path: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    if ((await handle.stat()).isDirectory())
      throw new UserError('it is a folder, not an archive', { where: path });
    return handle;
  } catch (error) {
    await handle?.close();
    throw error instanceof UserError ? error : unreadableFile(path, error);
  }
}

/** The error for a file that the system would not open or read. */
export function unreadableFile(path: string, cause: unknown): UserError {
  const code = (cause as NodeJS.ErrnoException).code;
  return new UserError(code === 'ENOENT' ? 'there is no such file' : `the file can't be read (${code})`, {
    where: path,
    cause,
  });
}

/** NAME_MAX of Linux, macOS and NTFS (there in UTF-16 units, which are fewer). */
const MAX_PART_BYTES = 255;

/** PATH_MAX of macOS, the shortest in use. */
const MAX_NAME_BYTES = 1024;

/** "Naming Files, Paths, and Namespaces" of the Windows documentation: with any extension, and with trailing blanks. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(?:\..*)?$/i;
