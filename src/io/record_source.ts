/** Where the bytes of a TFRecord file come from: the file in large pieces, or its content where it is gzip. */

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Bytes in order, a piece at a time. */
export interface RecordSource {
  /** Bytes in all, where that is known beforehand. */
  readonly size: number | undefined;
  /** The next piece, in memory that is never used again; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Gives the file back; may be called at any time. */
  close(): Promise<void>;
}

/**
 * Opens a file, unpacking it where it is gzip. Told by its first bytes, not its name: gzip's magic is also how a record
 * of 35,615 + k × 65,536 bytes begins, so `isPlain` may claim the first twelve for a record.
 */
export async function openRecordSource(
  path: string,
  isPlain: (head: Uint8Array) => boolean,
): Promise<RecordSource> {
  const file = await open(path, 'r');
  try {
    const head = new Uint8Array(12);
    const { bytesRead } = await file.read(head, 0, 12, 0);
    // RFC 1952, section 2.3.1: ID1, ID2 and CM, of which 8 (deflate) is the only one.
    const isGzip = bytesRead >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
    if (!isGzip || isPlain(head)) return plainSource(file, (await file.stat()).size);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return gzipSource(path);
}

/** Holds about a hundred images; larger pieces are no faster (measured), and a record kept keeps its piece. */
const PIECE_BYTES = 1 << 20;

/** Reads one piece ahead, while its consumer checks the one before. */
function plainSource(file: FileHandle, size: number): RecordSource {
  let position = 0;
  const readPiece = async (): Promise<Uint8Array | undefined> => {
    const piece = Buffer.allocUnsafeSlow(Math.max(1, Math.min(PIECE_BYTES, size - position)));
    const { bytesRead } = await file.read(piece, 0, piece.length, position);
    position += bytesRead;
    return bytesRead === 0 ? undefined : new Uint8Array(piece.buffer, 0, bytesRead);
  };
  let ahead: Promise<Uint8Array | undefined> | undefined;
  return {
    size,
    async next() {
      const piece = await (ahead ?? readPiece());
      ahead = piece === undefined ? undefined : readPiece();
      // Its failure is the next call's to report, which may never come.
      ahead?.catch(() => {});
      return piece;
    },
    async close() {
      await ahead?.catch(() => {});
      await file.close();
    },
  };
}

function gzipSource(path: string): RecordSource {
  // Members that follow each other are one content (RFC 1952, section 2.2); Node's gunzip goes through all of them.
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), gunzip, () => {});
  const pieces = gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return {
    size: undefined,
    async next() {
      const next = await pieces.next();
      return next.done === true ? undefined : next.value;
    },
    async close() {
      await pieces.return?.();
      gunzip.destroy();
    },
  };
}
