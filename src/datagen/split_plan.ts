/** One split of a run: its plan on disk, its shards, and what each shard asks for. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../io/content_store.js';
import type { PlanContext, PlanRow, Problem, RejectedRow, Split } from '../problems/problem.js';
import { indexName, ledgerPath, shardName } from './data_files.js';
import { preparationName } from './input_records.js';
import type { InputTable } from './input_table.js';
import { type LedgerHead, readLedgerHead } from './ledger.js';
import { type SplitSettings, settingsDigest } from './manifest.js';
import {
  type PlanFile,
  planDigest,
  readPlanLines,
  shardLines,
  shardRange,
  writePlanFile,
} from './plan_file.js';

/** A shard of this run: its rows, the inputs that they ask for, and its ledger's head where it is finished. */
export interface ShardPlan {
  readonly split: Split;
  readonly index: number;
  readonly lines: { readonly starts: Float64Array; readonly ends: Float64Array };
  readonly inputStarts: Uint32Array;
  /** Input numbers of the run's table, row after row. */
  readonly inputs: Uint32Array;
  readonly rejectedByPlan: number;
  readonly plan: string;
  /** Whether an earlier run had finished it. */
  wasFinished: boolean;
  head: LedgerHead | undefined;
}

export interface SplitPlan {
  readonly settings: SplitSettings;
  readonly settingsDigest: string;
  readonly file: PlanFile;
  /** What the plan had to say. */
  readonly notes: readonly string[];
  /** The shards that this run is to make: all of them, or a task's part. */
  readonly shards: ShardPlan[];
}

/** Writes the plan of a split, shuffles it and reads it once for what each shard asks for. */
export async function planSplit(options: {
  readonly problem: Problem;
  readonly source: unknown;
  readonly split: Split;
  readonly seed: number;
  readonly limit?: number;
  readonly shards?: number;
  readonly task?: { readonly index: number; readonly of: number };
  readonly onlyFinished?: boolean;
  readonly folder: string;
  readonly dataDir: string;
  readonly table: InputTable;
  readonly onNote: (text: string) => void;
  readonly signal?: AbortSignal;
  readonly onRow?: (rows: number) => void;
}): Promise<SplitPlan> {
  const { problem, split, seed, table } = options;
  const notes: string[] = [];
  const context: PlanContext = {
    seed,
    note(text) {
      if (!notes.includes(text)) notes.push(text);
      options.onNote(text);
    },
  };
  const file = await writePlanFile({
    folder: options.folder,
    split,
    rows: problem.plan(split, options.source, context),
    shuffleSeed: `${problem.name} ${split} ${seed}`,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onRow === undefined ? {} : { onRow: options.onRow }),
  });
  const wanted = options.shards ?? Math.ceil(file.planned / problem.examplesPerShard);
  // No shard without an example, but for a split that has none at all.
  const count = Math.max(1, Math.min(wanted, file.planned));
  const settings: SplitSettings = {
    problem: problem.name,
    version: problem.version,
    split,
    seed,
    limit: options.limit ?? null,
    shards: count,
    options: problem.options,
    preparation: preparationName(problem.preparation),
  };
  const digest = settingsDigest(settings);
  const shards: ShardPlan[] = [];
  for (let index = 0; index < count; index++) {
    options.signal?.throwIfAborted();
    if (options.task !== undefined && index % options.task.of !== options.task.index) continue;
    const shard = scanShard(problem, file, index, count, table);
    shard.head = finishedHead(options.dataDir, problem.name, shard, count);
    shard.wasFinished = shard.head !== undefined;
    if (options.onlyFinished !== true || shard.wasFinished) shards.push(shard);
  }
  return { settings, settingsDigest: digest, file, notes, shards };
}

function scanShard(
  problem: Problem,
  file: PlanFile,
  index: number,
  of: number,
  table: InputTable,
): ShardPlan {
  const { start, end } = shardRange(file.planned, of, index);
  const lines = shardLines(file, start, end);
  const inputStarts = new Uint32Array(end - start + 1);
  const inputs: number[] = [];
  const digest = planDigest();
  let rejectedByPlan = 0;
  readPlanLines(file.path, lines, (line, position) => {
    digest.add(line);
    const row = JSON.parse(line.toString('utf8')) as PlanRow | RejectedRow;
    if ('rejected' in row) rejectedByPlan += 1;
    else for (const input of problem.inputs(row)) inputs.push(table.number(input));
    inputStarts[position + 1] = inputs.length;
  });
  return {
    split: file.split,
    index,
    lines,
    inputStarts,
    inputs: Uint32Array.from(inputs),
    rejectedByPlan,
    plan: digest.hex(),
    wasFinished: false,
    head: undefined,
  };
}

/**
 * The head of a shard's ledger where the shard is there with its size and its index with its checksum. The shard's own
 * bytes are `verify`'s to read: reading them all before every run would take longer than most runs.
 */
export function finishedHead(
  dataDir: string,
  problem: string,
  shard: { readonly split: Split; readonly index: number },
  of: number,
): LedgerHead | undefined {
  const head = readLedgerHead(ledgerPath(dataDir, problem, shard.split, shard.index, of));
  if (head === undefined) return undefined;
  const path = join(dataDir, shardName(problem, shard.split, shard.index, of));
  if (!existsSync(path) || statSync(path).size !== head.bytes) return undefined;
  const indexPath = join(dataDir, indexName(shardName(problem, shard.split, shard.index, of)));
  if (!existsSync(indexPath)) return undefined;
  const indexSha256 = contentHash(readFileSync(indexPath));
  return indexSha256 === head.indexSha256 ? head : undefined;
}
