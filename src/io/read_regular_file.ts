/** Reads a file that a stranger's folder holds: a regular one, of a size that was looked at, and nothing that blocks. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** The bytes; undefined where it is no regular file or larger than `maxBytes`. @throws Error as `openSync` does. */
export function readRegularFile(path: string, maxBytes: number): Uint8Array | undefined {
  // Not blocking, so that a pipe put in the file's place since does not hold us up.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > maxBytes) return undefined;
    const bytes = Buffer.allocUnsafe(stats.size);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(file, bytes, done, bytes.length - done, done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(file);
  }
}
