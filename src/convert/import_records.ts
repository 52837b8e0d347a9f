/** `t2t-ts import`: TFRecord files that others wrote become a split with shards, indexes, ledgers and a manifest. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerFolder, manifestPath, removeLeftovers } from '../datagen/data_files.js';
import type { OnEvent } from '../datagen/events.js';
import { readLedgerHead } from '../datagen/ledger.js';
import {
  completeManifest,
  type Manifest,
  openManifest,
  type RejectionCounts,
  readManifest,
  settingsDigest,
  writeManifest,
} from '../datagen/manifest.js';
import { importedProblem, UNKNOWN_LICENCE } from '../datagen/manifest_problem.js';
import { packageVersion } from '../datagen/package_version.js';
import { removeSplit } from '../datagen/replace_split.js';
import { writeTfdsMetadata } from '../datagen/tfds_metadata.js';
import type { VerifyError } from '../datagen/verify.js';
import { UserError } from '../io/errors.js';
import { type Features, featuresToJson } from '../io/features.js';
import { lockFile } from '../io/file_lock.js';
import { makeFolder } from '../io/make_folder.js';
import { type Problem, SPLITS, type Split } from '../problems/problem.js';
import { problemNames } from '../problems/registry.js';
import { recordFiles } from './record_files.js';
import { type SurveyedFile, surveyFiles } from './survey.js';
import { writeShards } from './write_shards.js';

export interface ImportOptions {
  /** Paths, or patterns with `*`, `?` and `[…]` in their last part. The records keep their order. */
  readonly files: readonly string[];
  /** By what name the split is opened; snake_case, and no registered Problem's. */
  readonly name: string;
  readonly features: Features;
  readonly dataDir: string;
  /** `train` where not said. */
  readonly split?: Split;
  /** As many as make 128 MiB each where not said. */
  readonly shards?: number;
  /** Whether a record that does not fit the features stops the import or is counted and left out; 'error' where not said. */
  readonly onMismatch?: 'error' | 'reject';
  /** Where the records come from, for the manifest. */
  readonly source?: Partial<ImportSource>;
  /** Replaces a split of this name that was imported from other files or with other settings. */
  readonly overwrite?: boolean;
  /** Reads everything and writes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnEvent;
}

export interface ImportSource {
  readonly title: string;
  readonly homepage: string;
  readonly citation: string;
  readonly licence: string;
  readonly licenceUrl: string;
}

/** Where `ok` is false, nothing was written, and `errors` name every place that is damaged or does not fit. */
export interface ImportSummary {
  readonly ok: boolean;
  readonly problem: string;
  readonly split: Split;
  readonly files: number;
  readonly planned: number;
  readonly written: number;
  readonly rejected: RejectionCounts;
  readonly shards: number;
  readonly bytes: number;
  readonly errors: readonly VerifyError[];
  /** Of features in the records that the specification lacks, with counts. */
  readonly notes: readonly string[];
  readonly seconds: number;
}

/**
 * Imports records as they are: not a byte of one is changed. The files are read through first, so that what is damaged is
 * known before anything is written; then the shards are written, and those that an earlier run has finished are kept.
 * @throws UserError where a file is missing, the name is taken, or the data folder holds another split of it.
 */
export async function importRecords(options: ImportOptions): Promise<ImportSummary> {
  const startedMs = performance.now();
  const { name, split = 'train', onMismatch = 'error' } = options;
  checkName(name);
  const { files, errors, notes } = await surveyFiles(recordFiles(options.files), options.features, {
    onMismatch,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  });
  const planned = files.reduce((sum, { records }) => sum + records, 0);
  if (planned === 0 && errors.length === 0)
    throw new UserError('the files hold no records', { where: files[0]?.path ?? '', remedy: 'give others' });
  const problem = importedProblem({
    name,
    version: '1.0.0',
    features: options.features,
    dataset: datasetOf(name, options.source ?? {}),
    options: {
      source_files: digestOf(files),
      features: digestOf(featuresToJson(options.features)),
      on_mismatch: onMismatch,
    },
    preparation: 'imported',
  });
  const opened = openedManifest(problem, files, {
    split,
    planned,
    shards: shardCount(options.shards, files),
    notes,
  });
  const isWritten = errors.length === 0 && options.dryRun !== true;
  const manifest = isWritten ? await writeSplit(opened, files, options) : opened;
  return {
    ok: errors.length === 0,
    problem: name,
    split,
    files: files.length,
    planned,
    written: manifest.written,
    rejected: manifest.rejected,
    shards: manifest.settings.shards,
    bytes: manifest.bytes,
    errors,
    notes,
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** A size that suits readers of many shards: tensor2tensor's own advice is 100 to 200 MB. */
const SHARD_BYTES = 128 * 2 ** 20;

function checkName(name: string): void {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name))
    throw new UserError(`a name must be snake_case, not ${JSON.stringify(name)}`, {
      where: '--name',
      exitCode: 2,
    });
  if (problemNames().includes(name))
    throw new UserError(`${name} is a Problem already, whose examples datagen makes`, {
      where: '--name',
      remedy: 'choose another name',
      exitCode: 2,
    });
}

