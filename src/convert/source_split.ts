/** A finished split as conversions read it: checked shards, and its records from any one to any other, in order. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { indexName } from '../datagen/data_files.js';
import { finishedManifest, type Manifest, type ManifestShard } from '../datagen/manifest.js';
import { contentHash } from '../io/content_store.js';
import { UserError } from '../io/errors.js';
import { type IndexEntry, readIndex } from '../io/tfrecord.js';
import { RecordError, recordsInBuffer, type TfRecord } from '../io/tfrecord_reader.js';
import type { Split } from '../problems/problem.js';

/** A shard of the source and which of its records are wanted: from `start` up to `end`, not included. */
export interface SourcePiece {
  readonly shard: ManifestShard;
  readonly start: number;
  readonly end: number;
}

/**
 * The manifest of a finished split whose shards are there with the sizes and indexes that it says. Their bytes are checked
 * when they are read.
 * @throws UserError where the split is not finished, or a shard is missing or another.
 */
export function openSourceSplit(dataDir: string, problem: string, split: Split): Manifest {
  const manifest = finishedManifest(dataDir, problem, split);
  for (const shard of manifest.shards) checkShard(dataDir, shard);
  return manifest;
}

/** The pieces of shards that hold the records from `start` up to `end` of a split, in order. */
export function sourcePieces(
  shards: readonly ManifestShard[],
  { start, end }: { readonly start: number; readonly end: number },
): SourcePiece[] {
  const pieces: SourcePiece[] = [];
  let first = 0;
  for (const shard of shards) {
    const piece = {
      shard,
      start: Math.max(0, start - first),
      end: Math.min(shard.records, end - first),
    };
    if (piece.start < piece.end) pieces.push(piece);
    first += shard.records;
  }
  return pieces;
}

/**
 * The records of a piece, found by the shard's index, about a mebibyte at a time. `data` are views of buffers that are not
 * used again.
 * @throws RecordError where a record is damaged, naming file, record and byte.
 * @throws UserError where the shard or its index is not what the manifest says.
 */
export async function* readPiece(
  dataDir: string,
  piece: SourcePiece,
): AsyncGenerator<TfRecord, void, undefined> {
  const entries = checkShard(dataDir, piece.shard);
  const path = join(dataDir, piece.shard.file);
  const handle = await open(path, 'r');
  try {
    for (let first = piece.start; first < piece.end; ) {
      const next = endOfStretch(entries, first, piece.end);
      yield* readStretch(handle, path, entries.slice(first, next), first);
      first = next;
    }
  } finally {
    await handle.close();
  }
}

/** So many bytes are read at a time, or one record where it is longer. */
const STRETCH_BYTES = 1 << 20;

/** The index of a shard that is there as the manifest says. */
function checkShard(dataDir: string, shard: ManifestShard): IndexEntry[] {
  const path = join(dataDir, shard.file);
  const indexPath = join(dataDir, indexName(shard.file));
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw changed('a shard is missing', path);
  if (stats.size !== shard.bytes)
    throw changed(`a shard has ${stats.size} bytes where the manifest says ${shard.bytes}`, path);
  if (!existsSync(indexPath)) throw changed('the index of a shard is missing', indexPath);
  if (contentHash(readFileSync(indexPath)) !== shard.indexSha256)
    throw changed('the index of a shard is not the one in the manifest', indexPath);
  const entries = readIndex(indexPath, shard.bytes);
  if (entries.length !== shard.records)
    throw changed(
      `an index of ${entries.length} records where the manifest says ${shard.records}`,
      indexPath,
    );
  return entries;
}

function changed(what: string, where: string): UserError {
  return new UserError(what, {
    where,
    remedy:
      '`t2t-ts verify` says what else is wrong; delete the files that it names and make the split again',
  });
}

function endOfStretch(entries: readonly IndexEntry[], first: number, end: number): number {
  const { offset } = entries[first] as IndexEntry;
  let next = first + 1;
  while (next < end) {
    const entry = entries[next] as IndexEntry;
    if (entry.offset + entry.length - offset > STRETCH_BYTES) break;
    next += 1;
  }
  return next;
}

async function* readStretch(
  handle: FileHandle,
  path: string,
  entries: readonly IndexEntry[],
  first: number,
): AsyncGenerator<TfRecord, void, undefined> {
  const { offset } = entries[0] as IndexEntry;
  const last = entries[entries.length - 1] as IndexEntry;
  const bytes = new Uint8Array(last.offset + last.length - offset);
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
    if (bytesRead === 0) throw changed('a shard has been shortened while it was read', path);
    filled += bytesRead;
  }
  try {
    for (const { index, offset: at, data } of recordsInBuffer(bytes)) {
      const record = { file: path, record: first + index, offset: offset + at };
      if (entries[index]?.offset !== record.offset)
        throw new RecordError('not-as-indexed', 'the record is not where the index says', record);
      yield { index: record.record, offset: record.offset, data };
    }
  } catch (error) {
    if (!(error instanceof RecordError) || error.file === path) throw error;
    const place = { file: path, record: first + error.record, offset: offset + error.offset };
    throw new RecordError(error.fault, error.what, place, error);
  }
}
