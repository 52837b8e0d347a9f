/** Statistics of a Problem's finished splits, by one pass over their records: what `t2t-ts stats` shows. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Manifest, readManifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { type Features, featuresFromJson } from '../io/features.js';
import { SPLITS, type Split } from '../problems/problem.js';
import { problemNames } from '../problems/registry.js';
import { digestsInBoth, type Repeats, repeatsOf, sortedDigests } from './digests.js';
import { DEFAULT_MAX_DISTANCE, type DuplicateReport, duplicateReport } from './duplicate_report.js';
import { type FeatureStats, reportFeature, reportSpread, type SpreadStats } from './feature_stats.js';
import { mergeSpread, mergeTally, noSpread, noTally } from './feature_tally.js';
import { labelFeatures } from './label_features.js';
import { isWindow, type ShardTally, type ShardToTally } from './shard_tally.js';
import { tallyShards } from './tally_shards.js';
import { mergeValues, noValues, type ReportedValues, reportValues } from './value_counts.js';
import { checkSplit } from './whole_split.js';

export interface StatsOptions {
  /** The finished ones that are there, where not said. */
  readonly splits?: readonly Split[];
  /** Only the first so many records of each split, which was shuffled. */
  readonly limit?: number;
  /** Threads; by default one a core. The result is the same to the last bit whatever their number. */
  readonly workers?: number;
  /** Whether photographs that look alike are looked for too, by their perceptual hashes. */
  readonly near?: boolean;
  /** Called as shards are counted, with their bytes. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/** What `t2t-ts stats --json` ends with. Deviations are those of all values (NumPy's `std`), not estimates from a sample. */
export interface DataStats {
  readonly problem: string;
  readonly dataset: Manifest['dataset'];
  readonly splits: Readonly<Partial<Record<Split, SplitStats>>>;
  /** Splits that are being made, or whose making was stopped: nothing of them is counted. */
  readonly unfinished: readonly Split[];
  /** For each two splits, how many keys, and how many pictures or windows (by content), are in both. */
  readonly shared: readonly SharedStats[];
  readonly nearDuplicates?: DuplicateReport;
}

export interface SplitStats {
  /** Counted here, and written by the manifest: fewer are counted where there is a limit. */
  readonly records: number;
  readonly written: number;
  /** Of the shards, all of them. */
  readonly bytes: number;
  readonly recordBytes: SpreadStats;
  /** Names of the features that are labels, the clearest first. */
  readonly labels: readonly string[];
  readonly features: Readonly<Record<string, FeatureStats>>;
  /** How many annotators gave the most frequent answer, e.g. `4 of 6`; absent where there are no votes. */
  readonly agreement?: ReportedValues;
  readonly keys: Repeats;
  /** Pictures and windows of recordings, by their bytes; absent where there are none. */
  readonly contents?: Repeats & {
    /** Records in which one picture or window stands twice. */
    readonly repeatingRecords: number;
  };
}

export interface SharedStats {
  readonly splits: readonly [Split, Split];
  readonly keys: number;
  readonly contents: number;
}

/** Most frequent values that are reported of each feature. */
const MAX_SHOWN_VALUES = 100;

/**
 * Reads every record once. Memory grows by 8 bytes a record and 8 a picture, by which repeats are found, and by nothing else.
 * @throws UserError where there is no finished split of that Problem, a shard is damaged or not the manifest's, or photographs that
 * look alike are asked for of records that hold no hashes.
 */
export async function dataStats(
  dataDir: string,
  problem: string,
  options: StatsOptions = {},
): Promise<DataStats> {
  const { finished: manifests, unfinished } = splitsOf(dataDir, problem, options.splits);
  for (const manifest of manifests) await checkSplit(dataDir, manifest);
  // First: it is the faster pass, and the one that may find that it can't be done.
  const near = options.near === true && {
    nearDuplicates: await duplicateReport(dataDir, problem, DEFAULT_MAX_DISTANCE, options),
  };
  const shards = manifests.flatMap((manifest) => shardsToTally(dataDir, manifest, options.limit ?? Infinity));
  const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  const counts = manifests.map((manifest) => new SplitCount(manifest, `the manifest of ${problem}`));
  let [counted, done] = [0, 0];
  for await (const tally of tallyShards(shards, { workers: options.workers ?? availableParallelism() })) {
    const { split, bytes } = shards[counted++] as SplitShard;
    counts.find((count) => count.split === split)?.add(tally);
    done += bytes;
    options.onProgress?.(done, total);
  }
  const finished = counts.map((count) => ({ split: count.split, ...count.finish() }));
  const splits = Object.fromEntries(finished.map(({ split, stats }) => [split, stats]));
  const shared = finished.flatMap((one, i) =>
    finished.slice(i + 1).map((other) => ({
      splits: [one.split, other.split] as const,
      keys: digestsInBoth(one.keys, other.keys),
      contents: digestsInBoth(one.contents, other.contents),
    })),
  );
  const { dataset } = manifests[0] as Manifest;
  return { problem, dataset, splits, unfinished, shared, ...near };
}

