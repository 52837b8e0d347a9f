/** `t2t-ts convert`: finished splits as WebDataset or Parquet, shard by shard, resuming what an earlier run has left. */

import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { removeLeftovers } from '../datagen/data_files.js';
import type { OnEvent } from '../datagen/events.js';
import { type Manifest, readManifest } from '../datagen/manifest.js';
import { packageVersion } from '../datagen/package_version.js';
import { shardRange } from '../datagen/plan_file.js';
import { UserError } from '../io/errors.js';
import { featuresFromJson } from '../io/features.js';
import { lockFile } from '../io/file_lock.js';
import { makeFolder } from '../io/make_folder.js';
import { processTag } from '../io/process_tag.js';
import { webdatasetLayout } from '../io/webdataset.js';
import { SPLITS, type Split } from '../problems/problem.js';
import {
  beginJournal,
  type ConversionTarget,
  type ConvertedFile,
  conversionPath,
  endConversion,
  finishedFiles,
  intactFiles,
  journalFile,
  moveReplacement,
  replacementOf,
} from './conversion.js';
import type { ConvertTask } from './convert_shard.js';
import { convertOnWorkers } from './convert_workers.js';
import { type ConversionFormat, convertedName, FORMAT_VERSIONS } from './formats.js';
import { openSourceSplit, sourcePieces } from './source_split.js';

export interface ConvertOptions {
  readonly dataDir: string;
  readonly problem: string;
  readonly to: ConversionFormat;
  readonly outDir: string;
  /** Those that the data folder holds where not said. */
  readonly splits?: readonly Split[];
  /** Files a split; as many as the split has shards where not said. */
  readonly shards?: number;
  /** Worker threads; one a core where not said. */
  readonly workers?: number;
  /** Replaces what the folder holds of these splits, each when its new files are whole. */
  readonly overwrite?: boolean;
  /** Looks at everything and makes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnEvent;
}

export interface ConvertedSplit {
  readonly records: number;
  readonly files: number;
  /** Files that this run made; in a dry run those that it would make. */
  readonly made: number;
  /** Of the finished files; in a dry run 0. */
  readonly bytes: number;
  readonly sourceBytes: number;
}

export interface ConvertSummary {
  readonly problem: string;
  readonly to: ConversionFormat;
  readonly outDir: string;
  readonly splits: Readonly<Partial<Record<Split, ConvertedSplit>>>;
  readonly seconds: number;
}

/**
 * Converts splits of a Problem, registered or not: all that is needed stands in their manifests. The bytes of the files do
 * not depend on workers or kills; what a killed run has finished is not made again.
 * @throws UserError where a split is not finished, a shard is damaged, or `outDir` holds another conversion.
 */
export async function convertData(options: ConvertOptions): Promise<ConvertSummary> {
  const startedMs = performance.now();
  const plans: SplitPlan[] = [];
  for (const split of splitsOf(options)) plans.push(await planSplit(options, split));
  const splits: Partial<Record<Split, ConvertedSplit>> = {};
  const progress = progressOf(plans, options.onEvent);
  for (const plan of plans) {
    const { settings, written, bytes: sourceBytes } = plan.target.manifest;
    const { made, bytes } =
      options.dryRun === true
        ? { made: plan.tasks.length - plan.finished.size, bytes: 0 }
        : await convertSplit(plan, options, progress);
    splits[settings.split] = { records: written, files: plan.target.count, made, bytes, sourceBytes };
  }
  const { problem, to, outDir } = options;
  return { problem, to, outDir, splits, seconds: (performance.now() - startedMs) / 1000 };
}

interface SplitPlan {
  readonly target: ConversionTarget;
  /** One a file, in order. */
  readonly tasks: readonly (Omit<ConvertTask, 'path'> & {
    readonly file: string;
    readonly records: number;
  })[];
  readonly finished: ReadonlyMap<string, ConvertedFile>;
}

function splitsOf({ dataDir, problem, splits }: ConvertOptions): readonly Split[] {
  const found = splits ?? SPLITS.filter((split) => readManifest(dataDir, problem, split) !== undefined);
  if (found.length > 0) return [...new Set(found)];
  throw new UserError(`the data folder holds no split of ${problem}`, {
    where: dataDir,
    remedy: 'give the folder in which datagen or import wrote its manifests',
    exitCode: 2,
  });
}

