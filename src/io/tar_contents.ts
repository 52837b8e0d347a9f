/** Reads any bytes of the tar inside an archive: at once where it is not compressed, from an access point where it is gzipped. */

import { ARCHIVE_CHUNK_BYTES } from './archive_entry.js';
import { UserError } from './errors.js';
import type { AccessPoint } from './gzip_index.js';
import { GzipStream, type OpenFile, readAt } from './gzip_stream.js';
import { unpackWindow } from './sparse_window.js';

/** Gives bytes of a tar by their offset. */
export interface TarContents {
  /** Fewer bytes only where the tar ends. @throws Error or UserError where the archive is damaged. */
  read(offset: number, bytes: number): Buffer;
  close(): void;
}

export function plainContents(file: OpenFile): TarContents {
  return {
    read: (offset, bytes) => {
      const found = Buffer.allocUnsafeSlow(bytes);
      return found.subarray(0, readAt(file, found, offset));
    },
    close: () => {},
  };
}

/** What `TarIndexFile` knows of access points. */
export interface AccessPoints {
  pointBefore(outPosition: number): { readonly number: number; readonly nextPosition: number };
  point(number: number): AccessPoint;
}

/** Begins at the nearest access point, or goes on where it stands if that is nearer: reading in order inflates all but once. */
export class GzipContents implements TarContents {
  readonly #stream: GzipStream;
  readonly #points: AccessPoints;
  readonly #passed = Buffer.allocUnsafeSlow(ARCHIVE_CHUNK_BYTES);
  /** Of the next byte that comes out; undefined where nothing is known. */
  #position: number | undefined;
  #isInMember = true;

  constructor(file: OpenFile, points: AccessPoints) {
    this.#stream = new GzipStream(file, READ_BYTES);
    this.#points = points;
  }

  read(offset: number, bytes: number): Buffer {
    try {
      this.#goTo(offset);
      const found = Buffer.allocUnsafeSlow(bytes);
      return found.subarray(0, this.#fill(found, bytes));
    } catch (error) {
      this.#position = undefined;
      throw error;
    }
  }

  close(): void {
    this.#stream.close();
  }

  #goTo(offset: number): void {
    let position = this.#position;
    // From where it stands, unless a point lies in between.
    const isNear =
      position !== undefined &&
      position <= offset &&
      offset < this.#points.pointBefore(position).nextPosition;
    if (position === undefined || !isNear) {
      const point = this.#points.point(this.#points.pointBefore(offset).number);
      this.#stream.seekInto(point.position, point.bits, unpackWindow(point.window));
      this.#isInMember = true;
      position = point.outPosition;
    }
    this.#position = position;
    for (let left = offset - position; left > 0; ) {
      const passed = this.#fill(this.#passed, Math.min(left, this.#passed.length));
      if (passed === 0) throw new UserError('the archive ends before a place that the index has');
      left -= passed;
    }
  }

  #fill(into: Uint8Array, bytes: number): number {
    let filled = 0;
    while (filled < bytes) {
      if (!this.#isInMember && !this.#stream.openMember()) break;
      this.#isInMember = true;
      const pause = this.#stream.inflate(into, filled, bytes, 'only at the end');
      filled += this.#stream.produced;
      if (pause !== 'member') continue;
      this.#stream.closeMember();
      this.#isInMember = false;
    }
    this.#position = (this.#position ?? 0) + filled;
    return filled;
  }
}

/** Little, since half of what is read behind a member is for nothing. */
const READ_BYTES = 64 * 1024;
