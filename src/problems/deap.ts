/** Emotion from EEG: how pleasant, exciting, overwhelming and likeable a music video is to the person who watches it. */

import type { Dataset } from '../datasets/dataset.js';
import { type DeapRecording, type DeapSource, deapDataset } from '../datasets/deap/deap.js';
import {
  DEAP_BASELINE_SECONDS,
  DEAP_BODY_CHANNELS,
  DEAP_EEG_CHANNELS,
  DEAP_RATINGS,
  DEAP_SAMPLES,
  DEAP_SAMPLING_RATE,
  type DeapFile,
  readDeapFile,
} from '../datasets/deap/layout.js';
import { canonicalChannel, pickChannels } from '../eeg/channel_names.js';
import { channelsToRead, type SignalStep, stepsId } from '../eeg/steps.js';
import { UserError } from '../io/errors.js';
import { float32, int64, optional, text } from '../io/features.js';
import type { Segment } from '../io/recording.js';
import {
  amplitudeScaling,
  channelDropout,
  gaussianNoise,
  timeMasking,
  timeShift,
} from './eeg_augmentations.js';
import { notNegative } from './eeg_options.js';
import {
  cutWindows,
  preparationId,
  type ReadableSignal,
  type WindowFacts,
  windowFacts,
  windowSamples,
} from './eeg_preparation.js';
import { EegProblem, eegFeatures, eegOptions, eegValues, windowInput } from './eeg_recordings.js';
import type {
  Facts,
  Input,
  InputHint,
  PlanContext,
  PlanRow,
  Preparation,
  PreparationOutcome,
  PreparedInput,
  Split,
} from './problem.js';
import { registerProblem } from './registry.js';

/** A window of one trial. */
export interface DeapRow extends PlanRow {
  readonly file: string;
  readonly subject: string;
  /** From 0. */
  readonly trial: number;
  /** Seconds after the video began. */
  readonly onset: number;
}

const TRIAL_SECONDS = DEAP_SAMPLES / DEAP_SAMPLING_RATE;

/**
 * Windows side by side of the minute of each video; the three seconds before it are never part of one. Every window of a
 * video has the ratings that the person gave it at its end. `onset` counts from the beginning of the video, `recording` names
 * person and video.
 */
export class Deap extends EegProblem<DeapRow, DeapSource> {
  readonly name: string = 'deap';
  readonly description: string =
    'Four seconds of EEG while a person watches a music video, from DEAP: valence, arousal, dominance and liking';
  readonly dataset: Dataset<DeapSource> = deapDataset;
  protected readonly corpus = { channels: DEAP_EEG_CHANNELS, samplingRate: DEAP_SAMPLING_RATE };
  override readonly options = {
    // The files are filtered from 4 to 45 Hz and referenced to the average already.
    ...eegOptions({}),
    /** A rating above it is high, 1 in `targets`. */
    threshold: 5,
    /** Whether the 8 channels of the body are kept too, in the files’ own units. */
    body: false as boolean,
  };

  /** A rating is of a whole minute, which a stretch of a window more or less does not change. */
  override readonly augmentations = [
    timeShift({ fraction: 0.05 }),
    amplitudeScaling({ fraction: 0.1 }),
    gaussianNoise({ fraction: 0.05 }),
    channelDropout({ probability: 0.1 }),
    timeMasking({ fraction: 0.1 }),
  ];

  get features() {
    const { settings } = this;
    return {
      key: text(),
      ...eegFeatures(settings),
      'body/raw': optional(float32([DEAP_BODY_CHANNELS.length, settings.samples])),
      'body/channels': optional(text([DEAP_BODY_CHANNELS.length])),
      subject: text(),
      recording: text(),
      /** The video's number in the files, from 1. */
      trial: int64(),
      onset: float32(),
      valence: float32(),
      arousal: float32(),
      dominance: float32(),
      liking: float32(),
      /** 0 or 1 for each of the four, in the order above. */
      targets: int64([DEAP_RATINGS.length]),
    };
  }

  override *plan(split: Split, source: DeapSource, context: PlanContext): Generator<DeapRow> {
    const seconds = this.options.window_seconds;
    const windows = Math.floor((TRIAL_SECONDS - DEAP_BASELINE_SECONDS) / seconds);
    for (const recording of this.recordingsOf(split, source, context) as readonly DeapRecording[])
      for (let trial = 0; trial < recording.trials; trial++)
        for (let i = 0; i < windows; i++) {
          const onset = i * seconds;
          const { subject, fileName: file } = recording;
          yield { key: `${recordingOf(subject, trial)}@${onset}`, file, subject, trial, onset };
        }
  }

  override inputs({ file, trial, onset }: DeapRow): readonly Input[] {
    return [windowInput(file, onsetInFile(trial) + onset, this.options.window_seconds)];
  }

  override get preparation(): Preparation {
    notNegative('threshold', this.options.threshold);
    const { steps } = this.settings;
    const { body } = this.options;
    return {
      id: preparationId('deap', [PREPARATION_VERSION, stepsId(steps), body]),
      prepare: (raw, wanted) => prepareTrials(raw, wanted, { steps, withBody: body }),
    };
  }

