/** Where every record of a split stands, in about four bytes a record: shared by all threads that read it. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { UserError } from '../io/errors.js';
import { type IndexEntry, IndexScan } from '../io/tfrecord.js';

/** A shard as a reader needs it. */
export interface ShardFile {
  readonly path: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Records before it in the split. */
  readonly firstRecord: number;
  readonly records: number;
  readonly indexPath: string;
  /** Lower-case hex SHA-256 of the index file. */
  readonly indexSha256: string;
  /** A gzip file has no place at which a record could be found: it is read from its beginning. */
  readonly isGzip: boolean;
}

/** Plain data: sent to worker threads, which see the same memory. */
export interface SplitIndex {
  /** Of whole frames, in bytes. */
  readonly lengths: Uint32Array;
  /** Of every 64th record of the split: its offset in its shard. */
  readonly offsets: Float64Array;
}

const STRIDE = 64;

/**
 * Reads the `.idx` files of a split, checking each against its SHA-256.
 * @throws UserError where one is missing, changed or not of its shard.
 */
export async function readSplitIndex(shards: readonly ShardFile[]): Promise<SplitIndex> {
  const records = shards.reduce((sum, shard) => sum + shard.records, 0);
  const index: SplitIndex = {
    lengths: new Uint32Array(new SharedArrayBuffer(4 * records)),
    offsets: new Float64Array(new SharedArrayBuffer(8 * Math.ceil(records / STRIDE))),
  };
  for (const shard of shards) if (!shard.isGzip) await readShardIndex(shard, index);
  return index;
}

/** Where a record of the split (not a gzip one) stands in its shard. */
export function entryOf({ lengths, offsets }: SplitIndex, shard: ShardFile, record: number): IndexEntry {
  const known = record - (record % STRIDE);
  let offset = known <= shard.firstRecord ? 0 : offsets[known / STRIDE]!;
  for (let i = Math.max(known, shard.firstRecord); i < record; i++) offset += lengths[i]!;
  return { offset, length: lengths[record]! };
}

/** The number of the shard that holds a record. */
export function shardOf(shards: readonly ShardFile[], record: number): number {
  let low = 0;
  let high = shards.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (shards[middle]!.firstRecord <= record) low = middle;
    else high = middle;
  }
  return low;
}

/** An index is read in pieces of this many bytes. */
const PIECE_BYTES = 1 << 20;

async function readShardIndex(shard: ShardFile, { lengths, offsets }: SplitIndex): Promise<void> {
  const path = shard.indexPath;
  const end = shard.firstRecord + shard.records;
  let record = shard.firstRecord;
  const scan = new IndexScan(path, (offset, length) => {
    if (record >= end || length > 0xffff_ffff) throw changed(shard);
    lengths[record] = length;
    if (record % STRIDE === 0) offsets[record / STRIDE] = offset;
    record += 1;
  });
  const hash = createHash('sha256');
  const refuse = (cause: unknown): never => {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'is missing' : `can't be read (${code})`;
    throw new UserError(`the index of a shard ${what}`, { where: path, remedy: REMEDY, cause });
  };
  const file = await open(path, 'r').catch(refuse);
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length).catch(refuse);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      scan.take(piece);
    }
    scan.finish(shard.bytes);
  } finally {
    await file.close();
  }
  if (record !== end || hash.digest('hex') !== shard.indexSha256) throw changed(shard);
}

export const REMEDY =
  'restore the file, or delete the shard and run the same datagen command again, which makes it anew';

function changed({ indexPath }: ShardFile): UserError {
  return new UserError('the index of a shard is not the one in the manifest', {
    where: indexPath,
    remedy: REMEDY,
  });
}
