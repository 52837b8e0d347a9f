/** `openExamples`: a finished split as training sees it, at random access and as a pipeline. */

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { manifestPath } from '../datagen/data_files.js';
import type { Manifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { createExampleParser, type ExampleParser } from '../io/example_parser.js';
import type { Features, ParsedExample } from '../io/features.js';
import type { DecodedExample, Mode } from '../problems/decoded.js';
import { didYouMean } from '../problems/nearest.js';
import { Problem, type Split } from '../problems/problem.js';
import { type Batch, collate, separate } from './collate.js';
import { openSplit, type SplitFiles } from './open_split.js';
import { Pipeline, type Stage } from './pipeline.js';
import { setupOfReadThread } from './read_messages.js';
import { listedOption, wholeOption } from './read_options.js';
import { ReadPool } from './read_pool.js';
import { SHUFFLES, type Share, type Shuffle } from './record_order.js';
import { sourceStage } from './source.js';
import { type ReadSettings, SplitReader } from './split_reader.js';

export interface OpenExamplesOptions {
  readonly dataDir: string;
  /** `train` in the mode train, `dev` in eval, `test` in predict where not said. */
  readonly split?: Split;
  /** Of the order and the augmentations: a whole number. 0 where not said. */
  readonly seed?: number;
  /** `global` in the mode train, `plan` (the order of the files) in the others where not said. */
  readonly shuffle?: Shuffle;
  /**
   * This reader's number, from 0, among `world` readers that share each epoch: it gets the positions p ≡ rank (mod world),
   * so the readers' numbers of examples differ by one at most. Each is resumed from its own state with the same world;
   * another world can go on only from where an epoch begins for all of them.
   */
  readonly rank?: number;
  readonly world?: number;
  /** Threads that decode and augment, at most 256; 0 does it in this one. As many as there are processors, at most 8, where not said. */
  readonly workers?: number;
  /** Whether the checksums of the data are checked. True where not said. */
  readonly verify?: boolean;
  /** Names of the features that are decoded. All where not said; fewer are faster. */
  readonly features?: readonly string[];
  /** URLs of modules that register Problems of yours and do nothing else: worker threads import them too. */
  readonly imports?: readonly string[];
}

/** A record as it is stored. */
export interface RawRecord {
  /** Its number in the split, from 0, in the order of the files. */
  readonly record: number;
  /** A tf.train.Example. */
  readonly data: Uint8Array;
}

/**
 * Opens a split for training, evaluation or prediction. Close it when nothing reads from it any more.
 * @throws UserError where an option is wrong, the split is not finished, a shard or its index is missing, changed or of
 * another Problem, or its files are compressed and not read in the order of the plan.
 */
export async function openExamples<P extends Problem>(
  problem: P,
  mode: Mode,
  options: OpenExamplesOptions,
): Promise<Examples<P['features']>> {
  const parent = setupOfReadThread();
  if (parent !== undefined)
    throw new UserError('a module of `imports` opens a reader, in a thread that a reader started', {
      where: parent.imports.join(', '),
      remedy: 'name a module of its own there, which only registers Problems',
    });
  listedOption('mode', mode, MODES);
  const { split = SPLIT_OF[mode], verify = true, imports = [] } = options;
  const seed = wholeOption('seed', options.seed ?? 0, ANY_WHOLE);
  const shuffle = listedOption('shuffle', options.shuffle ?? STANDARD_SHUFFLE[mode], SHUFFLES);
  const share = shareOf(options);
  const standardWorkers = Math.min(availableParallelism(), MAX_STANDARD_WORKERS);
  const workers = wholeOption('workers', options.workers ?? standardWorkers, { least: 0, most: MAX_WORKERS });
  const names = options.features ?? Object.keys(problem.features);
  for (const name of names)
    if (!Object.hasOwn(problem.features, name))
      throw new UserError(`${problem.name} has no feature ${JSON.stringify(name)}`, {
        remedy: didYouMean(name, Object.keys(problem.features)),
      });
  const { manifest, ...files } = await openSplit(problem, split, options.dataDir);
  if (share.world > Math.max(1, files.records))
    throw new UserError(`${share.world} readers share ${files.records} records: some would get nothing`, {
      where: manifestPath(options.dataDir, problem.name, split),
      remedy: `give a world of at most ${files.records}`,
    });
  const gzip = files.shards.find(({ isGzip }) => isGzip);
  if (gzip !== undefined && shuffle === 'global')
    throw new UserError('a compressed shard is read in order only', {
      where: gzip.path,
      remedy: "ask for shuffle: 'plan', or unpack the shards and import them again",
    });
  const settings: ReadSettings = { mode, seed, features: names, verify };
  const pool =
    workers === 0
      ? undefined
      : new ReadPool(workers, {
          problem: problem.name,
          options: problem.options,
          imports,
          ...(isPlain(problem) ? { manifest: { ...manifest, shards: [] } } : {}),
          split: files,
          settings,
        });
  const core: Core = {
    files,
    reader: new SplitReader(files, problem, settings),
    pool,
    order: { identity: identityOf(manifest), records: files.records, shuffle, seed, mode, share },
  };
  return new Examples(core, problem.features);
}

const SPLIT_OF: Readonly<Record<Mode, Split>> = { train: 'train', eval: 'dev', predict: 'test' };

const MODES = Object.keys(SPLIT_OF) as readonly Mode[];

const STANDARD_SHUFFLE: Readonly<Record<Mode, Shuffle>> = { train: 'global', eval: 'plan', predict: 'plan' };

const ANY_WHOLE = { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER };

/** More threads than any machine has processors for were not meant. */
const MAX_WORKERS = 256;

/** More threads than this wait for the disk or for whoever trains. */
const MAX_STANDARD_WORKERS = 8;

interface Core {
  readonly files: SplitFiles;
  readonly reader: SplitReader;
  readonly pool: ReadPool | undefined;
  readonly order: {
    readonly identity: string;
    readonly records: number;
    readonly shuffle: Shuffle;
    readonly seed: number;
    readonly mode: Mode;
    readonly share: Share;
  };
}

/** The examples of a split, decoded and (in the mode train) augmented, in the order of their epoch. */
export class Examples<F extends Features> extends Pipeline<DecodedExample, Batch> {
  /** Records in the split, of which this reader gets its share. */
  readonly length: number;
  private readonly core: Core;
  private readonly features: F;
  private readonly parser: ExampleParser<F>;

  /** Made by `openExamples`. */
  constructor(core: Core, features: F) {
    super(decodedStage(core), collate);
    this.length = core.files.records;
    this.core = core;
    this.features = features;
    this.parser = createExampleParser(features);
  }

  /** Record `i`'s bytes, a tf.train.Example; i counts from 0 in the order of the files. */
  async record(i: number): Promise<Uint8Array> {
    this.checkRandom(i);
    return (await this.core.reader.raw([i]))[0]!;
  }

  /** Record `i` parsed: pictures as the bytes of their files. */
  async example(i: number): Promise<ParsedExample<F>> {
    return this.parser.parse(await this.record(i));
  }

  /** Record `i` decoded and prepared as in the first epoch. */
  async decoded(i: number): Promise<DecodedExample> {
    this.checkRandom(i);
    return separate(await this.core.reader.decoded([i], 0), 1)[0]!;
  }

  /** The records as they are stored, in the same order: a state of the one serves the other. */
  raw(): Pipeline<RawRecord> {
    return this.undecoded((record, data) => ({ record, data }));
  }

  /** The records parsed, and not decoded. */
  parsed(): Pipeline<ParsedExample<F>> {
    return this.undecoded((_record, data) => this.parser.parse(data));
  }

  /** The feature `key` alone, which names an example. @throws UserError where the Problem has none. */
  keys(): Pipeline<string> {
    const { key } = this.features;
    if (key?.kind !== 'text' || key.shape.length > 0)
      throw new UserError('the Problem has no text feature `key`', { remedy: 'use raw()' });
    const { parse } = createExampleParser({ key });
    return this.undecoded((_record, data) => parse(data).key as string);
  }

  /** Ends the worker threads and gives the files back. What is still being read fails, and what is asked for later. */
  async close(): Promise<void> {
    this.core.reader.close();
    await this.core.pool?.close();
  }

  private checkRandom(i: number): void {
    if (!(Number.isSafeInteger(i) && i >= 0 && i < this.length))
      throw new RangeError(`record ${i} of ${this.length}`);
    const gzip = this.core.files.shards.find(({ isGzip }) => isGzip);
    if (gzip === undefined) return;
    throw new UserError('a compressed shard is read in order only, not at random', {
      where: gzip.path,
      remedy: 'iterate over the examples, or unpack the shards and import them again',
    });
  }

  /** Read in this thread, whatever `workers` says: handing a record over takes longer than reading it (measured). */
  private undecoded<T>(itemOf: (record: number, data: Uint8Array) => T): Pipeline<T> {
    const { reader, order } = this.core;
    const read = async (records: readonly number[]): Promise<T[]> => {
      const data = await reader.raw(records);
      return data.map((bytes, i) => itemOf(records[i]!, bytes));
    };
    return new Pipeline(sourceStage({ ...order, jobs: 1, read }), (items) => items);
  }
}

/** Two jobs a thread: one that it does, and one that waits there so that it never idles. */
const JOBS_PER_WORKER = 2;

function decodedStage({ pool, reader, order }: Core): Stage<DecodedExample> {
  const read = async (records: readonly number[], epoch: number): Promise<DecodedExample[]> => {
    const task = { records, epoch };
    return separate(await (pool?.run(task) ?? reader.decoded(records, epoch)), records.length);
  };
  return sourceStage({ ...order, jobs: pool === undefined ? 1 : pool.size * JOBS_PER_WORKER, read });
}

/** Whether a Problem changes no example: threads that don't know it can then read by the manifest alone. */
function isPlain({ augmentations, preprocessExample }: Problem): boolean {
  return augmentations.length === 0 && preprocessExample === Problem.prototype.preprocessExample;
}

/** The same for the same records in the same files. */
function identityOf({ settings, shards }: Manifest): string {
  const contents = shards.map(({ sha256, records }) => `${sha256} ${records}`).join('\n');
  const digest = createHash('sha256').update(contents).digest('hex');
  return `${settings.problem}/${settings.split}/${digest}`;
}

function shareOf({ rank = 0, world = 1 }: OpenExamplesOptions): Share {
  const isShare = Number.isSafeInteger(rank) && Number.isSafeInteger(world) && rank >= 0 && rank < world;
  if (isShare) return { rank, world };
  throw new UserError(`rank ${rank} of ${world} readers`, {
    remedy: 'rank counts from 0 to world − 1',
  });
}