  example(row: DeapRow, inputs: readonly PreparedInput[]) {
    const [window] = inputs as readonly [PreparedInput];
    const { ratings, channels } = windowFacts(window) as DeapFacts;
    const [valence, arousal, dominance, liking] = ratings;
    const all = windowSamples(window);
    const eegLength = this.options.body
      ? (all.length / (channels.length + DEAP_BODY_CHANNELS.length)) * channels.length
      : all.length;
    return {
      key: row.key,
      ...eegValues(window),
      'eeg/raw': all.subarray(0, eegLength),
      ...(this.options.body && {
        'body/raw': all.subarray(eegLength),
        'body/channels': DEAP_BODY_CHANNELS,
      }),
      subject: row.subject,
      recording: recordingOf(row.subject, row.trial),
      trial: row.trial + 1,
      onset: row.onset,
      valence,
      arousal,
      dominance,
      liking,
      targets: ratings.map((rating) => (rating > this.options.threshold ? 1 : 0)),
    };
  }
}

registerProblem(Deap);

/** Raised when the same steps give other bytes. */
const PREPARATION_VERSION = 1;

interface DeapFacts extends WindowFacts {
  /** In the order of `DEAP_RATINGS`. */
  readonly ratings: readonly [number, number, number, number];
}

function recordingOf(subject: string, trial: number): string {
  return `${subject}/${String(trial + 1).padStart(2, '0')}`;
}

/** Trials follow each other in the file, each with its baseline: so they have times of their own, as parts with gaps. */
function onsetInFile(trial: number): number {
  return trial * TRIAL_SECONDS + DEAP_BASELINE_SECONDS;
}

async function prepareTrials(
  raw: Uint8Array,
  wanted: readonly InputHint[],
  { steps, withBody }: { readonly steps: readonly SignalStep[]; readonly withBody: boolean },
): Promise<PreparationOutcome[]> {
  let file: DeapFile;
  try {
    file = readDeapFile(raw, 'the file');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { what: detail } = error;
    return wanted.map(() => ({ ok: false, reason: 'unreadable-recording', detail }));
  }
  const names = channelsToRead(steps) ?? DEAP_EEG_CHANNELS;
  const eeg = pickOrRefuse(names);
  if (typeof eeg === 'string')
    return wanted.map(() => ({ ok: false, reason: 'missing-channels', detail: eeg }));
  const trials = Math.max(
    1,
    Math.ceil(Math.max(0, ...wanted.map(({ window }) => window?.onset ?? 0)) / TRIAL_SECONDS),
  );
  const windows = await cutWindows(
    trialSignal(file, { channels: eeg, names: names.map(canonicalChannel), trials }),
    channelsToRead(steps) === undefined ? steps : steps.slice(1),
    wanted,
  );
  const numbers = DEAP_BODY_CHANNELS.map((_, i) => DEAP_EEG_CHANNELS.length + i);
  const bodies = withBody
    ? await cutWindows(
        trialSignal(file, { channels: numbers, names: DEAP_BODY_CHANNELS, trials }),
        // Filters are for the brain's waves.
        steps.filter(({ step }) => step === 'resample'),
        wanted,
      )
    : [];
  return windows.map((window, i) => {
    const body = bodies[i];
    if (!window.ok) return window;
    const trial = Math.floor((wanted[i]?.window?.onset ?? 0) / TRIAL_SECONDS);
    const ratings = DEAP_RATINGS.map((rating) => file.rating(trial, rating));
    const bytes = body?.ok ? Buffer.concat([window.bytes, body.bytes]) : window.bytes;
    return { ok: true, bytes, facts: { ...(window.facts as Facts), ratings } };
  });
}

/** Numbers of the channels in the file, or what is missing. */
function pickOrRefuse(names: readonly string[]): number[] | string {
  try {
    return pickChannels(DEAP_EEG_CHANNELS, names);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.what;
  }
}

/** Some channels of the first trials, each trial a part of its own. */
function trialSignal(
  file: DeapFile,
  of: { readonly channels: readonly number[]; readonly names: readonly string[]; readonly trials: number },
): ReadableSignal {
  const { channels, names } = of;
  const segments = Array.from(
    { length: of.trials },
    (_, trial): Segment => ({
      onset: trial * TRIAL_SECONDS,
      duration: TRIAL_SECONDS,
      fromRecord: trial * DEAP_SAMPLES,
      records: DEAP_SAMPLES,
      recordSeconds: 1 / DEAP_SAMPLING_RATE,
    }),
  );
  return {
    samplingRate: DEAP_SAMPLING_RATE,
    segments,
    channels: channels.length,
    isOneByOne: true,
    async read({ fromRecord }, wanted = [...channels.keys()]) {
      const trial = Math.round(fromRecord / DEAP_SAMPLES);
      return {
        channels: wanted.map((i) => names[i] as string),
        samplingRate: DEAP_SAMPLING_RATE,
        data: wanted.map((i) => file.samples(trial, channels[i] as number)),
      };
    },
  };
}
