/** Writes the shards of an imported split: the records of its files, one after another, as they are. */

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import {
  indexName,
  ledgerPath,
  shardName,
  syncFolder,
  temporaryPath,
  writeWhole,
} from '../datagen/data_files.js';
import type { OnEvent } from '../datagen/events.js';
import { type LedgerHead, type LedgerLine, writeLedger } from '../datagen/ledger.js';
import { addCounts, type Manifest, settingsDigest } from '../datagen/manifest.js';
import { shardRange } from '../datagen/plan_file.js';
import { finishedHead } from '../datagen/split_plan.js';
import { contentHash } from '../io/content_store.js';
import { UserError } from '../io/errors.js';
import { createExampleParser, type ExampleParser } from '../io/example_parser.js';
import { type Features, featuresFromJson } from '../io/features.js';
import { formatIndex, RecordWriter } from '../io/tfrecord.js';
import { readRecordBatches } from '../io/tfrecord_reader.js';
import { misfit, type SurveyedFile } from './survey.js';

/**
 * Writes those shards that are not finished yet; gives the heads of all. Files of which every shard is finished are not
 * read again.
 * @throws UserError where a file is not what it was when it was surveyed.
 */
export async function writeShards(
  manifest: Manifest,
  files: readonly SurveyedFile[],
  {
    dataDir,
    signal,
    onEvent,
  }: { readonly dataDir: string; readonly signal?: AbortSignal; readonly onEvent?: OnEvent },
): Promise<LedgerHead[]> {
  const { problem, split, shards } = manifest.settings;
  const digest = settingsDigest(manifest.settings);
  const parser = createExampleParser(featuresFromJson(manifest.features, 'the features'));
  const heads = Array.from({ length: shards }, (_, index) => {
    const head = finishedHead(dataDir, problem, { split, index }, shards);
    return head?.settings === digest ? head : undefined;
  });
  const ends = heads.map((_, index) => shardRange(manifest.planned, shards, index).end);
  let current: ShardInProgress | undefined;
  let shard = 0;
  let done = 0;
  try {
    for (const file of files) {
      while (done >= (ends[shard] ?? Number.POSITIVE_INFINITY)) shard += 1;
      if (allFinished(heads, ends, done, done + file.records)) {
        done += file.records;
        continue;
      }
      const first = done;
      for await (const batch of readRecordBatches(file.path)) {
        signal?.throwIfAborted();
        for (const { index, data } of batch) {
          while (done >= (ends[shard] ?? Number.POSITIVE_INFINITY)) shard += 1;
          if (shard >= shards) throw altered(file);
          done += 1;
          if (heads[shard] !== undefined) continue;
          current ??= new ShardInProgress(manifest, dataDir, shard, parser);
          current.add(`${file.name}:${index}`, data);
          if (done === ends[shard]) {
            heads[shard] = current.finish();
            current = undefined;
          }
        }
        onEvent?.({ type: 'progress', stage: 'shards', done, total: manifest.planned });
      }
      if (done - first !== file.records) throw altered(file);
    }
    return heads as LedgerHead[];
  } finally {
    current?.abort();
  }
}

/** Whether the records from `start` up to `end` are all in shards that are there. */
function allFinished(
  heads: readonly (LedgerHead | undefined)[],
  ends: readonly number[],
  start: number,
  end: number,
): boolean {
  return heads.every(
    (head, i) => head !== undefined || (ends[i] as number) <= start || (ends[i - 1] ?? 0) >= end,
  );
}

function altered(file: SurveyedFile): UserError {
  return new UserError('a file has changed while it was imported', {
    where: file.path,
    remedy: 'run the same command again when nobody writes to it',
  });
}

class ShardInProgress {
  private readonly manifest: Manifest;
  private readonly dataDir: string;
  private readonly index: number;
  private readonly parser: ExampleParser<Features>;
  private readonly writer: RecordWriter;
  private readonly lines: LedgerLine[] = [];

  constructor(manifest: Manifest, dataDir: string, index: number, parser: ExampleParser<Features>) {
    this.manifest = manifest;
    this.dataDir = dataDir;
    this.index = index;
    this.parser = parser;
    this.writer = RecordWriter.create(temporaryPath(join(dataDir, this.name)));
  }

  add(key: string, data: Uint8Array): void {
    const detail = misfit(this.parser, data);
    if (detail === undefined) this.writer.write(data);
    this.lines.push(detail === undefined ? { key } : { key, rejected: 'malformed-row', detail });
  }

  /** Gives shard, index and ledger their names, in this order: what has a ledger is whole. */
  finish(): LedgerHead {
    const { problem, split, shards } = this.manifest.settings;
    const path = join(this.dataDir, this.name);
    const { records, bytes, sha256, index } = this.writer.finish();
    const indexText = formatIndex(index);
    writeWhole(join(this.dataDir, indexName(this.name)), indexText);
    renameSync(this.writer.path, path);
    syncFolder(this.dataDir);
    const rejected = this.lines.length - records;
    const head: LedgerHead = {
      shard: this.name,
      index: this.index,
      of: shards,
      settings: settingsDigest(this.manifest.settings),
      plan: contentHash(Buffer.from(this.lines.map(({ key }) => `${key}\n`).join(''))),
      planned: this.lines.length,
      written: records,
      rejected: addCounts(rejected === 0 ? [] : [{ 'malformed-row': rejected }]),
      bytes,
      sha256,
      indexSha256: contentHash(Buffer.from(indexText)),
    };
    writeLedger(ledgerPath(this.dataDir, problem, split, this.index, shards), head, this.lines);
    return head;
  }

  abort(): void {
    this.writer.abort();
  }

  private get name(): string {
    const { problem, split, shards } = this.manifest.settings;
    return shardName(problem, split, this.index, shards);
  }
}
