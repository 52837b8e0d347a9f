/** Opens a split for reading: only where it is finished, whole and of the Problem that asks for it. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { indexName, manifestPath } from '../datagen/data_files.js';
import { finishedManifest, type Manifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { featuresToJson } from '../io/features.js';
import { isGzipFile } from '../io/tfrecord_reader.js';
import type { Problem, Split } from '../problems/problem.js';
import { REMEDY, readSplitIndex, type ShardFile, type SplitIndex } from './split_index.js';

/** A split that was checked. Plain data but for the manifest's size: it goes to worker threads as it is. */
export interface SplitFiles {
  readonly shards: readonly ShardFile[];
  readonly index: SplitIndex;
  readonly records: number;
}

/**
 * Checks that the manifest is complete and describes the Problem's features, that each shard is there with its size, and
 * that its index is the one in the manifest; the bytes of the records are checked when they are read (all of them at once
 * by `t2t-ts verify`).
 * @throws UserError for the first thing that is missing, changed or of another Problem.
 */
export async function openSplit(
  problem: Problem,
  split: Split,
  dataDir: string,
): Promise<SplitFiles & { readonly manifest: Manifest }> {
  const manifest = finishedManifest(dataDir, problem.name, split);
  checkFeatures(problem, manifest, manifestPath(dataDir, problem.name, split));
  const shards: ShardFile[] = [];
  let records = 0;
  for (const shard of manifest.shards) {
    const path = join(dataDir, shard.file);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) throw new UserError('a shard is missing', { where: path, remedy: REMEDY });
    if (found.size !== shard.bytes)
      throw new UserError(
        `a shard of ${found.size} bytes, where the manifest says ${shard.bytes}: it is not the one that was made`,
        { where: path, remedy: REMEDY },
      );
    shards.push({
      path,
      bytes: shard.bytes,
      firstRecord: records,
      records: shard.records,
      indexPath: join(dataDir, indexName(shard.file)),
      indexSha256: shard.indexSha256,
      isGzip: await isGzipFile(path),
    });
    records += shard.records;
  }
  return { manifest, shards, records, index: await readSplitIndex(shards) };
}

function checkFeatures(problem: Problem, manifest: Manifest, where: string): void {
  const [ours, theirs] = [featuresToJson(problem.features), manifest.features].map(
    (features) => new Map(Object.entries(features).map(([name, feature]) => [name, canonical(feature)])),
  ) as [Map<string, string>, Map<string, string>];
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const other = names.find((name) => ours.get(name) !== theirs.get(name));
  if (other === undefined) return;
  const [wanted, found] = [ours.get(other) ?? 'nothing', theirs.get(other) ?? 'nothing'];
  throw new UserError(
    `the split holds ${found} as ${JSON.stringify(other)} where ${problem.name} has ${wanted}`,
    { where, remedy: remedyFor(problem, manifest) },
  );
}

/** The same text for the same feature, in whatever order its parts were written. */
function canonical(feature: object): string {
  return JSON.stringify(feature, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function remedyFor(problem: Problem, { settings }: Manifest): string {
  const changed = Object.entries(settings.options).filter(([name, value]) => problem.options[name] !== value);
  return changed.length === 0
    ? 'make the split again with this version of the Problem'
    : `open it with the options it was made with: ${changed.map(([name, value]) => `${name}=${value}`).join(', ')}`;
}
