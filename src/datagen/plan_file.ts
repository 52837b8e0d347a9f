/** The plan of one split on disk: every row once, in plan order, with a seeded shuffle that says which shard gets it. */

import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../io/errors.js';
import { isLeftover, processTag } from '../io/process_tag.js';
import { seededPermutation } from '../io/random.js';
import { writeFully } from '../io/write_fully.js';
import type { PlanRow, RejectedRow, Split } from '../problems/problem.js';

/** A shuffled plan. Rows stay on disk: in memory a row costs twelve bytes. */
export interface PlanFile {
  readonly path: string;
  readonly split: Split;
  /** Rows that take part: all of them, or the first `limit` of the shuffle. */
  readonly planned: number;
  /** Shuffled position to row number. */
  readonly order: Uint32Array;
  /** Row number to its line's start; one more at the end. Lines end with a newline, which is not part of the row. */
  readonly offsets: Float64Array;
}

const WRITE_CHUNK_BYTES = 1 << 20;

/** Writes rows as JSON lines and shuffles them by the seed. `limit` keeps the first so many of the shuffle. */
export async function writePlanFile(options: {
  readonly folder: string;
  readonly split: Split;
  readonly rows: AsyncIterable<PlanRow | RejectedRow> | Iterable<PlanRow | RejectedRow>;
  readonly shuffleSeed: string;
  readonly limit?: number;
  readonly signal?: AbortSignal;
  readonly onRow?: (rows: number) => void;
}): Promise<PlanFile> {
  const path = join(options.folder, `${options.split}.jsonl`);
  const file = openSync(path, 'w');
  let offsets = new Float64Array(1024);
  let rows = 0;
  let written = 0;
  let pending: string[] = [];
  let pendingBytes = 0;
  const flush = (): void => {
    if (pendingBytes > 0) writeFully(file, Buffer.from(pending.join('')));
    pending = [];
    pendingBytes = 0;
  };
  try {
    for await (const row of options.rows) {
      options.signal?.throwIfAborted();
      if (typeof row?.key !== 'string' || row.key === '')
        throw new UserError('a row of the plan has no key', {
          where: `row ${rows + 1} of ${options.split}`,
          remedy: 'give every row that plan() yields a `key` string of its own',
        });
      const line = `${JSON.stringify(row)}\n`;
      const bytes = Buffer.byteLength(line);
      if (rows + 1 === offsets.length) {
        const grown = new Float64Array(offsets.length * 2);
        grown.set(offsets);
        offsets = grown;
      }
      rows += 1;
      written += bytes;
      offsets[rows] = written;
      pending.push(line);
      pendingBytes += bytes;
      if (pendingBytes >= WRITE_CHUNK_BYTES) {
        flush();
        options.onRow?.(rows);
      }
    }
    flush();
  } finally {
    closeSync(file);
  }
  const planned = Math.min(rows, options.limit ?? rows);
  const order = seededPermutation(rows, options.shuffleSeed).slice(0, planned);
  return { path, split: options.split, planned, order, offsets: offsets.slice(0, rows + 1) };
}

/** First and past-the-last shuffled position of shard `index` of `shards`: contiguous, sizes differ by at most one. */
export function shardRange(planned: number, shards: number, index: number): { start: number; end: number } {
  return { start: Math.floor((index * planned) / shards), end: Math.floor(((index + 1) * planned) / shards) };
}

/** Where the rows of a shard stand in the plan file: `starts[i]` and `ends[i]` in bytes, in shard order. */
export function shardLines(plan: PlanFile, start: number, end: number) {
  const starts = new Float64Array(end - start);
  const ends = new Float64Array(end - start);
  for (let position = start; position < end; position++) {
    const row = plan.order[position] as number;
    starts[position - start] = plan.offsets[row] as number;
    ends[position - start] = (plan.offsets[row + 1] as number) - 1;
  }
  return { starts, ends };
}

/** Reads the lines of a shard in shard order; the buffer handed to `visit` is used again for the next line. */
export function readPlanLines(
  path: string,
  lines: { readonly starts: Float64Array; readonly ends: Float64Array },
  visit: (line: Buffer, position: number) => void,
): void {
  const file = openSync(path, 'r');
  let buffer = Buffer.allocUnsafe(4096);
  try {
    for (let i = 0; i < lines.starts.length; i++) {
      const start = lines.starts[i] as number;
      const length = (lines.ends[i] as number) - start;
      if (length > buffer.length) buffer = Buffer.allocUnsafe(length * 2);
      const read = readSync(file, buffer, 0, length, start);
      if (read !== length)
        throw new UserError('the plan file was cut short while it was in use', { where: path });
      visit(buffer.subarray(0, length), i);
    }
  } finally {
    closeSync(file);
  }
}

/** SHA-256 over the rows of a shard, in order: what a finished shard was made from. */
export function planDigest() {
  const hash = createHash('sha256');
  return {
    add: (line: Buffer): void => {
      hash.update(line).update('\n');
    },
    hex: (): string => hash.digest('hex'),
  };
}

/**
 * A folder for this process's plan files, below `<raw>/plans`. Folders that killed processes of this machine left are
 * removed.
 */
export function openPlanFolder(rawDir: string, problem: string): string {
  const plans = join(rawDir, 'plans');
  mkdirSync(plans, { recursive: true });
  for (const name of readdirSync(plans))
    if (isLeftover(name.replace(/^[^.]*\.\d+\./, '')))
      rmSync(join(plans, name), { recursive: true, force: true });
  const folder = join(plans, `${problem}.${++serial}.${processTag()}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

let serial = 0;

/** Removes what `openPlanFolder` made. */
export function closePlanFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
