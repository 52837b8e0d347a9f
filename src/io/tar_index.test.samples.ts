/** Makes the archives that the tests and the benchmark of the tar index read: many small files, of several natures. */

import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

/** Bytes from a seed, the same everywhere: a multiplicative generator modulo 2^31 − 1 (Park and Miller, 1988). */
export function seededBytes(seed: number, bytes: number): Buffer {
  const made = Buffer.allocUnsafe(bytes);
  let state = (seed % 2147483646) + 1;
  for (let i = 0; i < bytes; i++) {
    state = (state * 48271) % 2147483647;
    made[i] = state >> 8;
  }
  return made;
}

/**
 * Contents like a JPEG's: a head that all have in common, and entropy-coded bytes, which gzip can hardly make smaller but
 * for a few short matches: bytes are drawn unevenly, so that deflate uses Huffman codes and not stored blocks.
 */
export function jpegLike(seed: number, bytes: number): Buffer {
  const made = seededBytes(seed, bytes);
  for (let i = 0; i < made.length; i++) if (((made[i] as number) & 0x3f) === 0x21) made[i] = 0xff;
  JPEG_HEAD.copy(made);
  return made;
}

/** Contents that shrink to a third: words. */
export function wordy(seed: number, bytes: number): Buffer {
  const picks = seededBytes(seed, Math.ceil(bytes / 4));
  let text = '';
  for (let i = 0; text.length < bytes; i++) text += WORDS[(picks[i % picks.length] as number) % WORDS.length];
  return Buffer.from(text.slice(0, bytes));
}

/** A tar with `count` files in folders of a hundred, gzipped where a level is given; the names in its order. */
export async function writeManyFiles(
  path: string,
  { count, contents, level }: {
    readonly count: number;
    readonly contents: (i: number) => Buffer;
    readonly level?: number;
  },
): Promise<string[]> {
  const tar = pack();
  const file = createWriteStream(path);
  const ends: Writable[] = [file];
  if (level === undefined) tar.pipe(file);
  else {
    const gzip = createGzip({ level, chunkSize: 1 << 18 });
    ends.push(gzip);
    tar.pipe(gzip).pipe(file);
  }
  const names = Array.from({ length: count }, (_, i) => memberName(i));
  for (const [i, name] of names.entries()) {
    const entry = tar.entry({ name, mtime: new Date(0) }, contents(i));
    if (tar.readableLength > 1 << 20) await once(tar, 'data');
    void entry;
  }
  tar.finalize();
  await Promise.all(ends.map((end) => finished(end, { readable: false })));
  return names;
}

/** As in VGGFace2's archives. */
export function memberName(i: number): string {
  const identity = String(Math.floor(i / 100)).padStart(6, '0');
  return `train/n${identity}/${String(i % 100).padStart(4, '0')}_01.jpg`;
}

/** SOI and a JFIF APP0 segment, and more that is the same in every file. */
const JPEG_HEAD = Buffer.concat([
  Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
  Buffer.from(Array.from({ length: 128 }, (_, i) => i)),
]);

const WORDS = ['face ', 'sad, ', 'glad ', 'of the ', 'eye ', 'mouth ', 'and ', 'triplet ', '.\n', 'left ', 'anchor-'];
