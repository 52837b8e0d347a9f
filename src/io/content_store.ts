/**
 * Files under the SHA-256 of their content. A file is written straight under its final name, which is twice as few
 * steps as a temporary name; so a file may be there in part after a kill, and nobody trusts one by its name alone:
 * `read` verifies the hash, `has` the length that the journal knows, and the journal's line is written after the file.
 */

import { hash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from './errors.js';
import { writeFully } from './write_fully.js';

/** Files as `<folder>/ab/cdef…`: 256 folders, names without extension since the content says what it is. */
export class ContentStore {
  readonly folder: string;
  private readonly folders = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Keeps bytes. Synchronous on purpose: on a local disk that is faster than the thread pool, whose hand-overs cost more
   * than the three system calls.
   * @param sha256 where it is known already.
   * @throws UserError where the disk is full or the folder can't be written.
   */
  put(bytes: Uint8Array, sha256: string = contentHash(bytes)): { readonly sha256: string } {
    const path = this.path(sha256);
    try {
      this.makeFolder(sha256);
      if (!createFile(path, bytes) && this.read(sha256) === undefined) this.replace(path, bytes);
    } catch (error) {
      throw storeError(error, this.folder);
    }
    return { sha256 };
  }

  /** Where the content lies, or would lie. */
  path(sha256: string): string {
    return join(this.folder, sha256.slice(0, 2), sha256.slice(2));
  }

  /** True where the file is there with the length given: enough to know that no kill has cut it. */
  has(sha256: string, bytes: number): boolean {
    const stats = statSync(this.path(sha256), { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.size === bytes;
  }

  /** The content, undefined where it is absent or not what its name says. */
  read(sha256: string): Buffer | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.path(sha256));
    } catch {
      return undefined;
    }
    return contentHash(bytes) === sha256 ? bytes : undefined;
  }

  /** Deletes the content; nothing happens where it is absent. */
  remove(sha256: string): void {
    try {
      unlinkSync(this.path(sha256));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** A file of that name holds something else: another process may be writing it, so it is replaced, not overwritten. */
  private replace(path: string, bytes: Uint8Array): void {
    // Other threads and other machines may be replacing the same file.
    const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
    createFile(temporary, bytes);
    renameSync(temporary, path);
  }

  private makeFolder(sha256: string): void {
    const name = sha256.slice(0, 2);
    if (this.folders.has(name)) return;
    mkdirSync(join(this.folder, name), { recursive: true });
    this.folders.add(name);
  }
}

/** SHA-256 in lower-case hex. */
export function contentHash(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** False where a file of that name is there. */
function createFile(path: string, bytes: Uint8Array): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeFully(file, bytes);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

/** What the person can mend about a folder that can't be written; anything else as it is. */
export function storeError(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UserError('the disk is full', {
      where: folder,
      remedy: 'make room or choose another folder, then run the command again: it goes on where it stopped',
      cause: error,
    });
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new UserError('the folder can’t be written', {
      where: folder,
      remedy: 'choose another folder or change its permissions',
      cause: error,
    });
  return error;
}
