/** Cuts recordings into windows: around events, in epochs of fixed length, one beside the other; never across a gap. */

import type { Segment } from '../io/recording.js';
import { type Signal, sliceSignal } from './signal.js';

/** A stretch without gaps, at the sampling rate of the signal it became. */
export interface Stretch {
  /** Seconds from the start of the recording to the stretch's first sample. */
  readonly onset: number;
  readonly samples: number;
}

/** Consecutive samples of one stretch. */
export interface SampleWindow {
  /** Which stretch, from 0. */
  readonly stretch: number;
  /** The first sample, from the start of the stretch. */
  readonly fromSample: number;
  readonly samples: number;
  /** Seconds from the start of the recording to the window's first sample. */
  readonly onset: number;
}

/** A time span; seconds from the start of the recording. Any `Annotation` with a duration is one. */
export interface Interval {
  readonly onset: number;
  readonly duration: number;
}

/** A window and what it was cut for. */
export interface CutWindow {
  /** Index of the event or interval. */
  readonly source: number;
  /** Undefined where its samples are not all in one stretch: before the start, past the end or across a gap. */
  readonly window: SampleWindow | undefined;
}

/** The stretches of a recording at a sampling rate, which may be that after resampling. */
export function stretchesOf(segments: readonly Segment[], samplingRate: number): Stretch[] {
  return segments.map(({ onset, records, recordSeconds }) => ({
    onset,
    // What is left of a sample by rounding in records · seconds is none.
    samples: Math.ceil(records * recordSeconds * samplingRate - SAMPLE_TOLERANCE),
  }));
}

/** Shares of a sample, and seconds, below which times are the same: those of MNE's `events_from_annotations`. */
const SAMPLE_TOLERANCE = 1e-6;
const SECONDS_TOLERANCE = 1e-8;

/**
 * The sample nearest to a time, of two equally near ones the even one: MNE's (NumPy's) rounding, which
 * `events_from_annotations` and `Epochs` use. Rounding halves up instead moves every second such event by a sample.
 */
export function sampleAt(seconds: number, samplingRate: number): number {
  return roundHalfEven(seconds * samplingRate);
}

/** The samples that a duration has: as many for each window, wherever it begins. */
export function samplesIn(seconds: number, samplingRate: number): number {
  const samples = roundHalfEven(seconds * samplingRate);
  if (!(samples >= 1)) throw new RangeError(`${seconds} s at ${samplingRate} Hz has no samples`);
  return samples;
}

/**
 * A window at each event: `seconds` long, from `from` seconds after it (negative: before it). The event goes to its nearest
 * sample first, then the window is laid around it, so that the event is at the same sample of each. MNE's
 * `Epochs(tmin=from, tmax=from + seconds − 1 ⁄ rate)` has the same samples.
 * @throws RangeError where the window has no samples.
 */
export function eventWindows(
  stretches: readonly Stretch[],
  samplingRate: number,
  events: readonly { readonly onset: number }[],
  cut: { readonly from?: number; readonly seconds: number },
): CutWindow[] {
  const samples = samplesIn(cut.seconds, samplingRate);
  const offset = (cut.from ?? 0) * samplingRate;
  return events.map(({ onset }, source) => ({
    source,
    window: windowAt(stretches, samplingRate, samples, (stretch) =>
      roundHalfEven(sampleAt(onset - stretch.onset, samplingRate) + offset),
    ),
  }));
}

/**
 * The whole epochs of `seconds` in each interval, one after the other from its onset: 30-second epochs of a hypnogram's
 * stages. What is left of an interval is too short. As MNE's `events_from_annotations(chunk_duration=seconds)`.
 * @throws RangeError where an epoch has no samples.
 */
export function epochWindows(
  stretches: readonly Stretch[],
  samplingRate: number,
  intervals: readonly Interval[],
  { seconds }: { readonly seconds: number },
): CutWindow[] {
  const samples = samplesIn(seconds, samplingRate);
  return intervals.flatMap(({ onset, duration }, source) =>
    Array.from({ length: Math.max(0, Math.floor((duration + SECONDS_TOLERANCE) / seconds)) }, (_, epoch) => ({
      source,
      window: windowAt(stretches, samplingRate, samples, (stretch) =>
        sampleAt(onset + epoch * seconds - stretch.onset, samplingRate),
      ),
    })),
  );
}

/**
 * Windows of `seconds` that begin every `stepSeconds` from the start of each stretch; a step shorter than the window makes
 * them overlap.
 * @throws RangeError where a window or a step has no samples.
 */
export function slidingWindows(
  stretches: readonly Stretch[],
  samplingRate: number,
  cut: { readonly seconds: number; readonly stepSeconds?: number },
): SampleWindow[] {
  const samples = samplesIn(cut.seconds, samplingRate);
  const stepSeconds = cut.stepSeconds ?? cut.seconds;
  samplesIn(stepSeconds, samplingRate);
  const windows: SampleWindow[] = [];
  for (const [stretch, { onset, samples: length }] of stretches.entries())
    for (let step = 0; ; step++) {
      const fromSample = sampleAt(step * stepSeconds, samplingRate);
      if (fromSample + samples > length) break;
      windows.push({ stretch, fromSample, samples, onset: onset + fromSample / samplingRate });
    }
  return windows;
}

/** The share of a window, 0 … 1, that any of the intervals covers; where they overlap each other, it counts once. */
export function overlapShare(
  window: SampleWindow,
  samplingRate: number,
  intervals: readonly Interval[],
): number {
  const seconds = window.samples / samplingRate;
  const end = window.onset + seconds;
  let covered = 0;
  let until = window.onset;
  for (const { onset, duration } of intervals.toSorted((a, b) => a.onset - b.onset)) {
    const from = Math.max(onset, until);
    const to = Math.min(onset + duration, end);
    if (to <= from) continue;
    covered += to - from;
    until = to;
  }
  return Math.min(1, covered / seconds);
}

/** A window of a stretch's signal; views of the same memory. @throws RangeError where the signal is too short. */
export function cutWindow(signal: Signal, window: SampleWindow): Signal {
  return sliceSignal(signal, window.fromSample, window.samples);
}

function windowAt(
  stretches: readonly Stretch[],
  samplingRate: number,
  samples: number,
  firstSample: (stretch: Stretch) => number,
): SampleWindow | undefined {
  for (const [index, stretch] of stretches.entries()) {
    const fromSample = firstSample(stretch);
    if (fromSample < 0 || fromSample + samples > stretch.samples) continue;
    return { stretch: index, fromSample, samples, onset: stretch.onset + fromSample / samplingRate };
  }
  return undefined;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  // No −0, which is not equal to 0 for everybody.
  return below + (isUp ? 1 : 0) + 0;
}
