/** Files for random access whose every page has a checksum: what is read from one is what was written, or an error. */

import { closeSync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { unreadableFile } from './archive_entry.js';
import { type OpenFile, readAt } from './gzip_stream.js';
import { writeFully } from './write_fully.js';

/** Where something lies in the file, in bytes. */
export interface Section {
  readonly start: number;
  readonly bytes: number;
}

/**
 * Writes such a file from its beginning to its end: a head page, what is written, and the pages' CRC-32 values. The
 * path is a temporary one; whoever made the writer renames the file when `finish()` has returned.
 */
export class CheckedFileWriter {
  readonly #fd: number;
  readonly #magic: string;
  readonly #buffer = Buffer.allocUnsafeSlow(256 * PAGE_BYTES);
  readonly #sums: Buffer[] = [];
  #used = 0;
  /** The first page is the head's. */
  #written = PAGE_BYTES;

  /** `magic` tells the kind of file, in 16 characters or fewer. */
  constructor(path: string, magic: string) {
    this.#magic = magic;
    this.#fd = openSync(path, 'w');
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#written + this.#used;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const here = Math.min(bytes.length - at, this.#buffer.length - this.#used);
      this.#buffer.set(bytes.subarray(at, at + here), this.#used);
      this.#used += here;
      at += here;
      if (this.#used === this.#buffer.length) this.#flush();
    }
  }

  /** Writes what is left and the head, plain JSON of at most 3 KB, and waits until the disk holds it all. */
  finish(head: object): void {
    const end = Math.ceil(this.#used / PAGE_BYTES) * PAGE_BYTES;
    this.#buffer.fill(0, this.#used, end);
    this.#used = end;
    this.#flush();
    const sums = Buffer.concat(this.#sums);
    writeFully(this.#fd, sums, this.#written);
    const text = JSON.stringify({
      head,
      sums: { start: this.#written, bytes: sums.length, crc32: crc32(sums) },
    });
    const page = Buffer.alloc(PAGE_BYTES);
    page.write(this.#magic, 'latin1');
    if (page.write(text, MAGIC_BYTES, PAGE_BYTES - MAGIC_BYTES - 4) < Buffer.byteLength(text))
      throw new RangeError('the head is too long');
    page.writeUInt32LE(crc32(page.subarray(0, PAGE_BYTES - 4)), PAGE_BYTES - 4);
    writeFully(this.#fd, page, 0);
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#used);
    writeFully(this.#fd, bytes, this.#written);
    const sums = Buffer.alloc((bytes.length / PAGE_BYTES) * 4);
    for (let page = 0; page * PAGE_BYTES < bytes.length; page++)
      sums.writeUInt32LE(crc32(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)), page * 4);
    this.#sums.push(sums);
    this.#written += bytes.length;
    this.#used = 0;
  }
}

/**
 * Reads such a file. It holds four bytes in memory for each page, a thousandth of the file, and the pages that were read
 * last, a megabyte of them.
 */
export class CheckedFile {
  /** As `finish` got it: the caller knows its form by the magic. */
  readonly head: unknown;
  readonly #file: OpenFile;
  readonly #sums: Buffer;
  /** A page at its number modulo the length. */
  readonly #recent: ({ readonly page: number; readonly bytes: Buffer } | undefined)[] = Array.from({
    length: RECENT_PAGES,
  });

  /** @throws UserError where the file can't be read. @throws Error where it is not such a file, cut off or damaged. */
  constructor(path: string, magic: string) {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      throw unreadableFile(path, error);
    }
    try {
      this.#file = { path, fd, bytes: fstatSync(fd).size };
      const page = Buffer.alloc(PAGE_BYTES);
      readAt(this.#file, page, 0);
      if (page.readUInt32LE(PAGE_BYTES - 4) !== crc32(page.subarray(0, PAGE_BYTES - 4)))
        throw new Error('its first page is damaged');
      if (page.toString('latin1', 0, MAGIC_BYTES).replace(/\0+$/, '') !== magic)
        throw new Error('it is of another kind or version');
      const text = page.toString('utf8', MAGIC_BYTES, page.indexOf(0, MAGIC_BYTES));
      const { head, sums } = JSON.parse(text) as { head: unknown; sums: Section & { crc32: number } };
      this.head = head;
      if (sums.start + sums.bytes !== this.#file.bytes) throw new Error('it has another size than it had');
      this.#sums = Buffer.alloc(sums.bytes);
      readAt(this.#file, this.#sums, sums.start);
      if (crc32(this.#sums) !== sums.crc32) throw new Error('its checksums are damaged');
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Some bytes of the file, which are not to be changed. @throws Error where they are not what was written. */
  read(start: number, bytes: number): Buffer {
    const first = Math.floor(start / PAGE_BYTES);
    const end = Math.ceil((start + bytes) / PAGE_BYTES);
    if (bytes === 0) return Buffer.alloc(0);
    const pages = end - first === 1 ? this.#page(first) : this.#verified(first, end);
    return pages.subarray(start - first * PAGE_BYTES, start - first * PAGE_BYTES + bytes);
  }

  #page(page: number): Buffer {
    const recent = this.#recent[page % RECENT_PAGES];
    if (recent?.page === page) return recent.bytes;
    const bytes = this.#verified(page, page + 1);
    this.#recent[page % RECENT_PAGES] = { page, bytes };
    return bytes;
  }

  #verified(first: number, end: number): Buffer {
    if (first < 1 || (end - 1) * 4 > this.#sums.length) throw new Error('a place in it is outside of it');
    const pages = Buffer.allocUnsafe((end - first) * PAGE_BYTES);
    readAt(this.#file, pages, first * PAGE_BYTES);
    for (let page = first; page < end; page++) {
      const at = (page - first) * PAGE_BYTES;
      if (crc32(pages.subarray(at, at + PAGE_BYTES)) !== this.#sums.readUInt32LE((page - 1) * 4))
        throw new Error(`its page at byte ${page * PAGE_BYTES} is damaged`);
    }
    return pages;
  }

  close(): void {
    closeSync(this.#file.fd);
  }
}

/** How large such a file is that holds so many bytes. */
export function checkedFileBytes(bytes: number): number {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return PAGE_BYTES + pages * (PAGE_BYTES + 4);
}

/** As much as the system reads at once. */
const PAGE_BYTES = 4096;
const MAGIC_BYTES = 16;
const RECENT_PAGES = 256;
