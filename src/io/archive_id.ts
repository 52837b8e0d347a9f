/** Tells one archive from another without reading tens of gigabytes: by its size and a digest of parts of it. */

import { createHash } from 'node:crypto';
import { type OpenFile, readAt } from './gzip_stream.js';

/** `<bytes>-<digest>`: the size, and SHA-256 (its first half, hex) over the head, the end and places spread between. */
export function archiveId(file: OpenFile): string {
  const hash = createHash('sha256');
  for (let i = 0; i < PARTS; i++)
    hash.update(partOf(file, Math.floor(((file.bytes - PART_BYTES) * i) / (PARTS - 1))));
  return `${file.bytes}-${hash.digest('hex').slice(0, 32)}`;
}

/** A digest of the first and the last 16 KiB of the part of a file that ends at `end`. */
export function digestBefore(file: OpenFile, end: number): string {
  const part = { ...file, bytes: end };
  return createHash('sha256')
    .update(partOf(part, 0))
    .update(partOf(part, end - PART_BYTES))
    .digest('hex')
    .slice(0, 32);
}

function partOf(file: OpenFile, start: number): Buffer {
  const from = Math.max(0, start);
  const part = Buffer.alloc(Math.max(0, Math.min(PART_BYTES, file.bytes - from)));
  return part.subarray(0, readAt(file, part, from));
}

/** Thirty-three reads of 16 KiB, also where each is a seek of a disk, are done in half a second. */
const PARTS = 33;
const PART_BYTES = 16 * 1024;
