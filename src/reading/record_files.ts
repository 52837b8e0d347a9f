/** Reads records of a split at random: neighbours in one read, many reads under way, a bounded number of open files. */

import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { UserError } from '../io/errors.js';
import {
  type ReadOptions,
  RecordError,
  readRecordBatches,
  recordInFrame,
  type TfRecord,
} from '../io/tfrecord_reader.js';
import type { SplitFiles } from './open_split.js';
import { FreshMemory, MAX_RUN_BYTES, ReusedMemory, type RunMemory } from './run_memory.js';
import { entryOf, REMEDY, type ShardFile, shardOf } from './split_index.js';

/** Files that a reader keeps open; a process may have 1,024 by most systems' default, and each thread has a reader. */
const MAX_OPEN = 64;

/** Records this near to each other are read together: what lies between costs less than another read. */
const MAX_GAP_BYTES = 8 * 1024;

/**
 * A read that takes longer did not come from the system's cache. Those that do are made in this thread, since handing
 * one to another takes ten times as long; those that don't wait side by side on the system's threads.
 */
const COLD_READ_MS = 0.5;
const COLD_READ_MS_PER_BYTE = 1e-6;

/** So many reads are made side by side after a cold one, before another is tried in this thread. */
const READS_AFTER_COLD = 256;

interface OpenFile {
  readonly descriptor: number;
  reads: number;
}

/** Records next to each other in a file, and where in the answer each belongs. */
interface Run {
  readonly shard: number;
  readonly offset: number;
  length: number;
  readonly records: { readonly slot: number; readonly record: number; readonly at: number; length: number }[];
}

/** What is done with a record's data; `slot` is its place among those asked for. */
export type Visit = (slot: number, data: Uint8Array) => void | Promise<void>;

export class RecordFiles {
  private readonly split: SplitFiles;
  private readonly options: ReadOptions;
  private readonly coldReadMs: number;
  /** Least recently used first. */
  private readonly files = new Map<number, OpenFile>();
  private readonly streams = new Map<number, GzipShard>();
  private sideBySide = 0;
  private unpacking: Promise<void> = Promise.resolve();
  private spare: ReusedMemory | undefined;
  private isClosed = false;

  /** @param options.coldReadMs a read that takes longer is cold; half a millisecond where not said */
  constructor(split: SplitFiles, options: ReadOptions & { readonly coldReadMs?: number } = {}) {
    this.split = split;
    this.options = options;
    this.coldReadMs = options.coldReadMs ?? COLD_READ_MS;
  }

  /**
   * The data of records of the split, in the order of `records`; views of memory that is never reused.
   * @throws RecordError naming file and record where one is damaged, UserError where a file is gone.
   */
  async read(records: ArrayLike<number>): Promise<Uint8Array[]> {
    const data: Uint8Array[] = new Array(records.length);
    const runs = this.runsOf(records);
    const memory = new FreshMemory(runs.reduce((sum, { length }) => sum + length, 0));
    await this.readRuns(runs, memory, (slot, bytes) => {
      data[slot] = bytes;
    });
    return data;
  }

  /**
   * Shows `visit` each record's place in `records` and its data, which holds until the visit has ended: nearest first, so
   * that memory need not grow with their number.
   * @throws like `read`, and what `visit` throws.
   */
  async visit(records: ArrayLike<number>, visit: Visit): Promise<void> {
    // Visits may overlap: the memory is one's alone as long as it lasts.
    const memory = this.spare ?? new ReusedMemory();
    this.spare = undefined;
    await this.readRuns(this.runsOf(records), memory, visit);
    this.spare = memory;
  }

  /** What is read later fails; a file that is being read is closed when that read has ended. */
  close(): void {
    this.isClosed = true;
    for (const { descriptor, reads } of this.files.values()) if (reads === 0) closeSync(descriptor);
    this.files.clear();
    for (const stream of this.streams.values()) stream.close();
    this.streams.clear();
  }

  private runsOf(records: ArrayLike<number>): Run[] {
    const slots = Uint32Array.from(records, (_, slot) => slot);
    slots.sort((a, b) => records[a]! - records[b]!);
    const runs: Run[] = [];
    let run: Run | undefined;
    for (const slot of slots) {
      const record = records[slot]!;
      const shard = shardOf(this.split.shards, record);
      const file = this.split.shards[shard]!;
      const { offset, length } = file.isGzip ? NOWHERE : entryOf(this.split.index, file, record);
      const end = run === undefined ? 0 : run.offset + run.length;
      if (
        run === undefined ||
        run.shard !== shard ||
        offset - end > MAX_GAP_BYTES ||
        offset + length - run.offset > MAX_RUN_BYTES
      ) {
        run = { shard, offset, length: 0, records: [] };
        runs.push(run);
      }
      const at = offset - run.offset;
      run.length = Math.max(run.length, at + length);
      run.records.push({ slot, record, at, length });
    }
    return runs;
  }

  private async readRuns(runs: readonly Run[], memory: RunMemory, visit: Visit): Promise<void> {
    const waiting: { readonly run: Run; readonly bytes: Promise<Uint8Array> }[] = [];
    for (const run of runs) {
      if (this.split.shards[run.shard]!.isGzip) {
        // One after the other: they share a stream.
        this.unpacking = this.unpacking.catch(() => {}).then(() => this.readGzip(run, visit));
        await this.unpacking;
      } else if (this.sideBySide > 0) {
        this.sideBySide -= 1;
        const bytes = this.readBeside(run);
        // Its failure is told in its turn.
        bytes.catch(() => {});
        waiting.push({ run, bytes });
      } else {
        const visited = this.show(run, this.readHere(run, memory), visit);
        if (visited !== undefined) await visited;
      }
    }
    for (const { run, bytes } of waiting) await this.show(run, await bytes, visit);
  }

