/** What is done to a signal before it is learned from, as a declared list: the same in datagen, evaluation and the demo. */

import { rereference, standardiseWindow } from './amplitude.js';
import { canonicalChannel, pickChannels } from './channel_names.js';
import { applyChannelSteps, type ChannelStep, filterOf, isChannelStep } from './channel_steps.js';
import { rateRatio, resampleReach } from './resample.js';
import type { Signal } from './signal.js';

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
  /** Mean 0 and deviation 1: of each channel by itself, or of all together. */
  | { readonly step: 'standardise'; readonly over: 'channel' }
  | { readonly step: 'standardise'; readonly over: 'window' };

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
  const end = steps.findIndex((step) => !isChannelStep(step));
  const own = steps.slice(0, end < 0 ? steps.length : end).filter(isChannelStep);
  const changed = own.length === 0 ? signal : applyChannelSteps(signal, own);
  const step = steps[own.length];
  if (step === undefined || isChannelStep(step)) return changed;
  return applySteps(applyStep(changed, step), steps.slice(own.length + 1));
}

/** A step that takes all channels together. */
function applyStep(signal: Signal, step: Exclude<SignalStep, ChannelStep>): Signal {
  if (step.step === 'pick') return pick(signal, step.channels);
  if (step.step === 'standardise') return standardiseWindow(signal);
  if (step.to.length === 0) throw new RangeError('a reference needs at least one channel');
  return rereference(signal, step.to);
}

/** The channels under the canonical names of what was asked for. */
function pick(signal: Signal, wanted: readonly string[]): Signal {
  const data = pickChannels(signal.channels, wanted).map((i) => signal.data[i]!);
  return { ...signal, channels: wanted.map(canonicalChannel), data };
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
      seconds += filterOf(step, rate).ringingSamples / rate;
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
