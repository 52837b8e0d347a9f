/** The manifest: what a split is and whether it is finished, in one file that readers check first. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { UserError } from '../io/errors.js';
import { type FeatureJson, featuresToJson } from '../io/features.js';
import type { OptionValue, Problem, Split } from '../problems/problem.js';
import type { RejectionReason } from '../problems/rejection.js';
import { manifestPath, writeWhole } from './data_files.js';
import type { LedgerHead } from './ledger.js';

export type RejectionCounts = Readonly<Partial<Record<RejectionReason, number>>>;

/** What decides which examples a split holds and how they look. Other settings, another split. */
export interface SplitSettings {
  readonly problem: string;
  readonly version: string;
  readonly split: Split;
  readonly seed: number;
  /** Null where the whole plan is made. */
  readonly limit: number | null;
  readonly shards: number;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly preparation: string;
}

export interface ManifestShard {
  readonly file: string;
  readonly planned: number;
  readonly records: number;
  readonly rejected: RejectionCounts;
  readonly bytes: number;
  readonly sha256: string;
  readonly indexSha256: string;
}

export interface Manifest {
  readonly format: 't2t-ts manifest 1';
  /** False while shards are missing or being made anew: readers refuse the split. */
  readonly complete: boolean;
  readonly settings: SplitSettings;
  readonly planned: number;
  readonly written: number;
  readonly rejected: RejectionCounts;
  readonly bytes: number;
  readonly shards: readonly ManifestShard[];
  readonly features: Readonly<Record<string, FeatureJson>>;
  readonly dataset: {
    readonly name: string;
    readonly title: string;
    readonly homepage: string;
    readonly citation: string;
    readonly licence: { readonly name: string; readonly url: string };
  };
  readonly notes: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/** A manifest that says that a split is being made. */
export function openManifest(options: {
  readonly problem: Problem;
  readonly settings: SplitSettings;
  readonly planned: number;
  readonly notes: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}): Manifest {
  const { name, title, homepage, citation, licence } = options.problem.dataset;
  return {
    format: 't2t-ts manifest 1',
    complete: false,
    settings: options.settings,
    planned: options.planned,
    written: 0,
    rejected: {},
    bytes: 0,
    shards: [],
    features: featuresToJson(options.problem.features),
    dataset: { name, title, homepage, citation, licence: { name: licence.name, url: licence.url } },
    notes: options.notes,
    versions: options.versions,
  };
}

/** The manifest of a split whose shards all are there, from the heads of their ledgers in order. */
export function completeManifest(opened: Manifest, heads: readonly LedgerHead[]): Manifest {
  return {
    ...opened,
    complete: true,
    written: sum(heads.map((head) => head.written)),
    rejected: addCounts(heads.map((head) => head.rejected)),
    bytes: sum(heads.map((head) => head.bytes)),
    shards: heads.map((head) => ({
      file: head.shard,
      planned: head.planned,
      records: head.written,
      rejected: head.rejected,
      bytes: head.bytes,
      sha256: head.sha256,
      indexSha256: head.indexSha256,
    })),
  };
}

/** What ledgers remember of the settings: the same for equal settings. */
export function settingsDigest(settings: SplitSettings): string {
  const { options, ...rest } = settings;
  const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = [
    rest.problem,
    rest.version,
    rest.split,
    rest.seed,
    rest.limit,
    rest.shards,
    rest.preparation,
  ];
  return createHash('sha256')
    .update(JSON.stringify([fields, sorted]))
    .digest('hex')
    .slice(0, 32);
}

export function writeManifest(dataDir: string, manifest: Manifest): void {
  const path = manifestPath(dataDir, manifest.settings.problem, manifest.settings.split);
  writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * The manifest of a split, or undefined where there is none.
 * @throws UserError where it can't be read.
 */
export function readManifest(dataDir: string, problem: string, split: Split): Manifest | undefined {
  const path = manifestPath(dataDir, problem, split);
  if (!existsSync(path)) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    if (manifest?.format !== 't2t-ts manifest 1')
      throw new Error(`its format is ${JSON.stringify(manifest?.format)}`);
    return manifest;
  } catch (error) {
    throw new UserError(
      `the manifest can't be read: ${error instanceof Error ? error.message.replaceAll('\n', ' ') : error}`,
      {
        where: path,
        remedy: 'delete it and run the same datagen command again: finished shards are kept',
      },
    );
  }
}

/**
 * The manifest of a finished split.
 * @throws UserError where the split is missing or not finished: a reader must not go on with a part of it.
 */
export function finishedManifest(dataDir: string, problem: string, split: Split): Manifest {
  const manifest = readManifest(dataDir, problem, split);
  const where = manifestPath(dataDir, problem, split);
  if (manifest === undefined)
    throw new UserError(`there is no ${split} split of ${problem}`, {
      where,
      remedy: `make it with \`t2t-ts datagen ${problem}\``,
    });
  if (!manifest.complete)
    throw new UserError(`the ${split} split of ${problem} is not finished`, {
      where,
      remedy:
        'run the same datagen command again (it goes on where it stopped), or `t2t-ts finish` after all tasks',
    });
  return manifest;
}

/** The sum of counts by reason, reasons sorted by name so that the result does not depend on the order of shards. */
export function addCounts(counts: readonly RejectionCounts[]): RejectionCounts {
  const total: Partial<Record<RejectionReason, number>> = {};
  const reasons = new Set(counts.flatMap((one) => Object.keys(one) as RejectionReason[]));
  for (const reason of [...reasons].sort()) total[reason] = sum(counts.map((one) => one[reason] ?? 0));
  return total;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