function splitsOf(
  dataDir: string,
  problem: string,
  asked: readonly Split[] | undefined,
): { finished: Manifest[]; unfinished: Split[] } {
  const wanted = new Set(asked ?? SPLITS);
  const manifests = [...wanted].flatMap((split) => readManifest(dataDir, problem, split) ?? []);
  const finished = manifests.filter(({ complete }) => complete);
  const unfinished = manifests.filter(({ complete }) => !complete).map(({ settings }) => settings.split);
  const missing = asked?.filter((split) => !finished.some(({ settings }) => settings.split === split)) ?? [];
  if (finished.length > 0 && missing.length === 0) return { finished, unfinished };
  throw new UserError(
    `there is no finished ${missing.length > 0 ? `${missing.join(' or ')} ` : ''}split of ${problem}`,
    { where: dataDir, remedy: `make it with \`t2t-ts datagen ${problem}\`` },
  );
}

interface SplitShard extends ShardToTally {
  readonly split: Split;
  readonly bytes: number;
}

function shardsToTally(dataDir: string, manifest: Manifest, limit: number): SplitShard[] {
  const { shards, features, settings } = manifest;
  let left = limit;
  return shards.flatMap(({ file, records: written, bytes }) => {
    const records = Math.min(written, left);
    left -= records;
    return records === 0
      ? []
      : [{ split: settings.split, path: join(dataDir, file), features, records, written, bytes }];
  });
}

/** Adds up the shards of one split, in their order. */
class SplitCount {
  readonly split: Split;
  private records = 0;
  private repeating = 0;
  private readonly manifest: Manifest;
  private readonly features: Features;
  private readonly tallies;
  private readonly recordBytes = noSpread();
  private readonly agreement = noValues();
  private readonly keys: BigUint64Array[] = [];
  private readonly contents: BigUint64Array[] = [];

  constructor(manifest: Manifest, where: string) {
    this.manifest = manifest;
    this.split = manifest.settings.split;
    this.features = featuresFromJson(manifest.features, where);
    this.tallies = Object.entries(this.features).map(([name, feature]) => [name, noTally(feature)] as const);
  }

  add(shard: ShardTally): void {
    this.records += shard.records;
    this.repeating += shard.repeating;
    mergeSpread(this.recordBytes, shard.recordBytes);
    mergeValues(this.agreement, shard.agreement);
    for (const [name, tally] of this.tallies) {
      const other = shard.features.get(name);
      if (other !== undefined) mergeTally(tally, other);
    }
    this.keys.push(shard.keys);
    this.contents.push(shard.contents);
  }

  finish(): { stats: SplitStats; keys: BigUint64Array; contents: BigUint64Array } {
    const { manifest, features } = this;
    const [keys, contents] = [sortedDigests(this.keys), sortedDigests(this.contents)];
    const { standardise = 'none' } = manifest.settings.options;
    const unitOf = (name: string): string | undefined => {
      if (!isWindow(name, features)) return undefined;
      if (!name.startsWith('eeg/') || !problemNames().includes(manifest.settings.problem))
        return 'the files’ own units';
      return standardise === 'none' ? 'µV' : 'deviations';
    };
    const stats: SplitStats = {
      records: this.records,
      written: manifest.written,
      bytes: manifest.bytes,
      recordBytes: reportSpread(this.recordBytes),
      labels: labelFeatures(features),
      features: Object.fromEntries(
        this.tallies.map(([name, tally]) => {
          const unit = unitOf(name);
          return [name, reportFeature(tally, { maxValues: MAX_SHOWN_VALUES, ...(unit && { unit }) })];
        }),
      ),
      ...(this.agreement.counts.size > 0 && { agreement: reportValues(this.agreement, MAX_SHOWN_VALUES) }),
      keys: repeatsOf(keys),
      ...(contents.length > 0 && {
        contents: { ...repeatsOf(contents), repeatingRecords: this.repeating },
      }),
    };
    return { stats, keys, contents };
  }
}
