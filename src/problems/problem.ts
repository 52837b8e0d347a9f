/** The base of every Problem: what is learned, which examples there are, and how to make one. */

import type { Dataset } from '../datasets/dataset.js';
import type { FractionBox } from '../faces/crop.js';
import type { FaceHint } from '../faces/face.js';
import { UserError } from '../io/errors.js';
import type { ExampleValues, Features } from '../io/features.js';
import type { Random } from '../io/random.js';
import type { Augmentation, DecodedExample, Mode } from './decoded.js';
import { didYouMean, nearest } from './nearest.js';
import type { Rejection, RejectionReason } from './rejection.js';

export type Split = 'train' | 'dev' | 'test';

export const SPLITS: readonly Split[] = ['train', 'dev', 'test'];

/** An example that may exist. Plain data: a row is written to the plan file as JSON and read by workers. */
export interface PlanRow {
  /** Unique in the split, and telling for a person, e.g. `train:17`. */
  readonly key: string;
}

/** A row of which the plan already knows that it can't become an example. */
export interface RejectedRow extends PlanRow {
  readonly rejected: RejectionReason;
  readonly detail?: string;
}

/** A stretch of a recording, in seconds from its first sample. */
export interface TimeWindow {
  readonly onset: number;
  readonly duration: number;
}

/** Something that must be obtained before an example can be made: a picture and the face's box in it, a stretch of a recording. */
export interface Input {
  /** An http(s) address, or a file of the dataset itself (`datasetFile`). */
  readonly url: string;
  readonly box?: FractionBox;
  readonly window?: TimeWindow;
}

const DATASET_SCHEME = 'dataset:';

/** The input that is a file of the dataset itself, read by `Dataset.openFiles`, e.g. `n000001/0001_01.jpg`. */
export function datasetFile(name: string): Input {
  return { url: `${DATASET_SCHEME}${name}` };
}

/** The name of a dataset's own file; undefined where the input is an address on the web. */
export function datasetFileName(url: string): string | undefined {
  return url.startsWith(DATASET_SCHEME) ? url.slice(DATASET_SCHEME.length) : undefined;
}

/** An obtained and prepared input, as `example()` gets it. */
export interface PreparedInput {
  readonly input: Input;
  /** What `preparation` made of it, e.g. the JPEG of a crop. */
  readonly bytes: Uint8Array;
  /** What `preparation` found out besides; of faces see `preparedFace`. */
  readonly facts?: Facts;
  /** Lower-case hex SHA-256 of the raw file that it was made from. */
  readonly contentSha256: string;
}

/** Findings that are kept beside prepared bytes: plain JSON. */
export type Facts = Readonly<Record<string, unknown>>;

/** What is wanted of a raw file, and what is known of it before it is looked at. */
export interface InputHint extends FaceHint {
  readonly window?: TimeWindow;
  /** Where a dataset's own file lies, for formats that are several files. */
  readonly path?: string;
}

/** What became of one input. */
export type PreparationOutcome =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly facts?: Facts }
  | { readonly ok: false; readonly reason: RejectionReason; readonly detail: string };

/**
 * How raw inputs become what examples hold. It is done once for each input, on a worker, and kept: `id` names the result
 * and must change whenever the bytes would.
 */
export interface Preparation {
  readonly id: string;
  /** Outcomes in the order of `wanted`; never throws for what the file holds. */
  prepare(raw: Uint8Array, wanted: readonly InputHint[]): Promise<readonly PreparationOutcome[]>;
}

/** What a plan may use besides its source. */
export interface PlanContext {
  /** Seed of the run: cuts and samples must follow it. */
  readonly seed: number;
  /** A sentence for the person, shown and kept in the manifest, e.g. how many images two splits shared. */
  note(text: string): void;
}

export type OptionValue = number | string | boolean;

export type OptionRange = readonly [least: number, most: number, kind?: 'fraction'];

/** What a Problem learns and how its examples are made. It knows nothing of files, sockets, workers or retries. */
export abstract class Problem<Row extends PlanRow = PlanRow, Source = unknown> {
  /** snake_case; the name on the command line and in file names. */
  abstract readonly name: string;
  /** One sentence for `t2t-ts list`. */
  abstract readonly description: string;
  abstract readonly dataset: Dataset<Source>;
  /** The single source of truth: encoder, parser, types and tables derive from it. */
  abstract readonly features: Features;
  /** Changes when the same source would give other examples. */
  readonly version: string = '1.0.0';
  readonly splits: readonly Split[] = SPLITS;
  /** Planned examples a shard, from which the number of shards follows where none is asked for. */
  readonly examplesPerShard: number = 4096;
  /** Settings that a person may change (`--option name=value`), with their defaults. */
  readonly options: Readonly<Record<string, OptionValue>> = {};

