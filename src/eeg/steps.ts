/** What is done to a signal before it is learned from, as a declared list: the same in datagen, evaluation and the demo. */

import { clip, rereference, standardise } from './amplitude.js';
import { type Band, butterworth } from './butterworth.js';
import { canonicalChannel, pickChannels } from './channel_names.js';
import { notch } from './notch.js';
import { rateRatio, resample, resampleReach } from './resample.js';
import { ringingSamples, type Section } from './sections.js';
import type { ChannelSamples, Signal } from './signal.js';
import { SignalError } from './signal_error.js';
import { filterZeroPhase } from './zero_phase.js';

/** One step, as plain data. */
export type SignalStep =
  /** These channels in this order; names as `pickChannels` takes them. */
  | { readonly step: 'pick'; readonly channels: readonly string[] }
  /** Less the mean of all channels, or of some. */
  | { readonly step: 'rereference'; readonly to: 'average' | readonly string[] }
  /** To another sampling rate, in Hz. */
  | { readonly step: 'resample'; readonly hertz: number }
  /**
   * Butterworth, in Hz; without `low` a low-pass, without `high` a high-pass. Forwards and backwards: the gain at the ends
   * is 1/2, half a pass's 1/√2.
   */
  | { readonly step: 'bandPass'; readonly low?: number; readonly high?: number; readonly order: number }
  /** One frequency out, in Hz; forwards and backwards. Harmonics are steps of their own. */
  | { readonly step: 'notch'; readonly hertz: number; readonly q: number }
  /** Not beyond ± so many microvolts. */
  | { readonly step: 'clip'; readonly microvolts: number }
  /** Mean 0 and deviation 1. */
  | { readonly step: 'standardise'; readonly over: 'channel' | 'window' };

/** Raised when the numbers that a step gives change, so that what was kept of older ones is not taken for the same. */
const STEPS_VERSION = 1;

/** The same text for the same steps, for cache keys and manifests: two lists of equal text give equal signals. */
export function stepsId(steps: readonly SignalStep[]): string {
  return JSON.stringify([STEPS_VERSION, ...steps.map(stepWords)]);
}

function stepWords(step: SignalStep): readonly unknown[] {
  switch (step.step) {
    case 'pick':
      return [step.step, step.channels];
    case 'rereference':
      return [step.step, step.to];
    case 'resample':
      return [step.step, step.hertz];
    case 'bandPass':
      return [step.step, step.low ?? null, step.high ?? null, step.order];
    case 'notch':
      return [step.step, step.hertz, step.q];
    case 'clip':
      return [step.step, step.microvolts];
    case 'standardise':
      return [step.step, step.over];
  }
}

/**
 * The signal after all steps, one after the other; the given one is not changed.
 * @throws SignalError where it lacks a channel, can't carry a frequency, or has a sample that is no finite number before a
 * filter. @throws RangeError where a step is none.
 */
export function applySteps(signal: Signal, steps: readonly SignalStep[]): Signal {
  let result = signal;
  for (const step of steps) result = applyStep(result, step);
  return result;
}

function applyStep(signal: Signal, step: SignalStep): Signal {
  switch (step.step) {
    case 'pick':
      return pick(signal, step.channels);
    case 'rereference':
      if (step.to.length === 0) throw new RangeError('a reference needs at least one channel');
      return rereference(signal, step.to);
    case 'resample': {
      const ratio = rateRatio(signal.samplingRate, step.hertz);
      const data = resample(finite(signal), ratio);
      return { ...signal, samplingRate: step.hertz, data };
    }
    case 'bandPass':
    case 'notch': {
      const sections = sectionsOf(step, signal.samplingRate);
      return { ...signal, data: filterZeroPhase(sections, finite(signal)) };
    }
    case 'clip':
      if (!(step.microvolts > 0)) throw new RangeError(`clip at ${step.microvolts} µV: above 0 is needed`);
      return clip(signal, step.microvolts);
    case 'standardise':
      return standardise(signal, step.over);
  }
}

/** The channels under the canonical names of what was asked for. */
function pick(signal: Signal, wanted: readonly string[]): Signal {
  const data = pickChannels(signal.channels, wanted).map((i) => signal.data[i]!);
  return { ...signal, channels: wanted.map(canonicalChannel), data };
}

function sectionsOf(
  step: Extract<SignalStep, { step: 'bandPass' | 'notch' }>,
  samplingRate: number,
): Section[] {
  if (step.step === 'notch') return notch(step.hertz, step.q, samplingRate);
  const band: Band = {
    ...(step.low === undefined ? {} : { lowHertz: step.low }),
    ...(step.high === undefined ? {} : { highHertz: step.high }),
  };
  return butterworth(step.order, band, samplingRate);
}

function finite(signal: Signal): readonly ChannelSamples[] {
  for (const [i, channel] of signal.data.entries()) {
    // x − x is 0 for every finite number: a sum of them tells all at once.
    let sum = 0;
    for (let at = 0; at < channel.length; at++) sum += (channel[at] as number) - (channel[at] as number);
    if (sum === 0) continue;
    const at = channel.findIndex((value) => !Number.isFinite(value));
    throw new SignalError('not-finite', `channel ${signal.channels[i]} is ${channel[at]} at sample ${at}`);
  }
  return signal.data;
}

/**
 * The steps in two parts: those for the whole recording, before windows are cut, and those for each window. The second part
 * begins with the first standardisation, which looks at all samples it is given; filters before it want more signal than a
 * window has.
 */
export function splitSteps(steps: readonly SignalStep[]): {
  readonly recording: readonly SignalStep[];
  readonly window: readonly SignalStep[];
} {
  const at = steps.findIndex(({ step }) => step === 'standardise');
  const end = at < 0 ? steps.length : at;
  return { recording: steps.slice(0, end), window: steps.slice(end) };
}

/** The sampling rate after the steps, in Hz. */
export function samplingRateAfter(steps: readonly SignalStep[], samplingRate: number): number {
  return steps.reduce((rate, step) => (step.step === 'resample' ? step.hertz : rate), samplingRate);
}

/**
 * Seconds of signal on each side of a window that have an influence on it: who filters a window alone, as the demo must,
 * takes so much more and cuts it off afterwards.
 */
export function marginSeconds(steps: readonly SignalStep[], samplingRate: number): number {
  let rate = samplingRate;
  let seconds = 0;
  for (const step of steps) {
    if (step.step === 'resample') {
      seconds += resampleReach(rateRatio(rate, step.hertz)) / rate;
      rate = step.hertz;
    } else if (step.step === 'bandPass' || step.step === 'notch')
      seconds += ringingSamples(sectionsOf(step, rate)) / rate;
  }
  return seconds;
}

/**
 * The channels that must be read: those of the first step where it picks; undefined where all are needed.
 */
export function channelsToRead(steps: readonly SignalStep[]): readonly string[] | undefined {
  const [first] = steps;
  return first?.step === 'pick' ? first.channels : undefined;
}