function datasetOf(name: string, source: Partial<ImportSource>): Manifest['dataset'] {
  const {
    title = `${name}, imported`,
    homepage = '',
    citation = '',
    licence = UNKNOWN_LICENCE,
    licenceUrl = '',
  } = source;
  return { name, title, homepage, citation, licence: { name: licence, url: licenceUrl } };
}

/** Of files: names and contents, so that other files make another split. */
function digestOf(value: readonly SurveyedFile[] | object): string {
  const what = Array.isArray(value)
    ? (value as SurveyedFile[]).map(({ name, sha256 }) => [name, sha256])
    : value;
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}

function shardCount(wanted: number | undefined, files: readonly SurveyedFile[]): number {
  const records = files.reduce((sum, file) => sum + file.records, 0);
  const bytes = files.reduce((sum, file) => sum + file.payloadBytes, 0);
  return Math.max(1, Math.min(wanted ?? Math.ceil(bytes / SHARD_BYTES), records));
}

function openedManifest(
  problem: Problem,
  files: readonly SurveyedFile[],
  {
    split,
    planned,
    shards,
    notes,
  }: {
    readonly split: Split;
    readonly planned: number;
    readonly shards: number;
    readonly notes: readonly string[];
  },
): Manifest {
  const { name, version, options, preparation } = problem;
  return openManifest({
    problem,
    settings: {
      problem: name,
      version,
      split,
      seed: 0,
      limit: null,
      shards,
      options,
      preparation: preparation.id,
    },
    planned,
    notes: [
      ...files.map(({ name: file, records, sha256 }) => `${records} records of ${file}, SHA-256 ${sha256}`),
      ...notes,
    ],
    versions: { 't2t-ts': packageVersion() },
  });
}

async function writeSplit(
  opened: Manifest,
  files: readonly SurveyedFile[],
  options: ImportOptions,
): Promise<Manifest> {
  const { dataDir } = options;
  const { problem, split } = opened.settings;
  makeFolder(dataDir);
  const release = lockFile(manifestPath(dataDir, problem, split), 'importing this split');
  try {
    removeLeftovers(dataDir);
    removeLeftovers(ledgerFolder(dataDir, problem, split));
    if (holdsOther(opened, dataDir)) {
      if (options.overwrite !== true) throw otherSplit(opened, dataDir);
      removeSplit(dataDir, problem, split);
    }
    // Who replaces one split goes on to replace the others.
    if (options.overwrite !== true) refuseOtherFeatures(opened, dataDir);
    writeManifest(dataDir, opened);
    writeTfdsMetadata(dataDir);
    const heads = await writeShards(opened, files, options);
    const manifest = completeManifest(opened, heads);
    writeManifest(dataDir, manifest);
    writeTfdsMetadata(dataDir);
    return manifest;
  } finally {
    release();
  }
}

/** Whether the folder holds shards of the split that were made otherwise. */
function holdsOther(opened: Manifest, dataDir: string): boolean {
  const { problem, split } = opened.settings;
  const digest = settingsDigest(opened.settings);
  const present = readManifest(dataDir, problem, split);
  if (present !== undefined && settingsDigest(present.settings) !== digest) return true;
  const folder = ledgerFolder(dataDir, problem, split);
  if (!existsSync(folder)) return false;
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl') && !file.startsWith('.'))
    .some((file) => (readLedgerHead(join(folder, file))?.settings ?? digest) !== digest);
}

function otherSplit({ settings }: Manifest, dataDir: string): UserError {
  return new UserError(
    `the ${settings.split} split of ${settings.problem} was imported from other files or otherwise`,
    {
      where: manifestPath(dataDir, settings.problem, settings.split),
      remedy: 'choose another --name, --split or --data-dir, or --overwrite to replace it',
      exitCode: 2,
    },
  );
}

/** Splits of one name are read with one description. */
function refuseOtherFeatures({ settings, features }: Manifest, dataDir: string): void {
  for (const split of SPLITS) {
    const other = split === settings.split ? undefined : readManifest(dataDir, settings.problem, split);
    if (other === undefined || JSON.stringify(other.features) === JSON.stringify(features)) continue;
    throw new UserError(`the ${split} split of ${settings.problem} has other features`, {
      where: manifestPath(dataDir, settings.problem, split),
      remedy: 'give the same --features or another --name, or --overwrite and import that split again too',
      exitCode: 2,
    });
  }
}
