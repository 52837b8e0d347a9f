/** What examples of three windows share: the features of each window, and which of them is the odd one. */

import { float32, int64, text } from '../io/features.js';
import type { EegSettings } from './eeg_options.js';
import { windowFacts, windowSamples } from './eeg_preparation.js';
import { channelFeatures, eegValues, windowInput } from './eeg_recordings.js';
import type { Input, PlanRow, PreparedInput } from './problem.js';

/** A window of a triplet. Plain data. */
export interface TripletWindow {
  readonly file: string;
  readonly recording: string;
  readonly subject: string;
  /** Seconds from the start of the recording. */
  readonly onset: number;
  /** Its class; empty where there is none. */
  readonly label: string;
}

export interface EegTripletRow extends PlanRow {
  /** In the places a, b and c. */
  readonly windows: readonly [TripletWindow, TripletWindow, TripletWindow];
  /** The odd one's place. */
  readonly odd: 1 | 2 | 3;
}

/** `eeg/a`, `eeg/b`, `eeg/c`: channels × samples, of the same channels. `targets` is 1, 2 or 3, the odd one's place. */
export function eegTripletFeatures({ channels, samples }: EegSettings) {
  const count = channels?.length ?? null;
  return {
    key: text(),
    'eeg/a': float32([count, samples]),
    'eeg/a/subject': text(),
    'eeg/a/recording': text(),
    'eeg/a/onset': float32(),
    'eeg/a/label': text(),
    'eeg/b': float32([count, samples]),
    'eeg/b/subject': text(),
    'eeg/b/recording': text(),
    'eeg/b/onset': float32(),
    'eeg/b/label': text(),
    'eeg/c': float32([count, samples]),
    'eeg/c/subject': text(),
    'eeg/c/recording': text(),
    'eeg/c/onset': float32(),
    'eeg/c/label': text(),
    ...channelFeatures(count),
    targets: int64(),
  };
}

export function eegTripletInputs({ windows }: EegTripletRow, seconds: number): Input[] {
  return windows.map(({ file, onset }) => windowInput(file, onset, seconds));
}

export function eegTripletValues(row: EegTripletRow, inputs: readonly PreparedInput[]) {
  const [a, b, c] = inputs as readonly [PreparedInput, PreparedInput, PreparedInput];
  const [first, second, third] = row.windows;
  return {
    key: row.key,
    'eeg/a': windowSamples(a),
    'eeg/a/subject': first.subject,
    'eeg/a/recording': first.recording,
    'eeg/a/onset': windowFacts(a).onset,
    'eeg/a/label': first.label,
    'eeg/b': windowSamples(b),
    'eeg/b/subject': second.subject,
    'eeg/b/recording': second.recording,
    'eeg/b/onset': windowFacts(b).onset,
    'eeg/b/label': second.label,
    'eeg/c': windowSamples(c),
    'eeg/c/subject': third.subject,
    'eeg/c/recording': third.recording,
    'eeg/c/onset': windowFacts(c).onset,
    'eeg/c/label': third.label,
    ...eegValues(a),
    targets: row.odd,
  };
}
