/** A file that is still arriving: `<path>.part`, and beside it what is needed to go on after a restart. */

import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { storeError } from './content_store.js';
import { UserError } from './errors.js';
import { lockFile } from './file_lock.js';

/** What a server calls this version of a file. Only what `If-Range` may hold: a strong ETag or a date (RFC 9110, 13.1.5). */
export type Validator = { readonly etag: string } | { readonly lastModified: string };

interface PartMemo {
  readonly url: string;
  readonly validator?: Validator;
  readonly totalBytes?: number;
}

/** Writes of this size are several times faster than those of a packet. */
const WRITE_BYTES = 1024 * 1024;

export class PartialFile {
  readonly path: string;
  private readonly target: string;
  private readonly memoPath: string;
  private readonly unlock: () => void;
  private readonly file: number;
  private readonly buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  private buffered = 0;
  private written = 0;
  private hash: Hash = createHash('sha256');
  private memo: PartMemo;

  private constructor(target: string, memo: PartMemo) {
    this.target = target;
    this.path = `${target}.part`;
    this.memoPath = `${this.path}.json`;
    this.memo = memo;
    this.unlock = lockFile(this.path);
    try {
      this.file = openSync(this.path, existsSync(this.path) ? 'r+' : 'w');
    } catch (error) {
      this.unlock();
      throw storeError(error, dirname(target));
    }
  }

  /**
   * Opens what an earlier process has left of `url`, or begins anew. What is there is hashed again.
   * @throws UserError where another process is fetching it: two would write over each other.
   */
  static async open(target: string, url: string): Promise<PartialFile> {
    const memo = readMemo(`${target}.part.json`);
    const isUsable = memo !== undefined && memo.url === url && memo.validator !== undefined;
    const part = new PartialFile(target, isUsable ? memo : { url });
    try {
      if (isUsable) await part.takeOver();
      else part.restart();
      return part;
    } catch (error) {
      part.close();
      throw error;
    }
  }

  /** Bytes that are here. */
  get bytes(): number {
    return this.written + this.buffered;
  }

  /** Undefined where the bytes that are here can't be continued safely. */
  get validator(): Validator | undefined {
    return this.memo.validator;
  }

  get totalBytes(): number | undefined {
    return this.memo.totalBytes;
  }

  /** Forgets what is here. `validator` and `totalBytes` are those of the version that now arrives. */
  restart(
    version: { readonly validator?: Validator | undefined; readonly totalBytes?: number | undefined } = {},
  ): void {
    const { validator, totalBytes } = version;
    this.memo = {
      url: this.memo.url,
      ...(validator === undefined ? {} : { validator }),
      ...(totalBytes === undefined ? {} : { totalBytes }),
    };
    this.buffered = 0;
    this.written = 0;
    this.hash = createHash('sha256');
    // The old memo must not stand beside the new version's bytes, nor the new one beside the old bytes.
    rmSync(this.memoPath, { force: true });
    ftruncateSync(this.file, 0);
    if (validator !== undefined) writeFileSync(this.memoPath, `${JSON.stringify(this.memo)}\n`);
  }

  /** The length of the version that is being continued, where its first answer did not tell it. */
  learnTotal(totalBytes: number): void {
    this.memo = { ...this.memo, totalBytes };
    if (this.memo.validator !== undefined) writeFileSync(this.memoPath, `${JSON.stringify(this.memo)}\n`);
  }

  /** @throws UserError where the disk is full. */
  append(chunk: Buffer): void {
    this.hash.update(chunk);
    for (let offset = 0; offset < chunk.length; ) {
      const copied = chunk.copy(this.buffer, this.buffered, offset);
      this.buffered += copied;
      offset += copied;
      if (this.buffered === this.buffer.length) this.flush();
    }
  }

  /** @throws UserError where the disk has not the room for so many more bytes. */
  refuseFullDisk(moreBytes: number): void {
    const { bavail, bsize } = statfsSync(dirname(this.target));
    if (bavail * bsize >= moreBytes) return;
    throw new UserError(`the disk has ${bavail * bsize} bytes free, and ${moreBytes} are needed`, {
      where: dirname(this.target),
      remedy: 'make room or choose another folder',
    });
  }

  /** Of the bytes that are here. */
  sha256(): string {
    return this.hash.copy().digest('hex');
  }

  /** Gives the whole file its name, after it has reached the disk. */
  finish(): void {
    this.flush();
    fsyncSync(this.file);
    this.rename(this.target);
    const folder = openSync(dirname(this.target), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** Keeps a file that is not what it should be under another name; tells it. */
  setAside(): string {
    this.flush();
    const aside = `${this.target}.wrong`;
    this.rename(aside);
    return aside;
  }

  /** Keeps what is here for a later process. */
  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.file);
      this.unlock();
    }
  }

  private rename(target: string): void {
    renameSync(this.path, target);
    rmSync(this.memoPath, { force: true });
  }

  private flush(): void {
    try {
      for (let done = 0; done < this.buffered; )
        done += writeSync(this.file, this.buffer, done, this.buffered - done, this.written + done);
    } catch (error) {
      throw storeError(error, dirname(this.target));
    }
    this.written += this.buffered;
    this.buffered = 0;
  }

  private async takeOver(): Promise<void> {
    const { size } = statSync(this.path);
    if (size === 0) return;
    for await (const chunk of createReadStream(this.path, { highWaterMark: WRITE_BYTES, end: size - 1 })) {
      this.hash.update(chunk);
      this.written += (chunk as Buffer).length;
    }
  }
}

function readMemo(path: string): PartMemo | undefined {
  try {
    const memo = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof PartMemo, unknown>> | null;
    if (typeof memo?.url !== 'string') return undefined;
    const { etag, lastModified } = (memo.validator ?? {}) as { etag?: unknown; lastModified?: unknown };
    const validator =
      typeof etag === 'string' ? { etag } : typeof lastModified === 'string' ? { lastModified } : undefined;
    return {
      url: memo.url,
      ...(validator === undefined ? {} : { validator }),
      ...(typeof memo.totalBytes === 'number' ? { totalBytes: memo.totalBytes } : {}),
    };
  } catch {
    return undefined; // There is none, or a kill cut it.
  }
}