async function planSplit(options: ConvertOptions, split: Split): Promise<SplitPlan> {
  const { dataDir, problem, to, outDir } = options;
  const manifest = openSourceSplit(dataDir, problem, split);
  // No file without a record, but for a split that has none at all.
  const count = Math.max(1, Math.min(options.shards ?? manifest.shards.length, manifest.written));
  const target: ConversionTarget = { outDir, to, manifest, count };
  const tasks = Array.from({ length: count }, (_, index) => {
    const range = rangeOf(manifest, count, index);
    const file = convertedName(to, problem, split, { index, of: count });
    return {
      file,
      records: range.end - range.start,
      format: to,
      dataDir,
      pieces: sourcePieces(manifest.shards, range),
      firstRecord: range.start,
      features: manifest.features,
      metadata: {
        't2t-ts.problem': problem,
        't2t-ts.split': split,
        't2t-ts.dataset': JSON.stringify(manifest.dataset),
      },
    };
  });
  const finished = options.overwrite === true ? new Map() : await intactFiles(target, finishedFiles(target));
  return { target, tasks, finished };
}

/** The records of a file: a shard's own where there are as many files as shards, even shares elsewhere. */
function rangeOf(manifest: Manifest, count: number, index: number): { start: number; end: number } {
  if (count !== manifest.shards.length) return shardRange(manifest.written, count, index);
  const before = manifest.shards.slice(0, index).reduce((sum, { records }) => sum + records, 0);
  return { start: before, end: before + (manifest.shards[index]?.records ?? 0) };
}

async function convertSplit(
  { target, tasks, finished }: SplitPlan,
  options: ConvertOptions,
  progress: (records: number, bytes: number) => void,
): Promise<{ made: number; bytes: number }> {
  makeFolder(dirname(conversionPath(target)));
  const release = lockFile(conversionPath(target), 'converting this split');
  try {
    const isReplacing = options.overwrite === true;
    const into = isReplacing ? replacementOf(target) : target;
    makeFolder(dirname(conversionPath(into)));
    removeLeftovers(into.outDir);
    // Once more: only now nobody else can be writing here.
    const present = finishedFiles(into);
    const files = isReplacing
      ? await intactFiles(into, present)
      : new Map([...present].filter(([name]) => finished.has(name)));
    if (isReplacing) for (const { records } of files.values()) progress(records, 0);
    const made = await makeFiles(into, { tasks, files, options, progress });
    const ordered = tasks.map(({ file }) => files.get(file) as ConvertedFile);
    if (isReplacing) moveReplacement(target, ordered);
    const { bytes } = endConversion(target, {
      files: ordered,
      places: placesOf(target),
      versions: { 't2t-ts': packageVersion(), format: FORMAT_VERSIONS[target.to] },
    });
    return { made, bytes };
  } finally {
    release();
  }
}

/** Makes the files that are not there yet, and adds them; gives how many these were. */
async function makeFiles(
  target: ConversionTarget,
  {
    tasks,
    files,
    options,
    progress,
  }: Pick<SplitPlan, 'tasks'> & {
    readonly files: Map<string, ConvertedFile>;
    readonly options: ConvertOptions;
    readonly progress: (records: number, bytes: number) => void;
  },
): Promise<number> {
  beginJournal(target, files.values());
  const wanted = tasks
    .filter(({ file }) => !files.has(file))
    .map((task) => ({ ...task, path: join(target.outDir, task.file) }));
  try {
    await convertOnWorkers(wanted, {
      workers: options.workers ?? availableParallelism(),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: progress,
      onMade(number, shard) {
        const { file } = wanted[number] as SplitPlan['tasks'][number];
        files.set(file, { file, ...shard });
        journalFile(target, { file, ...shard });
      },
    });
    return wanted.length;
  } catch (error) {
    removeTemporaries(target);
    throw error;
  }
}

function placesOf({ to, manifest }: ConversionTarget): Record<string, string> {
  if (to === 'parquet') return Object.fromEntries(Object.keys(manifest.features).map((name) => [name, name]));
  const layout = webdatasetLayout(featuresFromJson(manifest.features, 'the manifest'));
  return Object.fromEntries([...layout].map(([name, { ending }]) => [name, ending]));
}

/** Workers that were stopped could not remove theirs. */
function removeTemporaries({ outDir, manifest }: ConversionTarget): void {
  const { problem, split } = manifest.settings;
  for (const name of readdirSync(outDir))
    if (name.startsWith(`.${problem}-${split}-`) && name.endsWith(`.${processTag()}.tmp`))
      rmSync(join(outDir, name), { force: true });
}

function progressOf(plans: readonly SplitPlan[], onEvent: OnEvent = () => {}) {
  const waiting = plans.flatMap(({ tasks, finished }) => tasks.filter(({ file }) => !finished.has(file)));
  const total = waiting.reduce((sum, { records }) => sum + records, 0);
  let done = 0;
  let bytes = 0;
  return (records: number, recordBytes: number): void => {
    done += records;
    bytes += recordBytes;
    onEvent({ type: 'progress', stage: 'shards', done, total, bytes });
  };
}
