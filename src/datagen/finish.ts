/** Joins the parts that tasks made: when every shard's ledger is there, the manifest says that the split is finished. */

import { UserError } from '../io/errors.js';
import { SPLITS } from '../problems/problem.js';
import { manifestPath, namesIn } from './data_files.js';
import type { LedgerHead } from './ledger.js';
import { completeManifest, type Manifest, readManifest, settingsDigest, writeManifest } from './manifest.js';
import { finishedHead } from './split_plan.js';
import { writeTfdsMetadata } from './tfds_metadata.js';

/**
 * Finishes every split of a problem that a data folder holds; gives their manifests.
 * @throws UserError that names the missing shards where some are not made yet.
 */
export function finishData(dataDir: string, problem: string): Manifest[] {
  const opened = SPLITS.flatMap((split) => readManifest(dataDir, problem, split) ?? []);
  if (opened.length === 0)
    throw new UserError(`the data folder holds no split of ${problem}`, {
      where: dataDir,
      remedy: namesIn(dataDir).length > 0 ? `it holds ${namesIn(dataDir).join(', ')}` : 'run datagen first',
    });
  const finished = opened.map((manifest) => joinShards(dataDir, manifest));
  for (const manifest of finished) writeManifest(dataDir, manifest);
  writeTfdsMetadata(dataDir);
  return finished;
}

function joinShards(dataDir: string, manifest: Manifest): Manifest {
  const { problem, split, shards } = manifest.settings;
  const digest = settingsDigest(manifest.settings);
  const heads: LedgerHead[] = [];
  const missing: number[] = [];
  for (let index = 0; index < shards; index++) {
    const head = finishedHead(dataDir, problem, { split, index }, shards);
    if (head === undefined || head.settings !== digest) missing.push(index);
    else heads.push(head);
  }
  if (missing.length > 0)
    throw new UserError(`${missing.length} of ${shards} shards of the ${split} split are not made yet`, {
      where: `${manifestPath(dataDir, problem, split)}, shards ${rangesOf(missing)}`,
      remedy:
        'run the tasks that make them (task i of n makes the shards i, i + n, i + 2n …), then finish again',
    });
  const planned = heads.reduce((sum, head) => sum + head.planned, 0);
  if (planned !== manifest.planned)
    throw new UserError(`the shards hold ${planned} planned examples, the manifest ${manifest.planned}`, {
      where: manifestPath(dataDir, problem, split),
      remedy: 'run all tasks again with the same files in --manual-dir or --tmp-dir',
    });
  return completeManifest(manifest, heads);
}

/** 0, 1, 2, 5 as `0-2, 5`. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const shown = ranges.slice(0, 10).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return shown.join(', ') + (ranges.length > 10 ? ', …' : '');
}
