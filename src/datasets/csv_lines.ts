/** Splits large text files into lines of bytes, without a string or an object a line: millions of rows in a second or two. */

import { createReadStream } from 'node:fs';

export interface LineScan {
  /** A longer line is cut to this and one byte more, so that the reader sees that it is too long. Default 4096. */
  readonly maxLineBytes?: number;
  readonly signal?: AbortSignal;
  /** `bytes` between `start` and `end`, without LF or CRLF; only valid during the call. Lines count from 1. */
  onLine(bytes: Buffer, start: number, end: number, line: number): void;
}

const CHUNK_BYTES = 1 << 20;

/**
 * Gives each line of a file; a UTF-8 byte-order mark at its beginning is passed over, and so is the nothing after the
 * last line's end.
 */
export async function scanLines(path: string, scan: LineScan): Promise<void> {
  const { maxLineBytes = 4096, signal, onLine } = scan;
  let rest: Buffer | undefined;
  let line = 0;
  const give = (bytes: Buffer, start: number, end: number): void => {
    const from = line === 0 && hasMark(bytes, start, end) ? start + 3 : start;
    const to = end > from && bytes[end - 1] === 0x0d ? end - 1 : end;
    onLine(bytes, from, Math.min(to, from + maxLineBytes + 1), ++line);
  };
  const file = createReadStream(path, {
    highWaterMark: CHUNK_BYTES,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const chunk of file as AsyncIterable<Buffer>) {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      if (end < 0) break;
      give(bytes, start, end);
      start = end + 1;
    }
    // Of a line that never ends only the first bytes are kept, so that a hostile file can't fill the memory. A copy:
    // the chunk itself would be held by a few bytes. The 4 are for a mark and the CR.
    rest = start === bytes.length ? undefined : Buffer.from(bytes.subarray(start, start + maxLineBytes + 4));
  }
  if (rest !== undefined) give(rest, 0, rest.length);
}

function hasMark(bytes: Buffer, start: number, end: number): boolean {
  return end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
}
