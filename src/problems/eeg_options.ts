/** The options that every EEG Problem shares, and the ordered list of signal steps that they describe. */

import { canonicalChannel } from '../eeg/channel_names.js';
import { marginSeconds, type SignalStep, samplingRateAfter } from '../eeg/steps.js';
import { samplesIn } from '../eeg/windows.js';
import { UserError } from '../io/errors.js';
import type { OptionValue } from './problem.js';

/** 0, `none` or an empty text leave a step out. */
export const EEG_OPTIONS = {
  /** Only these people: names, numbers or ranges (`1-20,35`); all where empty. What `--subjects` sets. */
  subjects: '' as string,
  /** Fractions of the people. */
  dev_fraction: 0.1,
  test_fraction: 0.2,
  window_seconds: 4,
  /** Names between commas, in the order wanted (`C3,Cz,C4`); those of the corpus where empty. */
  channels: '' as string,
  /** `average` of the channels chosen, or names between commas: they need not be among those chosen. */
  reference: 'none' as string,
  /** Hz that is taken out, as the mains’ 50 or 60; of quality 30. */
  notch: 0,
  /** Ends of a Butterworth band-pass in Hz, forwards and backwards; one alone is a high-pass or a low-pass. */
  band_low: 0,
  band_high: 0,
  /** Of one pass. */
  band_order: 4,
  /** The sampling rate afterwards, in Hz. */
  resample: 0,
  /** Microvolts beyond which values are cut. */
  clip: 0,
  /** Mean 0 and deviation 1 of each `channel` by itself or of the `window` as a whole. */
  standardise: 'none' as string,
};

export type EegOptions = Readonly<typeof EEG_OPTIONS>;

/** What all recordings of a corpus share. */
export interface EegCorpus {
  /** The channels that are taken where none are asked for; absent where recordings differ, then all are taken. */
  readonly channels?: readonly string[];
  /** In Hz; others are rejected. Absent where recordings differ. */
  readonly samplingRate?: number;
}

/** What options come to. */
export interface EegSettings {
  /** Begins with a `pick` of the channels to read, but where all are wanted. */
  readonly steps: readonly SignalStep[];
  /** By their canonical names; undefined where it depends on the recording. */
  readonly channels: readonly string[] | undefined;
  /** Of the windows, in Hz. */
  readonly samplingRate: number;
  /** Of each window and channel. */
  readonly samples: number;
}

/** Of MNE's examples, and common: the notch at 50 Hz is then 1.7 Hz wide. */
const NOTCH_QUALITY = 30;

/** @throws UserError where a value is none that the option can have, or the sampling rate can't carry a frequency. */
export function eegSettings(options: EegOptions, corpus: EegCorpus): EegSettings {
  const channels = chosenChannels(options, corpus);
  const steps = stepsOf(options, channels);
  const rate = corpus.samplingRate ?? positive(options, 'resample');
  const samplingRate = samplingRateAfter(steps, rate);
  try {
    // Filters are designed here, so that a frequency beyond the sampling rate is said before anything is fetched.
    if (corpus.samplingRate !== undefined) marginSeconds(steps, corpus.samplingRate);
    const samples = samplesIn(options.window_seconds, samplingRate);
    return { steps, channels: channels?.map(canonicalChannel), samplingRate, samples };
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof UserError)) throw error;
    const what = error instanceof UserError ? error.what : error.message;
    throw new UserError(what, { where: 'options of the signal', remedy: 'change that option', exitCode: 2 });
  }
}

/** The seconds of an option, or its number of anything: a number from 0, else a UserError. */
export function notNegative(name: string, value: OptionValue): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
  throw new UserError(`option ${name} is ${JSON.stringify(value)}`, {
    remedy: 'it is a number from 0',
    exitCode: 2,
  });
}

/** One of some words. @throws UserError for another. */
export function oneOfWords<Word extends string>(
  name: string,
  value: OptionValue,
  words: readonly Word[],
): Word {
  const chosen = words.find((word) => word === value);
  if (chosen !== undefined) return chosen;
  throw new UserError(`option ${name} is ${JSON.stringify(value)}`, {
    remedy: `it is ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    exitCode: 2,
  });
}

/** The names between commas. */
export function listedNames(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function chosenChannels(options: EegOptions, corpus: EegCorpus): readonly string[] | undefined {
  const named = listedNames(options.channels);
  return named.length > 0 ? named : corpus.channels;
}

function stepsOf(options: EegOptions, channels: readonly string[] | undefined): SignalStep[] {
  const low = notNegative('band_low', options.band_low);
  const high = notNegative('band_high', options.band_high);
  const notch = notNegative('notch', options.notch);
  const hertz = notNegative('resample', options.resample);
  const microvolts = notNegative('clip', options.clip);
  const over = oneOfWords('standardise', options.standardise, ['none', 'channel', 'window'] as const);
  if (!(Number.isInteger(options.band_order) && options.band_order >= 1 && options.band_order <= MOST_ORDER))
    throw new UserError(`option band_order is ${options.band_order}`, {
      remedy: `it is a whole number from 1 to ${MOST_ORDER}`,
      exitCode: 2,
    });
  return [
    ...referenceSteps(options.reference, channels),
    ...(notch > 0 ? [{ step: 'notch', hertz: notch, q: NOTCH_QUALITY } as const] : []),
    ...(low > 0 || high > 0
      ? [
          {
            step: 'bandPass',
            ...(low > 0 ? { low } : {}),
            ...(high > 0 ? { high } : {}),
            order: options.band_order,
          } as const,
        ]
      : []),
    ...(hertz > 0 ? [{ step: 'resample', hertz } as const] : []),
    ...(microvolts > 0 ? [{ step: 'clip', microvolts } as const] : []),
    ...(over === 'none' ? [] : [{ step: 'standardise', over } as const]),
  ];
}

/** As far as `src/eeg` was compared with SciPy's designs. */
const MOST_ORDER = 10;

/** Reads the reference's channels too and lets them go afterwards. */
function referenceSteps(reference: string, channels: readonly string[] | undefined): SignalStep[] {
  const pick = (names: readonly string[]): SignalStep => ({ step: 'pick', channels: names });
  const picked = channels === undefined ? [] : [pick(channels)];
  if (reference === 'none' || reference === '') return picked;
  if (reference === 'average') return [...picked, { step: 'rereference', to: 'average' }];
  const to = listedNames(reference);
  if (channels === undefined) return [{ step: 'rereference', to }];
  const known = new Set(channels.map(canonicalChannel));
  const others = to.filter((name) => !known.has(canonicalChannel(name)));
  return others.length === 0
    ? [...picked, { step: 'rereference', to }]
    : [pick([...channels, ...others]), { step: 'rereference', to }, pick(channels)];
}

function positive(options: EegOptions, name: 'resample'): number {
  const value = notNegative(name, options[name]);
  if (value > 0) return value;
  throw new UserError(`option ${name} is 0, but the recordings may have any sampling rate`, {
    remedy: `give ${name} the rate that all windows should have, in Hz`,
    exitCode: 2,
  });
}
