/** Steps that look at each channel by itself: applied one after the other to channels that stand side by side. */

import { FLAT } from './amplitude.js';
import { type Band, butterworth } from './butterworth.js';
import { withLaneMemory } from './lane_memory.js';
import { addressOf, inLanes, type Lanes, lanesValue, mapLanes, readLanes } from './lanes.js';
import { notch } from './notch.js';
import type { StoredSignal } from './read_signal.js';
import { type RateRatio, rateRatio, resampledLength, resampleRoom, resampler } from './resample.js';
import { ringingSamples, type Section } from './sections.js';
import type { ChannelSamples, Signal } from './signal.js';
import { SignalError } from './signal_error.js';
import type { SignalStep } from './steps.js';
import type { SampleWindow } from './windows.js';
import { filterLanes } from './zero_phase.js';

type ClipStep = Extract<SignalStep, { step: 'clip' }>;
type ResampleStep = Extract<SignalStep, { step: 'resample' }>;
export type FilterStep = Extract<SignalStep, { step: 'bandPass' | 'notch' }>;
export type ChannelStep =
  | FilterStep
  | ResampleStep
  | ClipStep
  | Extract<SignalStep, { step: 'standardise'; over: 'channel' }>;

export function isChannelStep(step: SignalStep): step is ChannelStep {
  return step.step === 'standardise'
    ? step.over === 'channel'
    : step.step !== 'pick' && step.step !== 'rereference';
}

/** The signal after the steps. @throws as `applySteps`. */
export function applyChannelSteps(signal: Signal, steps: readonly ChannelStep[]): Signal {
  const { channels, samplingRate, data } = signal;
  const program = programOf(steps, { samplingRate, length: data[0]?.length ?? 0 });
  return {
    channels,
    samplingRate: program.samplingRate,
    data: mapLanes(data, program.room, (lanes, first) => program.run(lanes, channels.slice(first))),
  };
}

/** Windows to be cut from a signal after some steps. */
export interface CutPlan {
  readonly steps: readonly ChannelStep[];
  /** In samples of the signal after the steps. */
  readonly windows: readonly SampleWindow[];
  /** What is then done to each window by itself. */
  readonly windowSteps: readonly ChannelStep[];
}

/**
 * A function that gives the windows of a few channels: the numbers that the steps over the whole signal give, of which those
 * that no window needs are not computed where that can be avoided.
 * @param size of the signals before the steps: their sampling rate in Hz, and the samples of a channel
 * @returns a function of a signal of 1 to 8 channels, and of where each window's channels × samples go
 * @throws as `applySteps`, and RangeError where a window is not within the signal.
 */
export function windowCutter(
  { steps, windows, windowSteps }: CutPlan,
  size: SignalSize,
): (signal: StoredSignal, target: (window: number) => ChannelSamples) => void {
  // What bounds each sample by itself can as well be done to the windows alone.
  const levels = steps.length - 1 - steps.findLastIndex(({ step }) => step !== 'clip');
  const changing = steps.slice(0, steps.length - levels);
  const last = changing.at(-1);
  const whole = programOf(changing, size);
  const wanted = windows.reduce((sum, { samples }) => sum + samples, 0);
  const isPart = last?.step === 'resample' && wanted <= whole.length;
  const before = isPart ? programOf(changing.slice(0, -1), size) : whole;
  const ratio: RateRatio = isPart ? rateRatio(before.samplingRate, last.hertz) : { up: 1, down: 1 };
  const each = windows.map(({ fromSample, samples: length }) => {
    if (fromSample < 0 || fromSample + length > whole.length)
      throw new RangeError(`samples ${fromSample} to ${fromSample + length} of a signal of ${whole.length}`);
    return programOf([...steps.slice(changing.length), ...windowSteps], { ...whole, length });
  });
  return ({ data, channels }, target) =>
    inLanes(data, Math.max(before.room, resampleRoom(ratio)), (lanes) => {
      const filtered = before.run(lanes, channels);
      const cut = resampler(isPart ? finite(filtered, channels) : filtered, ratio);
      for (const [i, { fromSample, samples }] of windows.entries())
        withLaneMemory(() => {
          const { run, room } = each[i] as Program;
          readLanes(run(cut(fromSample, samples, room), channels), target(i));
        });
    });
}

