/** One run's work: which inputs are still wanted, which shards are stale, and making what is missing. */

import { rmSync } from 'node:fs';
import pLimit from 'p-limit';
import type { ObtainContext } from '../datasets/dataset.js';
import { type FetchFailureKind, TRANSIENT_KINDS } from '../io/fetch_outcome.js';
import { datasetFileName, type Problem } from '../problems/problem.js';
import { REASON_OF_FETCH_FAILURE, REJECTION_REASONS } from '../problems/rejection.js';
import { ledgerPath } from './data_files.js';
import { fetchOptions } from './fetch_options.js';
import { fetchOwnFiles, recordedMiss } from './fetch_own_files.js';
import type { GenerateOptions } from './generate.js';
import { fateOf, type InputRecords, isReplacedFile, recordedOutcome, urlOf } from './input_records.js';
import { contentToken, outcomeToken, UNREADABLE } from './input_table.js';
import { readLedger } from './ledger.js';
import {
  addCounts,
  completeManifest,
  type Manifest,
  openManifest,
  readManifest,
  writeManifest,
} from './manifest.js';
import { obtainInputs } from './obtain_inputs.js';
import type { ShardPlan, SplitPlan } from './split_plan.js';
import { writeTfdsMetadata } from './tfds_metadata.js';
import { softwareVersions } from './versions.js';
import type { RejectionTally, ShardTask } from './worker_messages.js';
import type { WorkerPool } from './worker_pool.js';

/** What one call of `generateData` works with. */
export interface Run {
  readonly problem: Problem;
  readonly options: GenerateOptions;
  readonly records: InputRecords;
  readonly splits: readonly SplitPlan[];
  readonly pool: WorkerPool;
  readonly notes: readonly string[];
  /** For files of the dataset's own that are fetched when the plan is known. */
  readonly context: ObtainContext;
  readonly connectTo: Readonly<Record<string, string>>;
  /** URLs asked for in this run: a failure just seen is not asked for again by the next round. */
  readonly asked: Set<string>;
}

/** Obtains and makes what is missing, and looks again: a fate that changed on the way makes finished shards stale. */
export async function finishShards(run: Run): Promise<void> {
  for (const split of run.splits) announceSplit(run, split);
  writeTfdsMetadata(run.options.dataDir);
  for (;;) {
    await obtain(run, inputsToObtain(run));
    reopenStaleShards(run);
    if (inputsToObtain(run).size > 0) continue;
    const isDone = run.splits.every((split) => split.shards.every((shard) => shard.head !== undefined));
    if (isDone) break;
    await makeShards(run);
  }
  for (const split of run.splits) if (isWhole(split)) completeSplit(run, split);
  writeTfdsMetadata(run.options.dataDir);
}

/**
 * Inputs that must be asked for or prepared: those of unfinished shards that no record settles, or whose failure may have
 * passed by itself; and in any shard those whose failure the person wants to have retried, and files of the dataset's own
 * whose failure may have passed. Inputs that records settle get their outcome on the way.
 */
export function inputsToObtain(run: Run): Set<number> {
  const { records } = run;
  const wanted = new Set<number>();
  for (const { shards } of run.splits) {
    for (const shard of shards) {
      for (const input of shard.inputs) {
        if (records.table.outcomes.has(input)) continue;
        const miss = recordedMiss(records, input);
        if (isAskedAgain(run, shard, input, miss?.kind)) wanted.add(input);
        else if (shard.head === undefined) {
          const outcome = recordedOutcome(records, input) ?? miss?.outcome;
          if (outcome === undefined) wanted.add(input);
          else records.table.outcomes.set(input, outcome);
        }
      }
    }
  }
  return wanted;
}

function isAskedAgain(
  { records, asked, options }: Run,
  shard: ShardPlan,
  input: number,
  /** Of a file of the dataset's own that could not be fetched: the publisher lists it, so it is worth asking for again. */
  missKind: FetchFailureKind | undefined,
): boolean {
  const isRetried = (kind: FetchFailureKind): boolean => options.retry?.includes(kind) === true;
  if (missKind !== undefined)
    return isRetried(missKind) || (options.onlyFinished !== true && TRANSIENT_KINDS.has(missKind));
  const fate = fateOf(records, input);
  if (fate?.status !== 'failed' || fate.kind === 'struck' || asked.has(fate.url)) return false;
  return isRetried(fate.kind) || (!shard.wasFinished && TRANSIENT_KINDS.has(fate.kind));
}

async function obtain(run: Run, wanted: ReadonlySet<number>): Promise<void> {
  if (wanted.size === 0) return;
  const { options, records, problem } = run;
  for (const input of wanted) {
    const url = urlOf(records.table, input);
    if (datasetFileName(url) === undefined) run.asked.add(url);
  }
  const missed = await fetchOwnFiles(run, wanted);
  await obtainInputs({
    records,
    wanted: [...wanted],
    missed,
    pool: run.pool,
    // Which failures are asked again was decided above.
    fetch: {
      ...fetchOptions(problem.dataset, options, { connectTo: run.connectTo, retryKinds: () => true }),
      onEvent: (event) => {
        if (event.type === 'note') options.onEvent?.({ type: 'note', text: event.text });
      },
    },
    onProgress: (progress) => options.onEvent?.({ type: 'progress', stage: 'inputs', ...progress }),
  });
}

