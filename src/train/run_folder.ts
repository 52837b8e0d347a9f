/** The folder of a run: `config.json` says everything that decides what comes out, and where and with what it was made. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, platform } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { manifestPath, writeWhole } from '../datagen/data_files.js';
import { packageVersion } from '../datagen/package_version.js';
import { UserError } from '../io/errors.js';
import type { BackendName } from '../models/backend.js';
import type { Hparams } from '../models/hparams.js';
import type { OptionValue, Split } from '../problems/problem.js';
import type { ClassCounts } from './learner.js';

/** What decides the numbers of a run: with other settings it is another run. Plain data. */
export interface RunSettings {
  readonly problem: {
    readonly name: string;
    readonly version: string;
    readonly options: Readonly<Record<string, OptionValue>>;
  };
  readonly model: string;
  readonly hparamsSet: string;
  readonly hparams: Hparams;
  readonly seed: number;
  readonly backend: BackendName;
  readonly evalEvery: number;
  /** Null where all of dev is evaluated. */
  readonly evalLimit: number | null;
  /** Evaluations without a better one after which training ends; null for none. */
  readonly patience: number | null;
  /** SHA-256 of the manifests; null where there is no such split. */
  readonly data: { readonly train: string; readonly dev: string | null };
}

/** Where and with what a part of a run was made. */
export interface RunPart {
  /** Steps that were done when it began. */
  readonly step: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Which backend and why. */
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
  /** Of the folder in which the command was given; null where it is in no repository. */
  readonly git: GitState | null;
}

export interface GitState {
  readonly commit: string;
  /** Files that differ from the commit. */
  readonly changedFiles: number;
}

export interface RunConfig {
  readonly format: 't2t-ts run 1';
  readonly settings: RunSettings;
  /** Of the train split, for losses with classes. */
  readonly classes: ClassCounts;
  /** Numbers that are trained or averaged. */
  readonly weights: number;
  /** Where the model was published. */
  readonly paper: string;
  readonly dataDir: string;
  /** The beginning, and each time that the run went on. */
  readonly parts: readonly RunPart[];
}

const FORMAT = 't2t-ts run 1';

/** The config of a run, or undefined where the folder has none. @throws UserError where it can't be read. */
export function findRun(outputDir: string): RunConfig | undefined {
  const path = configPath(outputDir);
  if (!existsSync(path)) return undefined;
  try {
    const config = JSON.parse(readFileSync(path, 'utf8')) as RunConfig;
    if (config?.format === FORMAT) return config;
  } catch {
    // Said below.
  }
  throw new UserError('this is no config of a run', {
    where: path,
    remedy: 'choose another --output-dir, or put the file back as it was',
  });
}

/** The config of a run that there must be. @throws UserError where there is none. */
export function readRun(outputDir: string): RunConfig {
  const config = findRun(outputDir);
  if (config !== undefined) return config;
  throw new UserError('there is no run in this folder', {
    where: outputDir,
    remedy: 'train one with `t2t-ts train --output-dir …`',
    exitCode: 2,
  });
}

/** Refuses a folder whose run has other settings. @throws UserError naming the first one that differs. */
export function checkSameRun(outputDir: string, there: RunSettings, here: RunSettings): void {
  const other = firstDifference(there, here, []);
  if (other === undefined) return;
  const { path, left, right } = other;
  const isData = path[0] === 'data';
  throw new UserError(
    isData
      ? `the ${path[1]} split is not the one that the run in this folder was trained on`
      : `the run in this folder has ${path.join('.')} ${JSON.stringify(left)}, not ${JSON.stringify(right)}`,
    {
      where: configPath(outputDir),
      remedy: `choose another --output-dir, or give the command${isData ? ' and the data' : ''} as it was`,
      exitCode: 2,
    },
  );
}

export function writeRun(outputDir: string, config: RunConfig): void {
  mkdirSync(outputDir, { recursive: true });
  writeWhole(configPath(outputDir), `${JSON.stringify(config, null, 2)}\n`);
}

export function runPart(step: number, backend: string): RunPart {
  return {
    step,
    at: new Date().toISOString(),
    backend,
    versions: {
      't2t-ts': packageVersion(),
      node: process.versions.node,
      '@tensorflow/tfjs-core': tf.version_core,
    },
    machine: `${platform()} ${arch()}, ${availableParallelism()} processors`,
    git: gitState(process.cwd()),
  };
}

/** SHA-256 of a split's manifest, which holds those of its shards; null where there is none. */
export function manifestDigest(dataDir: string, problem: string, split: Split): string | null {
  const path = manifestPath(dataDir, problem, split);
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : null;
}

function configPath(outputDir: string): string {
  return join(outputDir, 'config.json');
}

function gitState(folder: string): GitState | null {
  const git = (...words: readonly string[]): string =>
    execFileSync('git', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const commit = git('rev-parse', 'HEAD');
    const changes = git('status', '--porcelain');
    return { commit, changedFiles: changes === '' ? 0 : changes.split('\n').length };
  } catch {
    return null;
  }
}

function firstDifference(
  left: unknown,
  right: unknown,
  path: readonly string[],
): { path: readonly string[]; left: unknown; right: unknown } | undefined {
  if (isRecord(left) && isRecord(right)) {
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const found = firstDifference(left[name], right[name], [...path, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return left === right ? undefined : { path, left, right };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
