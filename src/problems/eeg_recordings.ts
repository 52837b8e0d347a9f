/** What every EEG Problem shares: windows of recordings as tensors with their channels, cut by subject into splits. */

import type { RecordingEntry } from '../datasets/recordings.js';
import { channelPositions } from '../eeg/montage.js';
import { float32, int64, text } from '../io/features.js';
import {
  EEG_OPTIONS,
  type EegCorpus,
  type EegOptions,
  type EegSettings,
  eegSettings,
} from './eeg_options.js';
import { type EegPreparationSpec, eegPreparation, windowFacts, windowSamples } from './eeg_preparation.js';
import {
  datasetFile,
  type Input,
  type PlanContext,
  type PlanRow,
  type Preparation,
  type PreparedInput,
  Problem,
  type RejectedRow,
  type Split,
} from './problem.js';
import { splitSubjects } from './subject_split.js';

/** What a corpus gives at the least. */
export interface EegSource {
  readonly recordings: readonly RecordingEntry[];
}

/** A Problem over stretches of recordings. */
export abstract class EegProblem<Row extends PlanRow, Source extends EegSource> extends Problem<Row, Source> {
  abstract override readonly options: EegOptions;

  override readonly optionRanges: Problem['optionRanges'] = { dev_fraction: [0, 1], test_fraction: [0, 1] };

  override readonly examplesPerShard: number = 1024;

  /** What all its recordings share. */
  protected abstract readonly corpus: EegCorpus;

  /** What the options come to. @throws UserError where they can't be. */
  get settings(): EegSettings {
    return eegSettings(this.options, this.corpus);
  }

  override get preparation(): Preparation {
    return eegPreparation({
      ...this.reading,
      steps: this.settings.steps,
      ...(this.corpus.samplingRate === undefined ? {} : { samplingRate: this.corpus.samplingRate }),
    });
  }

  /** How channels are read. */
  protected get reading(): Pick<EegPreparationSpec, 'find' | 'blankUnit'> {
    return { find: 'name' };
  }

  /** The recordings that the Problem is about. */
  recordings(source: Source): readonly Source['recordings'][number][] {
    return source.recordings;
  }

  /**
   * The recordings of a split's people. Who is on which side depends on the dataset's name, the seed and who there is, not
   * on the Problem: what was pre-trained without labels on a corpus has not seen the people that another Problem over the
   * same corpus is tested on.
   */
  recordingsOf(split: Split, source: Source, context: PlanContext): readonly Source['recordings'][number][] {
    const all = this.recordings(source);
    const sides = splitSubjects(
      all.map(({ subject }) => subject),
      {
        devFraction: this.options.dev_fraction,
        testFraction: this.options.test_fraction,
        seed: `${this.dataset.name} subjects ${context.seed}`,
      },
    );
    const people = [...sides.values()].filter((side) => side === split).length;
    context.note(`${split} has ${people} of ${sides.size} people, whom no other split shows`);
    return all.filter(({ subject }) => sides.get(subject) === split);
  }
}

/** A window and what happened in it. */
export interface WindowRow extends PlanRow {
  readonly file: string;
  readonly recording: string;
  readonly subject: string;
  /** Seconds from the start of the recording. */
  readonly onset: number;
  /** The class, from 0. */
  readonly target: number;
  /** The class's name. */
  readonly label: string;
}

/** A Problem whose examples are windows with a class. */
export abstract class EegWindows<Source extends EegSource = EegSource> extends EegProblem<WindowRow, Source> {
  get features() {
    return {
      key: text(),
      ...eegFeatures(this.settings),
      subject: text(),
      recording: text(),
      onset: float32(),
      label: text(),
      targets: int64(),
    };
  }

  override async *plan(
    split: Split,
    source: Source,
    context: PlanContext,
  ): AsyncGenerator<WindowRow | RejectedRow> {
    yield* this.windows(this.recordingsOf(split, source, context), { split, source, context });
  }

  /** The windows of some recordings, in a fixed order. */
  protected abstract windows(
    recordings: readonly Source['recordings'][number][],
    run: { readonly split: Split; readonly source: Source; readonly context: PlanContext },
  ): AsyncIterable<WindowRow | RejectedRow> | Iterable<WindowRow | RejectedRow>;

  override inputs({ file, onset }: WindowRow): readonly Input[] {
    return [windowInput(file, onset, this.options.window_seconds)];
  }

  example(row: WindowRow, inputs: readonly PreparedInput[]) {
    const [window] = inputs as readonly [PreparedInput];
    const { key, subject, recording, label, target } = row;
    const { onset } = windowFacts(window);
    return {
      key,
      ...eegValues(window),
      'eeg/raw': windowSamples(window),
      subject,
      recording,
      onset,
      label,
      targets: target,
    };
  }
}

/** A stretch of a dataset's own file, in seconds. */
export function windowInput(file: string, onset: number, duration: number): Input {
  return { ...datasetFile(file), window: { onset, duration } };
}

/**
 * `eeg/raw`: channels × samples, in microvolts unless standardised. `eeg/channels`: their names in the 10-10 system, pairs
 * as `Fpz-Cz`. `eeg/positions`: x (right ear), y (nose) and z (top) of each on the unit sphere, a pair's half way between
 * its electrodes; three zeros where the place is not known. `eeg/sampling_rate` in Hz.
 */
export function eegFeatures({ channels, samples }: EegSettings) {
  const count = channels?.length ?? null;
  return {
    'eeg/raw': float32([count, samples]),
    ...channelFeatures(count),
  };
}

/** The features of windows without the samples. */
export function channelFeatures(count: number | null) {
  return {
    'eeg/channels': text([count]),
    'eeg/positions': float32([count, 3]),
    'eeg/sampling_rate': float32(),
  };
}

/** The values of `channelFeatures`. */
export function eegValues(window: PreparedInput) {
  const { channels, samplingRate } = windowFacts(window);
  return {
    'eeg/channels': channels,
    // Not a number would make every sum that it comes near not a number.
    'eeg/positions': channelPositions(channels).map((value) => (Number.isNaN(value) ? 0 : value)),
    'eeg/sampling_rate': samplingRate,
  };
}

/** The options of a Problem that are not said otherwise. */
export function eegOptions<Changes extends Partial<EegOptions>>(changes: Changes): typeof EEG_OPTIONS {
  return { ...EEG_OPTIONS, ...changes };
}
