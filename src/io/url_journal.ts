/**
 * The journal of every URL's fate: JSON lines, appended with one write(2) each, so that a kill loses nothing that was
 * said before it, and a power cut at most the last seconds, whose URLs are asked again.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { storeError } from './content_store.js';
import { FETCH_FAILURE_KINDS, type UrlFate } from './fetch_outcome.js';

/** How often what was written is made to survive a power cut. */
const SYNC_EVERY_MS = 2_000;

/**
 * Fates by URL, read from all files of a folder. Each process appends to a file of its own, so several may run at once;
 * they see each other's fates when they are opened the next time. Where files disagree the latest `at` holds (of equal
 * ones the last in the order of file names), but what was struck stays struck.
 */
export class UrlJournal {
  /** Lines that could not be read, but for cut last ones: their URLs are asked again, and nothing else is lost. */
  readonly damagedLines: number;
  private readonly folder: string;
  private readonly known: Map<string, UrlFate>;
  private file: number | undefined;
  private isClosed = false;
  private syncTimer: NodeJS.Timeout | undefined;
  private syncing: Promise<void> | undefined;

  private constructor(folder: string, known: Map<string, UrlFate>, damagedLines: number) {
    this.folder = folder;
    this.known = known;
    this.damagedLines = damagedLines;
  }

  /**
   * Opens or makes a journal. No file is made before the first fate.
   * @throws UserError where the folder can't be made.
   */
  static open(folder: string): UrlJournal {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw storeError(error, folder);
    }
    const known = new Map<string, UrlFate>();
    let damaged = 0;
    for (const name of readdirSync(folder).sort())
      if (name.endsWith('.jsonl')) damaged += readFates(join(folder, name), known);
    return new UrlJournal(folder, known, damaged);
  }

  get(url: string): UrlFate | undefined {
    return this.known.get(url);
  }

  /** How many URLs have a fate. */
  get size(): number {
    return this.known.size;
  }

  /** Every URL's fate, in the order in which the URLs became known. */
  fates(): IterableIterator<UrlFate> {
    return this.known.values();
  }

  /**
   * Keeps a fate, now and for later runs. Nothing happens to a URL that is struck.
   * @throws UserError where the disk is full.
   */
  set(fate: UrlFate): void {
    if (isStruck(this.known.get(fate.url))) return;
    this.append(`${JSON.stringify(fate)}\n`);
    this.known.set(fate.url, fate);
  }

  /** Strikes a URL: it is never asked for again, by any run that uses this journal. */
  strike(url: string): void {
    this.set({
      url,
      status: 'failed',
      kind: 'struck',
      detail: 'struck by the person',
      attempts: 0,
      at: new Date().toISOString(),
    });
  }

  /** Syncs and closes the file. The fates can still be read. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.syncTimer);
    await this.syncing;
    if (this.file === undefined) return;
    fdatasyncSync(this.file);
    closeSync(this.file);
    this.file = undefined;
  }

  private append(line: string): void {
    if (this.isClosed) throw new Error('the journal is closed');
    try {
      this.file ??= openSync(join(this.folder, fileName()), 'ax');
      const bytes = Buffer.from(line);
      const written = writeSync(this.file, bytes);
      // A full disk takes part of a line; ending it keeps the damage to this line.
      if (written < bytes.length) {
        writeSync(this.file, '\n');
        throw Object.assign(new Error('only part of a line was written'), { code: 'ENOSPC' });
      }
    } catch (error) {
      throw storeError(error, this.folder);
    }
    this.syncTimer ??= setTimeout(() => this.sync(), SYNC_EVERY_MS).unref();
  }

  private sync(): void {
    const file = this.file;
    if (file === undefined) return;
    this.syncing = new Promise((resolve) => {
      // A failure to sync shows at close, which syncs again.
      fdatasync(file, () => {
        this.syncing = undefined;
        this.syncTimer = undefined;
        resolve();
      });
    });
  }
}

/** Unlike any other process's on any machine that shares the folder; sorts by time. */
function fileName(): string {
  return `${Date.now().toString().padStart(14, '0')}-${process.pid}-${randomBytes(4).toString('hex')}.jsonl`;
}

/** Merges a file's fates; gives the number of damaged lines. A last line without its end was cut by a kill. */
function readFates(path: string, known: Map<string, UrlFate>): number {
  let damaged = 0;
  for (const line of linesOf(path)) {
    if (line === '') continue;
    const fate = readFate(line);
    if (fate === undefined) {
      damaged += 1;
      continue;
    }
    const earlier = known.get(fate.url);
    if (earlier === undefined || isStruck(fate) || (!isStruck(earlier) && fate.at >= earlier.at))
      known.set(fate.url, fate);
  }
  return damaged;
}

/** Lines that have an end, read piece by piece: a journal of 10⁷ URLs is longer than the longest buffer. */
function* linesOf(path: string): Generator<string, void, undefined> {
  const file = openSync(path, 'r');
  try {
    let buffer = Buffer.alloc(READ_BYTES);
    let held = 0;
    for (;;) {
      if (held === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(buffer.length)]);
      const read = readSync(file, buffer, held, buffer.length - held, null);
      if (read === 0) return;
      held += read;
      let start = 0;
      for (let end = buffer.indexOf(10); end >= 0 && end < held; end = buffer.indexOf(10, start)) {
        yield buffer.toString('utf8', start, end);
        start = end + 1;
      }
      buffer.copyWithin(0, start, held);
      held -= start;
      buffer.fill(0, held);
    }
  } finally {
    closeSync(file);
  }
}

const READ_BYTES = 1024 * 1024;

const KINDS: ReadonlySet<string> = new Set(FETCH_FAILURE_KINDS);

function readFate(line: string): UrlFate | undefined {
  let fate: Partial<
    Record<keyof UrlFate | 'sha256' | 'bytes' | 'finalUrl' | 'format' | 'kind' | 'detail', unknown>
  >;
  try {
    fate = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (fate === null || typeof fate !== 'object') return undefined;
  const { url, status, attempts, at } = fate;
  if (typeof url !== 'string' || typeof attempts !== 'number' || typeof at !== 'string') return undefined;
  const isWhole =
    status === 'ok'
      ? typeof fate.sha256 === 'string' &&
        /^[0-9a-f]{64}$/.test(fate.sha256) &&
        typeof fate.bytes === 'number' &&
        typeof fate.format === 'string' &&
        typeof fate.finalUrl === 'string'
      : status === 'failed' &&
        typeof fate.kind === 'string' &&
        KINDS.has(fate.kind) &&
        typeof fate.detail === 'string';
  return isWhole ? (fate as UrlFate) : undefined;
}

function isStruck(fate: UrlFate | undefined): boolean {
  return fate?.status === 'failed' && fate.kind === 'struck';
}
