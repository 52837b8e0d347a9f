/** Reads ranges of bytes from a file or from memory, so that a reader of one window need not read the whole recording. */

import { type FileHandle, open } from 'node:fs/promises';
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

/** Opens a file. @throws UserError where it can't be opened or is no file. */
export async function openFileSource(path: string): Promise<ByteSource> {
  const file = await attempt(path, () => open(path, 'r'));
  try {
    const status = await attempt(path, () => file.stat());
    if (!status.isFile())
      throw new UserError('it is not a file', { where: path, remedy: 'name the recording itself' });
    return fileSource(path, file, status.size);
  } catch (error) {
    await file.close();
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

function fileSource(path: string, file: FileHandle, size: number): ByteSource {
  let isOpen = true;
  return {
    name: path,
    size,
    async read(offset, length, scratch) {
      checkRange(offset, length, size);
      const target =
        scratch !== undefined && scratch.length >= length
          ? scratch.subarray(0, length)
          : new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await attempt(path, () =>
          file.read(target, done, length - done, offset + done),
        );
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
      if (isOpen) await file.close();
      isOpen = false;
    },
  };
}

function checkRange(offset: number, length: number, size: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new UserError(`the file can't be read (${code})`, {
      where: path,
      remedy: code === 'ENOENT' ? 'check the path' : 'check the file and its permissions',
      cause,
    });
  }
}
