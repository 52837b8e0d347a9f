/** generate_data: from a Problem to finished splits, resuming whatever an earlier run has left. */

import { availableParallelism } from 'node:os';
import { UserError } from '../io/errors.js';
import type { FetchFailureKind } from '../io/fetch_outcome.js';
import { makeFolder } from '../io/make_folder.js';
import type { Problem, Split } from '../problems/problem.js';
import { otherCrops } from './crop_match.js';
import { ledgerFolder, removeLeftovers } from './data_files.js';
import type { Preflight } from './events.js';
import { closeRecords, openOwnFiles, openRecords } from './input_records.js';
import { addCounts, type RejectionCounts } from './manifest.js';
import { closePlanFolder, openPlanFolder } from './plan_file.js';
import { preflightOf } from './preflight.js';
import { obtainRawData, type RawDataOptions } from './raw_data.js';
import { refuseOtherSplit } from './replace_split.js';
import { finishShards, inputsToObtain, type Run } from './shard_run.js';
import { planSplit, type SplitPlan } from './split_plan.js';
import { datasetStruckPath, readStruck, struckPath } from './struck.js';
import { WorkerPool } from './worker_pool.js';

export interface GenerateOptions extends RawDataOptions {
  readonly dataDir: string;
  readonly splits?: readonly Split[];
  /** Make only the first so many examples of each split's shuffle. */
  readonly limit?: number;
  /** Shards a split; by default as many as the Problem's `examplesPerShard` gives. */
  readonly shards?: number;
  /** Worker threads; by default one a core, at most four a core. */
  readonly workers?: number;
  readonly seed?: number;
  /** Make only the shards whose index leaves `index` when divided by `of`; `finishData` joins the parts. */
  readonly task?: { readonly index: number; readonly of: number };
  /** Stop after the preflight. */
  readonly dryRun?: boolean;
  /** Replace a split that was made with other settings. */
  readonly overwrite?: boolean;
  /** Leave shards that were never made alone; only those whose inputs' fates changed are made anew. */
  readonly onlyFinished?: boolean;
  /** Failures of earlier runs to ask for again, also inside finished shards. */
  readonly retry?: readonly FetchFailureKind[];
  /** Modules to import in every worker, which register Problems that t2t-ts does not bring. */
  readonly imports?: readonly string[];
}

/** Each is a thread with a heap of its own; more than this only fight for the cores and the memory. */
const MAX_WORKERS = 4 * availableParallelism();

export interface SplitSummary {
  readonly planned: number;
  readonly written: number;
  readonly rejected: RejectionCounts;
  readonly shards: number;
  readonly bytes: number;
}

export interface GenerateSummary {
  readonly problem: string;
  readonly splits: Readonly<Partial<Record<Split, SplitSummary>>>;
  readonly preflight: Preflight;
  readonly notes: readonly string[];
  readonly seconds: number;
  /** Processor time of all threads: divided by `seconds`, the cores that were busy. */
  readonly cpuSeconds: number;
}

/**
 * Makes the splits of a Problem. Everything that an earlier run finished is kept; a shard is made anew only where the
 * fate of one of its inputs has changed.
 * @throws UserError for what the person can mend: a missing agreement, another split in the folder, a full disk.
 */
export async function generateData(problem: Problem, options: GenerateOptions): Promise<GenerateSummary> {
  const missing = options.splits?.find((split) => !problem.splits.includes(split));
  if (missing !== undefined)
    throw new UserError(`${problem.name} has no ${missing} split`, {
      where: '--split',
      remedy: `it has ${problem.splits.join(', ')}`,
      exitCode: 2,
    });
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  makeFolder(options.dataDir);
  const subjects = subjectsOf(problem);
  const raw = await obtainRawData(problem.dataset, {
    ...options,
    ...(subjects === undefined ? {} : { subjects }),
  });
  for (const split of problem.splits) removeLeftovers(ledgerFolder(options.dataDir, problem.name, split));
  removeLeftovers(options.dataDir);
  const planFolder = openPlanFolder(raw.rawDir, problem.name);
  const place = {
    rawDir: raw.rawDir,
    ...(options.manualDir === undefined ? {} : { manualDir: options.manualDir }),
  };
  const struck = readStruck(struckPath(options.dataDir, problem.name));
  const struckHere = readStruck(datasetStruckPath(raw.rawDir));
  const own = await openOwnFiles(problem.dataset, place, [...struck.identities, ...struckHere.identities]);
  const records = openRecords(problem.preparation, raw.rawDir, own);
  for (const url of struck.urls) records.journal.strike(url);
  const web = options.dryRun === true ? undefined : await problem.dataset.serve?.(raw.context);
  const pool = new WorkerPool(Math.min(options.workers ?? availableParallelism(), MAX_WORKERS), {
    problem: problem.name,
    options: problem.options,
    imports: options.imports ?? [],
    preparedFolder: records.prepared.folder,
    place,
  });
  try {
    if (options.dryRun !== true) pool.start();
    const splits: SplitPlan[] = [];
    const obtained = [...raw.notes];
    for (const split of new Set(options.splits ?? problem.splits))
      splits.push(
        await planSplit({
          ...options,
          problem,
          source: raw.source,
          split,
          seed: options.seed ?? 0,
          folder: planFolder,
          table: records.table,
          onNote: raw.context.note,
          onRow: (rows) => options.onEvent?.({ type: 'progress', stage: 'plan', done: rows }),
        }),
      );
    for (const split of splits) refuseOtherSplit(split, options);
    const run: Run = {
      problem,
      options,
      records,
      splits,
      pool,
      notes: obtained,
      context: raw.context,
      connectTo: web?.connectTo ?? {},
      asked: new Set(),
    };
    const preflight = preflightOf(run, inputsToObtain(run));
    options.onEvent?.({ type: 'preflight', preflight });
    if (options.dryRun !== true) await finishShards(run);
    for (const { settings, file } of splits)
      if (file.planned === 0) raw.context.say(`warning: the ${settings.split} split is empty`);
    for (const sentence of otherCrops(options.dataDir, problem)) raw.context.note(sentence);
    return {
      problem: problem.name,
      splits: Object.fromEntries(splits.map((split) => [split.settings.split, summaryOf(split)])),
      preflight,
      notes: raw.notes,
      seconds: (performance.now() - startedMs) / 1000,
      cpuSeconds: cpuSecondsSince(startedCpu),
    };
  } finally {
    await pool.close();
    await web?.close();
    await closeRecords(records);
    closePlanFolder(planFolder);
  }
}

/** Of Problems over recordings the option `subjects`, so that it is among the split's settings: blanks or commas between. */
function subjectsOf({ options }: Problem): string[] | undefined {
  const words = String(options.subjects ?? '')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  return words.length === 0 ? undefined : words;
}

function cpuSecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

function summaryOf({ shards }: SplitPlan): SplitSummary {
  const heads = shards.flatMap((shard) => shard.head ?? []);
  return {
    planned: shards.reduce((sum, shard) => sum + shard.lines.starts.length, 0),
    written: heads.reduce((sum, head) => sum + head.written, 0),
    rejected: addCounts(heads.map((head) => head.rejected)),
    shards: heads.length,
    bytes: heads.reduce((sum, head) => sum + head.bytes, 0),
  };
}