/** A finished shard of which an input's fate is another now loses its ledger, and so is made anew. */
function reopenStaleShards(run: Run): void {
  for (const split of run.splits) {
    for (const shard of split.shards) {
      if (shard.head === undefined || !isStale(run, split, shard)) continue;
      reopenManifest(run, split);
      rmSync(pathOfLedger(run, split, shard), { force: true });
      shard.head = undefined;
    }
  }
}

function isStale(run: Run, split: SplitPlan, shard: ShardPlan): boolean {
  const { lines } = readLedger(pathOfLedger(run, split, shard));
  return lines.some((line, row) =>
    line.inputs?.some((token, i) => {
      const input = shard.inputs[(shard.inputStarts[row] as number) + i] as number;
      return isChanged(run.records, input, token);
    }),
  );
}

/** Whether an input's fate is known to be another than the ledger's token says. What nobody knows any more is as it was. */
function isChanged(records: InputRecords, input: number, token: string): boolean {
  const now = records.table.outcomes.get(input) ?? recordedOutcome(records, input);
  if (now !== undefined) return outcomeToken(now) !== token;
  // A file that came since, e.g. by `download --retry`, and was not prepared yet: only a failure of preparing may still
  // stand.
  const fate = fateOf(records, input);
  if (fate?.status !== 'ok')
    return token === 'missing-file' || token === UNREADABLE || isReplacedFile(records, input);
  return !token.startsWith(contentToken(fate.sha256)) && !PREPARATION_FAILURES.has(token);
}

/** Reasons that come from looking at a file, not from fetching it. */
const PREPARATION_FAILURES: ReadonlySet<string> = new Set(
  Object.keys(REJECTION_REASONS).filter(
    (reason) => !Object.values(REASON_OF_FETCH_FAILURE).some((fetchReason) => fetchReason === reason),
  ),
);

async function makeShards(run: Run): Promise<void> {
  const { options, pool } = run;
  const all = run.splits.flatMap((split) => split.shards);
  const total = all.reduce((sum, shard) => sum + shard.lines.starts.length, 0);
  const report = (): void => {
    const heads = all.flatMap((shard) => shard.head ?? []);
    const done = heads.reduce((sum, head) => sum + head.planned, 0);
    const rejected: RejectionTally = addCounts(heads.map((head) => head.rejected));
    options.onEvent?.({ type: 'progress', stage: 'shards', done, total, rejected });
  };
  report();
  // A task holds the outcomes of its inputs: only as many are put together as the workers can hold.
  const limit = pLimit(pool.capacity);
  const makeOne = async (split: SplitPlan, shard: ShardPlan): Promise<void> => {
    options.signal?.throwIfAborted();
    const { head } = await pool.run(shardTask(run, split, shard));
    shard.head = head;
    report();
  };
  await Promise.all(
    run.splits.flatMap((split) =>
      split.shards
        .filter((shard) => shard.head === undefined)
        .map((shard) => limit(() => makeOne(split, shard))),
    ),
  );
}

function shardTask(run: Run, split: SplitPlan, shard: ShardPlan): ShardTask {
  const slotOf = new Map<number, number>();
  const inputs: number[] = [];
  const slots = shard.inputs.map((input) => {
    let slot = slotOf.get(input);
    if (slot === undefined) {
      slot = inputs.length;
      slotOf.set(input, slot);
      inputs.push(input);
    }
    return slot;
  });
  return {
    kind: 'shard',
    dataDir: run.options.dataDir,
    split: shard.split,
    index: shard.index,
    of: split.settings.shards,
    settings: split.settingsDigest,
    planPath: split.file.path,
    lines: shard.lines,
    inputStarts: shard.inputStarts,
    slots,
    inputs: run.records.table.outcomes.subset(inputs),
  };
}

/** The manifest as it is before the first shard; a finished one stays as long as nothing is made anew. */
function announceSplit(run: Run, split: SplitPlan): void {
  const known = readManifest(run.options.dataDir, run.problem.name, split.settings.split);
  const isFinished = split.shards.every((shard) => shard.head !== undefined);
  if (known?.complete === true && isFinished) return;
  writeManifest(run.options.dataDir, opened(run, split));
}

function reopenManifest(run: Run, split: SplitPlan): void {
  const known = readManifest(run.options.dataDir, run.problem.name, split.settings.split);
  if (known?.complete === false) return;
  writeManifest(run.options.dataDir, opened(run, split));
  writeTfdsMetadata(run.options.dataDir);
}

/** True where this run had all shards of the split, not a task's part or the finished ones alone. */
function isWhole({ shards, settings }: SplitPlan): boolean {
  return shards.length === settings.shards;
}

function completeSplit(run: Run, split: SplitPlan): void {
  const heads = split.shards.flatMap((shard) => shard.head ?? []);
  writeManifest(run.options.dataDir, completeManifest(opened(run, split), heads));
}

function opened({ problem, notes }: Run, split: SplitPlan): Manifest {
  return openManifest({
    problem,
    settings: split.settings,
    planned: split.file.planned,
    notes: [...notes, ...split.notes],
    versions: softwareVersions(),
  });
}

function pathOfLedger({ options, problem }: Run, split: SplitPlan, shard: ShardPlan): string {
  return ledgerPath(options.dataDir, problem.name, shard.split, shard.index, split.settings.shards);
}
