/** A file that is written in pieces, front to back, with its SHA-256: what writers of whole formats stand on. */

import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { unwritable } from './errors.js';
import { writeFully } from './write_fully.js';

/**
 * Writes synchronously: it belongs on a worker thread. The path is a temporary one; whoever made the file renames it when
 * `finish()` has returned, and calls `abort()` otherwise.
 */
export class HashedFile {
  readonly path: string;
  private readonly hash: Hash = createHash('sha256');
  private readonly held: Uint8Array = new Uint8Array(CHUNK_BYTES);
  private heldBytes = 0;
  private written = 0;
  private file: number | undefined;

  /** Creates or empties the file. @throws UserError where it can't be written. */
  static create(path: string): HashedFile {
    return new HashedFile(path);
  }

  private constructor(path: string) {
    this.path = path;
    this.file = this.attempt(() => openSync(path, 'w'));
  }

  /** Adds bytes, which may be used for something else afterwards. @throws UserError where the file can't be written. */
  write(bytes: Uint8Array): void {
    if (this.heldBytes + bytes.length > CHUNK_BYTES) this.flush();
    if (bytes.length >= CHUNK_BYTES) this.put(bytes);
    else {
      this.held.set(bytes, this.heldBytes);
      this.heldBytes += bytes.length;
    }
  }

  /** Waits until the disk holds everything; gives size and lower-case hex SHA-256. */
  finish(): { readonly bytes: number; readonly sha256: string } {
    this.flush();
    const file = this.openFile();
    this.attempt(() => fsyncSync(file));
    this.file = undefined;
    this.attempt(() => closeSync(file));
    return { bytes: this.written, sha256: this.hash.digest('hex') };
  }

  /** Closes and removes the file: also after `finish()`, and more than once. */
  abort(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
    rmSync(this.path, { force: true });
  }

  private flush(): void {
    if (this.heldBytes > 0) this.put(this.held.subarray(0, this.heldBytes));
    this.heldBytes = 0;
  }

  private put(bytes: Uint8Array): void {
    const file = this.openFile();
    this.hash.update(bytes);
    this.attempt(() => writeFully(file, bytes));
    this.written += bytes.length;
  }

  private openFile(): number {
    if (this.file === undefined) throw new Error(`${this.path} is finished or given up already`);
    return this.file;
  }

  private attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw unwritable('the file', this.path, cause);
    }
  }
}

/** Larger pieces are no faster. */
const CHUNK_BYTES = 1 << 20;
