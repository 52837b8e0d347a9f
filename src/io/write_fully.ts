/** Writes all of some bytes: one write(2) may take only a part of them. */

import { writeSync } from 'node:fs';

/** Writes at the file's own position, or at `position` in bytes where it is given. */
export function writeFully(file: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(
      file,
      bytes,
      done,
      bytes.length - done,
      position === undefined ? null : position + done,
    );
}
