/** Describes a data folder to TensorFlow Datasets, so that `tfds.builder_from_directory()` and `tfds.load()` open it. */

import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../io/errors.js';
import { featuresFromJson } from '../io/features.js';
import { tfdsFeatures, tfdsVersion } from '../io/tfds_features.js';
import { FRAMING_BYTES } from '../io/tfrecord.js';
import { featureMeanings } from '../problems/feature_meanings.js';
import { SPLITS } from '../problems/problem.js';
import { manifestPath, namesIn, removeLeftovers, writeWhole } from './data_files.js';
import { type Manifest, readManifest } from './manifest.js';
import { UNKNOWN_LICENCE } from './manifest_problem.js';

/**
 * Writes `<problem>/<version>/dataset_info.json` and `features.json` for each Problem of which the folder has a finished
 * split: the place where `tfds.load('<problem>', data_dir=…)` looks. Where the folder holds one Problem alone the two files
 * are written into it as well. The shards stay where they are; the files say so. Splits that are not finished are not
 * mentioned, and files of which nothing is left to say are removed.
 *
 * Files of these names that others wrote are left alone.
 */
export function writeTfdsMetadata(dataDir: string): void {
  if (!existsSync(dataDir)) return;
  let failures = 0;
  // Other processes may open or finish splits of theirs at the same time. Each looks again after it has written, so that
  // the last one to write has seen what all have done.
  for (;;) {
    const wanted = metadataOf(dataDir);
    try {
      removeOthers(dataDir, wanted);
      for (const [path, text] of wanted) writeChanged(dataDir, path, text);
    } catch (error) {
      if (!isTakenAway(error) || ++failures === MAX_FAILURES) throw error;
      continue;
    }
    if (isSame(wanted, metadataOf(dataDir))) return;
  }
}

/** Far more than processes that share a folder can cause: then the disk is to blame. */
const MAX_FAILURES = 100;

/** A folder or file that another process removed or filled in between. */
function isTakenAway(error: unknown): boolean {
  return ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
}

const INFO = 'dataset_info.json';
const FEATURES = 'features.json';

/** tensor2tensor's names of shards in TFDS's words. No other writer has it, so that a file of ours is known by it. */
const SHARD_TEMPLATE = '{DATASET}-{SPLIT}-{SHARD_X_OF_Y}';

/** The files that there should be, by their paths in the folder. */
function metadataOf(dataDir: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const names = namesIn(dataDir);
  for (const name of names) {
    const finished = finishedSplits(dataDir, name);
    const [first] = finished.filter(({ written }) => written > 0);
    if (first === undefined) continue;
    const features = featuresFromJson(first.features, manifestPath(dataDir, name, first.settings.split));
    const featuresText = jsonText(tfdsFeatures(features, featureMeanings({ name, features })));
    const ownFolder = join(name, tfdsVersion(first.settings.version));
    for (const folder of names.length === 1 ? [ownFolder, ''] : [ownFolder]) {
      files.set(join(folder, FEATURES), featuresText);
      files.set(join(folder, INFO), jsonText(datasetInfo(first, finished, folder === '' ? '' : '../../')));
    }
  }
  return files;
}

/** A manifest that can't be read is `t2t-ts verify`'s to complain of. */
function finishedSplits(dataDir: string, name: string): Manifest[] {
  return SPLITS.flatMap((split) => {
    try {
      const manifest = readManifest(dataDir, name, split);
      if (manifest?.complete !== true) return [];
      featuresFromJson(manifest.features, manifestPath(dataDir, name, split));
      return [manifest];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

/**
 * tensorflow_datasets/core/proto/dataset_info.proto as protobuf's JSON. TFDS knows one version and one set of features of
 * all splits, those of `first`, and can't read a split without examples: others are in the description alone.
 */
function datasetInfo(first: Manifest, finished: readonly Manifest[], toShards: string): object {
  const { settings, dataset } = first;
  const splits = finished.filter((manifest) => manifest.written > 0 && isAlike(manifest, first));
  const about = `${dataset.title}, as the Problem ${settings.problem} of t2t-ts.`;
  return {
    name: settings.problem,
    description: [about, ...finished.map((manifest) => countsOf(manifest, first))].join('\n'),
    version: tfdsVersion(settings.version),
    citation: dataset.citation,
    ...(dataset.homepage === '' ? {} : { location: { urls: [dataset.homepage] } }),
    ...redistribution(dataset.licence),
    fileFormat: 'tfrecord',
    splits: splits.map((manifest) => ({
      name: manifest.settings.split,
      filepathTemplate: `${toShards}${SHARD_TEMPLATE}`,
      shardLengths: manifest.shards.map(({ records }) => String(records)),
      numBytes: String(manifest.bytes - manifest.written * FRAMING_BYTES),
    })),
  };
}

/** Nothing where no licence is known: TFDS would show whatever stands here as one. */
function redistribution({ name, url }: Manifest['dataset']['licence']): object {
  if (name === UNKNOWN_LICENCE) return {};
  return { redistributionInfo: { license: url === '' ? name : `${name} (${url})` } };
}

function isAlike(one: Manifest, other: Manifest): boolean {
  const kindOf = ({ settings, features }: Manifest): string => JSON.stringify([settings.version, features]);
  return kindOf(one) === kindOf(other);
}

function countsOf(manifest: Manifest, first: Manifest): string {
  const { settings, planned, written, rejected } = manifest;
  const reasons = Object.entries(rejected).map(([reason, count]) => `, ${count} ${reason}`);
  const counts = `${settings.split}: ${planned} planned, ${written} written${reasons.join('')}.`;
  return isAlike(manifest, first)
    ? counts
    : `${counts} Left out here: its features or its version are not those of ${first.settings.split}.`;
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Removes files of ours that are wanted no more: of a version that is gone, or of one Problem where there are two now. */
function removeOthers(dataDir: string, wanted: ReadonlyMap<string, string>): void {
  const foldersIn = (folder: string): string[] =>
    readdirSync(join(dataDir, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !(folder === '' && entry.name.includes('.')))
      .map(({ name }) => join(folder, name));
  for (const folder of ['', ...foldersIn('').flatMap(foldersIn)]) {
    const info = join(folder, INFO);
    if (wanted.has(info) || !isOurs(join(dataDir, info))) continue;
    // By the second one ours are known: it goes last.
    for (const file of [join(folder, FEATURES), info]) rmSync(join(dataDir, file), { force: true });
    if (folder !== '') removeEmpty(join(dataDir, folder));
  }
}

function removeEmpty(versionFolder: string): void {
  for (const folder of [versionFolder, dirname(versionFolder)])
    if (readdirSync(folder).length === 0) rmdirSync(folder);
}

function isOurs(infoPath: string): boolean {
  return existsSync(infoPath) && readFileSync(infoPath, 'utf8').includes(`${SHARD_TEMPLATE}"`);
}

/** Writes what is not there yet, whole, and never over what others wrote. */
function writeChanged(dataDir: string, path: string, text: string): void {
  const target = join(dataDir, path);
  const info = join(dirname(target), INFO);
  if (existsSync(info) && !isOurs(info)) return;
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return;
  if (dirname(path) !== '.') removeLeftovers(dirname(target));
  writeWhole(target, text);
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([path, text]) => other.get(path) === text);
}