  /**
   * Smallest and largest value of number options. An option whose default is a whole number takes only such, unless its
   * range ends in `fraction`.
   */
  readonly optionRanges: Readonly<Record<string, OptionRange>> = {};

  /** What changes an example at random while a model is trained, in this order. None of them may make a label wrong. */
  readonly augmentations: readonly Augmentation[] = [];

  /** Which examples there are, in a fixed order: the same source and seed give the same rows. Opens no image. */
  abstract plan(
    split: Split,
    source: Source,
    context: PlanContext,
  ): AsyncIterable<Row | RejectedRow> | Iterable<Row | RejectedRow>;

  /** What must be obtained for a row. Where one of them can't be, the row is rejected by that input's reason. */
  abstract inputs(row: Row): readonly Input[];

  /** How inputs are prepared. */
  abstract readonly preparation: Preparation;

  /**
   * Makes one example from its row and its inputs (in the order of `inputs()`), or says why not with `reject()`. That
   * the values fit `features` is checked by the compiler where the class is registered, and by the encoder.
   */
  abstract example(row: Row, inputs: readonly PreparedInput[]): object | Promise<object>;

  /**
   * The last step before a model: `augmentations` in the mode `train`, the example as it is otherwise. It draws from
   * `random` alone and leaves the example that it was given as it was.
   */
  preprocessExample(example: DecodedExample, mode: Mode, random: Random): DecodedExample {
    if (mode !== 'train') return example;
    return this.augmentations.reduce((augmented, augment) => augment(augmented, random), example);
  }
}

/** What the compiler asks of a Problem's `example()`: the values that the same class's `features` describe. */
export interface FitsFeatures<P extends Problem> {
  example(
    row: never,
    inputs: readonly PreparedInput[],
  ): ExampleValues<P['features']> | Rejection | Promise<ExampleValues<P['features']> | Rejection>;
}

/**
 * A copy of a Problem with some options changed. Values are read as the type of the default.
 * @throws UserError for a name that the Problem has not, or a value of another type.
 */
export function withOptions<P extends Problem>(
  problem: P,
  changes: Readonly<Record<string, OptionValue>>,
): P {
  const options: Record<string, OptionValue> = { ...problem.options };
  for (const [name, value] of Object.entries(changes)) {
    const standard = problem.options[name];
    if (standard === undefined)
      throw new UserError(`${problem.name} has no option ${JSON.stringify(name)}`, {
        remedy: nearestOption(name, Object.keys(problem.options)),
        exitCode: 2,
      });
    options[name] = readOption(name, value, standard);
    checkRange(name, options[name], standard, problem.optionRanges[name]);
  }
  // An instance of its own: one that only inherits would lack the private members of the class.
  const changed = new (problem.constructor as new () => P)();
  Object.defineProperty(changed, 'options', { value: Object.freeze(options), enumerable: true });
  // Words that an option can't be are said here, not when the first file has been fetched.
  void changed.preparation;
  return changed;
}

function readOption(name: string, value: OptionValue, standard: OptionValue): OptionValue {
  if (typeof standard === 'number' && String(value).trim() !== '' && Number.isFinite(Number(value)))
    return Number(value);
  if (typeof standard === 'boolean' && /^(true|false)$/.test(String(value))) return String(value) === 'true';
  if (typeof standard === 'string') return String(value);
  throw new UserError(`option ${name} is ${JSON.stringify(value)}, but a ${typeof standard} is wanted`, {
    remedy: `write it like the default, ${name}=${standard}`,
    exitCode: 2,
  });
}

function checkRange(
  name: string,
  value: OptionValue,
  standard: OptionValue,
  range: OptionRange | undefined,
): void {
  if (typeof value !== 'number' || range === undefined) return;
  const [least, most, kind] = range;
  const isWhole = Number.isInteger(standard) && kind !== 'fraction';
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return;
  throw new UserError(`option ${name} is ${value}`, {
    remedy: `it is a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`,
    exitCode: 2,
  });
}

function nearestOption(name: string, names: readonly string[]): string {
  if (names.length === 0) return 'it has no options';
  return nearest(name, names).length > 0
    ? `${didYouMean(name, names)} It has ${names.join(', ')}`
    : `it has ${names.join(', ')}`;
}