  private readHere(run: Run, memory: RunMemory): Uint8Array {
    const shard = this.split.shards[run.shard]!;
    const { descriptor } = this.open(run.shard);
    const bytes = memory.take(run.length);
    const startedMs = performance.now();
    for (let filled = 0; filled < bytes.length; ) {
      const count = attempt(shard, () =>
        readSync(descriptor, bytes, filled, bytes.length - filled, run.offset + filled),
      );
      if (count === 0) throw shorter(shard, run);
      filled += count;
    }
    if (performance.now() - startedMs > this.coldReadMs + run.length * COLD_READ_MS_PER_BYTE)
      this.sideBySide = READS_AFTER_COLD;
    return bytes;
  }

  private async readBeside(run: Run): Promise<Uint8Array> {
    const shard = this.split.shards[run.shard]!;
    const file = this.open(run.shard);
    const bytes = Buffer.allocUnsafeSlow(run.length);
    file.reads += 1;
    try {
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await readAsync(
          file.descriptor,
          bytes,
          filled,
          bytes.length - filled,
          run.offset + filled,
        ).catch((cause: unknown) => {
          throw unreadable(shard, cause);
        });
        if (bytesRead === 0) throw shorter(shard, run);
        filled += bytesRead;
      }
    } finally {
      file.reads -= 1;
      if (this.isClosed && file.reads === 0) closeSync(file.descriptor);
    }
    return bytes;
  }

  /** Cuts a run into its records, each checked. A promise only where a visit gives one. */
  private show(run: Run, bytes: Uint8Array, visit: Visit, from = 0): Promise<void> | undefined {
    const { path, firstRecord } = this.split.shards[run.shard]!;
    for (let i = from; i < run.records.length; i++) {
      const { slot, record, at, length } = run.records[i]!;
      const place = { file: path, record: record - firstRecord, offset: run.offset + at };
      const frame = new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
      const visited = visit(slot, recordInFrame(frame, place, this.options).data);
      if (visited !== undefined) return visited.then(() => this.show(run, bytes, visit, i + 1));
    }
    return undefined;
  }

  private async readGzip(run: Run, visit: Visit): Promise<void> {
    const shard = this.split.shards[run.shard]!;
    let stream = this.streams.get(run.shard);
    for (const { slot, record } of run.records) {
      if (this.isClosed) throw readerClosed();
      const wanted = record - shard.firstRecord;
      if (stream === undefined || stream.next > wanted) {
        stream?.close();
        stream = new GzipShard(shard, this.options);
        // Order is kept where there is gzip: the shards before are not asked for again.
        for (const other of this.streams.values()) other.close();
        this.streams.clear();
        this.streams.set(run.shard, stream);
      }
      const data = await stream.read(wanted).catch((error: unknown) => {
        // It gives nothing any more: whoever wants the records before the damage needs another.
        stream?.close();
        this.streams.delete(run.shard);
        throw error;
      });
      await visit(slot, data);
    }
  }

  private open(shard: number): OpenFile {
    if (this.isClosed) throw readerClosed();
    const known = this.files.get(shard);
    const file = known ?? this.openNew(this.split.shards[shard]!);
    this.files.delete(shard);
    this.files.set(shard, file);
    return file;
  }

  private openNew(shard: ShardFile): OpenFile {
    for (const [number, { descriptor, reads }] of this.files) {
      if (this.files.size < MAX_OPEN) break;
      if (reads > 0) continue;
      closeSync(descriptor);
      this.files.delete(number);
    }
    const descriptor = attempt(shard, () => openSync(shard.path, 'r'));
    const { size } = fstatSync(descriptor);
    if (size === shard.bytes) return { descriptor, reads: 0 };
    closeSync(descriptor);
    throw new UserError(`a shard of ${size} bytes, where the manifest says ${shard.bytes}`, {
      where: shard.path,
      remedy: REMEDY,
    });
  }
}

export function readerClosed(): UserError {
  return new UserError('the reader is closed', { remedy: 'open it again, or close it when all is read' });
}

const NOWHERE = { offset: 0, length: 0 };

/** A gzip shard, unpacked from its beginning. */
class GzipShard {
  /** The number in the shard of the record that comes next. */
  next = 0;
  private readonly shard: ShardFile;
  private readonly batches: AsyncGenerator<TfRecord[], void, undefined>;
  private batch: readonly TfRecord[] = [];

  constructor(shard: ShardFile, options: ReadOptions) {
    this.shard = shard;
    this.batches = readRecordBatches(shard.path, options);
  }

  /** @param wanted not less than `next` */
  async read(wanted: number): Promise<Uint8Array> {
    for (;;) {
      const record = this.batch.find(({ index }) => index === wanted);
      if (record !== undefined) {
        this.next = wanted + 1;
        return record.data;
      }
      const { value, done } = await this.batches.next();
      if (done === true)
        throw new RecordError(
          'truncated',
          `the file has fewer records than the ${this.shard.records} in the manifest`,
          { file: this.shard.path, record: wanted, offset: 0 },
        );
      this.batch = value;
    }
  }

  close(): void {
    this.batches.return().catch(() => {});
  }
}

const readAsync = promisify(read);

function attempt<T>(shard: ShardFile, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw unreadable(shard, cause);
  }
}

function unreadable(shard: ShardFile, cause: unknown): UserError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new UserError(`a shard can't be read (${code})`, { where: shard.path, remedy: REMEDY, cause });
}

function shorter(shard: ShardFile, run: Run): RecordError {
  const first = run.records[0]!;
  return new RecordError('truncated', 'the file became shorter while it was read', {
    file: shard.path,
    record: first.record - shard.firstRecord,
    offset: run.offset,
  });
}
