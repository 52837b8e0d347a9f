/** Reads ranges of bytes from a file or from memory, so that a reader of one window need not read the whole recording. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from './errors.js';

/** Bytes at random access. */
export interface ByteSource {
  /** What errors call it, e.g. the file's path. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * The bytes [offset, offset + length), which must lie within `size`. They may be a view of the source itself, or of
   * `scratch` where that is given and long enough: then they hold until it is used again. Not to be written to.
   * @throws UserError where they can't be read.
   */
  read(offset: number, length: number, scratch?: Uint8Array): Promise<Uint8Array>;
  /** Gives the file back; may be called more than once. */
  close(): Promise<void>;
}

/**
 * Opens a file. It is read synchronously, as shards are written: small ranges come from the system's cache, where handing
 * each to another thread takes ten times as long as reading it (measured). Long reads belong on a worker thread.
 * @throws UserError where it can't be opened or is no file.
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  const file = attempt(path, () => openSync(path, 'r'));
  try {
    const status = attempt(path, () => fstatSync(file));
    if (!status.isFile())
      throw new UserError('it is not a file', { where: path, remedy: 'name the recording itself' });
    return fileSource(path, file, status.size);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Bytes in memory; `name` is what errors call them. */
export function bufferSource(bytes: Uint8Array, name = 'buffer'): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      checkRange(offset, length, bytes.length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {},
  };
}

function fileSource(path: string, file: number, size: number): ByteSource {
  let isOpen = true;
  return {
    name: path,
    size,
    async read(offset, length, scratch) {
      checkRange(offset, length, size);
      if (!isOpen) throw new Error(`${path} is closed`);
      const target =
        scratch !== undefined && scratch.length >= length
          ? scratch.subarray(0, length)
          : new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const bytesRead = attempt(path, () => readSync(file, target, done, length - done, offset + done));
        if (bytesRead === 0)
          throw new UserError(`the file became shorter while it was read: byte ${offset + done} is gone`, {
            where: path,
            remedy: 'read it when nothing writes to it any more',
          });
        done += bytesRead;
      }
      return target;
    },
    async close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

function checkRange(offset: number, length: number, size: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new UserError(`the file can't be read (${code})`, {
      where: path,
      remedy: code === 'ENOENT' ? 'check the path' : 'check the file and its permissions',
      cause,
    });
  }
}