/** A filter at a sampling rate, and how long it rings. */
export interface Filter {
  readonly sections: readonly Section[];
  readonly ringingSamples: number;
}

/** The filter of a step. @throws RangeError, SignalError as `butterworth` and `notch`. */
export function filterOf(step: FilterStep, samplingRate: number): Filter {
  const words = JSON.stringify([step, samplingRate]);
  const known = filters.get(words);
  if (known !== undefined) return known;
  const sections = sectionsOf(step, samplingRate);
  const filter = { sections, ringingSamples: ringingSamples(sections) };
  if (filters.size >= MOST_FILTERS) filters.clear();
  filters.set(words, filter);
  return filter;
}

/** Designs are asked for with each recording, and to find where one has ended ringing takes longer than to filter with it. */
const filters = new Map<string, Filter>();
const MOST_FILTERS = 100;

function sectionsOf(step: FilterStep, samplingRate: number): Section[] {
  if (step.step === 'notch') return notch(step.hertz, step.q, samplingRate);
  const band: Band = {
    ...(step.low === undefined ? {} : { lowHertz: step.low }),
    ...(step.high === undefined ? {} : { highHertz: step.high }),
  };
  return butterworth(step.order, band, samplingRate);
}

interface SignalSize {
  /** In Hz. */
  readonly samplingRate: number;
  /** In samples of a channel. */
  readonly length: number;
}

/** Steps made ready for signals of one size; the size is that after them. */
interface Program extends SignalSize {
  /** What the lanes must have. */
  readonly room: number;
  /** Changes the lanes, or gives others. `channels` are their names, for messages. */
  run(lanes: Lanes, channels: readonly string[]): Lanes;
}

function programOf([step, ...others]: readonly ChannelStep[], size: SignalSize): Program {
  if (step === undefined) return { ...size, room: 0, run: (lanes) => lanes };
  if (step.step === 'resample') {
    const ratio = rateRatio(size.samplingRate, step.hertz);
    const length = resampledLength(size.length, ratio);
    const rest = programOf(others, { samplingRate: step.hertz, length });
    return {
      ...rest,
      room: resampleRoom(ratio),
      run: (lanes, channels) =>
        rest.run(resampler(finite(lanes, channels), ratio)(0, length, rest.room), channels),
    };
  }
  const rest = programOf(others, size);
  const { change, room } = changeOf(step, size);
  return {
    ...rest,
    room: Math.max(room, rest.room),
    run(lanes, channels) {
      if (lanes.length > 0) change(lanes, channels);
      return rest.run(lanes, channels);
    },
  };
}

/** What a step does to lanes in place, and the room that they need for it. */
interface Change {
  readonly room: number;
  change(lanes: Lanes, channels: readonly string[]): void;
}

function changeOf(step: Exclude<ChannelStep, ResampleStep>, { samplingRate, length }: SignalSize): Change {
  if (step.step === 'clip') {
    const { microvolts } = step;
    if (!(microvolts > 0)) throw new RangeError(`clip at ${microvolts} µV: above 0 is needed`);
    return { room: 0, change: (lanes) => lanes.code.clip(lanes.start, endOf(lanes), microvolts) };
  }
  if (step.step === 'standardise')
    return {
      room: 0,
      change: (lanes) => lanes.code.standardise(lanes.start, endOf(lanes), lanes.length, FLAT),
    };
  const { sections, ringingSamples: ringing } = filterOf(step, samplingRate);
  const pad = Math.max(0, Math.min(ringing, length - 1));
  return { room: pad, change: (lanes, channels) => filterLanes(sections, finite(lanes, channels), pad) };
}

function endOf(lanes: Lanes): number {
  return addressOf(lanes, lanes.length);
}

/** @throws SignalError for the first sample that is no finite number. */
function finite(lanes: Lanes, channels: readonly string[]): Lanes {
  if (lanes.isFinite) return lanes;
  for (const [lane, channel] of channels.slice(0, lanes.width).entries())
    for (let at = 0; at < lanes.length; at++) {
      const value = lanesValue(lanes, at, lane);
      if (!Number.isFinite(value))
        throw new SignalError('not-finite', `channel ${channel} is ${value} at sample ${at}`);
    }
  return lanes;
}
