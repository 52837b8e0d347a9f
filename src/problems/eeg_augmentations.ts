/**
 * Augmentations of EEG windows. Which of them help at which strength depends on what is learned: Rommel et al., "Data
 * augmentation for learning predictive models on EEG: a systematic comparison", Journal of Neural Engineering 19, 2022.
 */

import type { Random } from '../io/random.js';
import type { Augmentation, DecodedExample, DecodedValue, Tensor } from './decoded.js';
import { isTensor } from './decoded.js';
import { gaussian } from './gaussian.js';
import { fractionOf } from './image_augmentations.js';

/** Which windows of an example an augmentation changes. Windows are float32, channels × samples. */
export interface WindowOptions {
  /** Their names; EEG_WINDOWS where this is left out. */
  readonly windows?: readonly string[];
  /** Whether chance decides anew for each `window`, as is usual, or once for all windows of the `example`. */
  readonly per?: 'window' | 'example';
}

/** What windows are called, alone and in triplets. */
export const EEG_WINDOWS: readonly string[] = ['eeg/raw', 'eeg/a', 'eeg/b', 'eeg/c'];

/** Adds to each channel Gaussian noise whose deviation is this fraction of the channel's own; independent in each window. */
export function gaussianNoise(
  options: Omit<WindowOptions, 'per'> & { readonly fraction: number },
): Augmentation {
  const fraction = fractionOf('fraction', options.fraction);
  return augmentWindows(options, (random) => {
    if (fraction === 0) return undefined;
    const next = gaussian(random);
    return (window) =>
      eachChannel(window, (channel) => {
        const deviation = fraction * deviationOf(channel);
        for (let i = 0; i < channel.length; i++) channel[i] = (channel[i] as number) + deviation * next();
      });
  });
}

/**
 * Shifts all channels by one number of samples, uniformly from −`fraction` to `fraction` of the window. What leaves at one
 * end comes in at the other (`circular`), or the outermost sample is repeated (`edge`).
 */
export function timeShift(
  options: WindowOptions & { readonly fraction: number; readonly fill?: 'circular' | 'edge' },
): Augmentation {
  const { fill = 'edge' } = options;
  const fraction = fractionOf('fraction', options.fraction);
  return augmentWindows(options, (random, { samples }) => {
    const most = Math.floor(fraction * samples);
    const later = random.below(2 * most + 1) - most;
    if (later === 0) return undefined;
    return (window) => eachChannel(window, (channel) => shiftChannel(channel, later, fill));
  });
}

/**
 * Sets channels to 0, each with this probability, as if electrodes had come off; one at least stays. Saeed et al.,
 * "Learning from heterogeneous EEG signals with differentiable channel reordering", ICASSP 2021.
 */
export function channelDropout(options: WindowOptions & { readonly probability: number }): Augmentation {
  const probability = fractionOf('probability', options.probability);
  return augmentWindows(options, (random, { channels }) => {
    const isDropped = Array.from({ length: channels }, () => random.next() < probability);
    const spared = random.below(channels);
    if (!isDropped.includes(false)) isDropped[spared] = false;
    if (!isDropped.includes(true)) return undefined;
    return (window) =>
      eachChannel(window, (channel, number) => {
        if (isDropped[number]) channel.fill(0);
      });
  });
}

/**
 * Sets a stretch of all channels to each channel's mean; its length is uniformly from nothing to `fraction` of the window,
 * its place uniform. Mohsenvand et al., "Contrastive representation learning for electroencephalogram classification",
 * ML4H 2020, who set it to 0, which the mean of filtered windows is.
 */
export function timeMasking(options: WindowOptions & { readonly fraction: number }): Augmentation {
  const fraction = fractionOf('fraction', options.fraction);
  return augmentWindows(options, (random, { samples }) => {
    const length = random.below(Math.floor(fraction * samples) + 1);
    const start = random.below(samples - length + 1);
    if (length === 0) return undefined;
    return (window) =>
      eachChannel(window, (channel) => {
        channel.fill(meanOf(channel), start, start + length);
      });
  });
}

/** Multiplies all channels by one factor, uniformly from 1 − `fraction` to 1 + `fraction`. */
export function amplitudeScaling(options: WindowOptions & { readonly fraction: number }): Augmentation {
  const fraction = fractionOf('fraction', options.fraction);
  return augmentWindows(options, (random) => {
    const factor = 1 + fraction * (2 * random.next() - 1);
    return factor === 1 ? undefined : (window) => scale(window.data, factor);
  });
}

/**
 * Turns the sign of all channels with this probability, as if reference and electrode were exchanged. Not where the
 * polarity of waves matters. Rommel et al., above.
 */
export function signFlip(options: WindowOptions & { readonly probability?: number } = {}): Augmentation {
  const probability = fractionOf('probability', options.probability ?? 0.5);
  return augmentWindows(options, (random) =>
    random.next() < probability ? (window) => scale(window.data, -1) : undefined,
  );
}

interface WindowSizes {
  readonly channels: number;
  readonly samples: number;
}

/** Changes a copy of a window in its place. */
type WindowChange = ((window: WindowSizes & { readonly data: Float32Array }) => void) | undefined;

/** `draw` is told the sizes of the first window, which all windows of an example share. */
function augmentWindows(
  { windows = EEG_WINDOWS, per = 'window' }: WindowOptions,
  draw: (random: Random, sizes: WindowSizes) => WindowChange,
): Augmentation {
  return (example, random): DecodedExample => {
    const result: Record<string, DecodedValue> = { ...example };
    let shared: { readonly change: WindowChange } | undefined;
    for (const name of windows) {
      const value = example[name];
      if (!isWindow(value)) continue;
      const [channels, samples] = value.shape as readonly [number, number];
      const { change } = shared ?? { change: draw(random, { channels, samples }) };
      if (per === 'example') shared = { change };
      if (change === undefined) continue;
      const data = value.data.slice();
      change({ data, channels, samples });
      result[name] = { data, shape: value.shape };
    }
    return result;
  };
}

function isWindow(value: DecodedValue): value is Tensor<Float32Array> {
  if (!isTensor(value)) return false;
  return value.data instanceof Float32Array && value.shape.length === 2 && value.data.length > 0;
}

function eachChannel(
  { data, channels, samples }: WindowSizes & { readonly data: Float32Array },
  change: (channel: Float32Array, number: number) => void,
): void {
  for (let number = 0; number < channels; number++)
    change(data.subarray(number * samples, (number + 1) * samples), number);
}

/** `later` negative: earlier. */
function shiftChannel(channel: Float32Array, later: number, fill: 'circular' | 'edge'): void {
  const { length } = channel;
  const steps = Math.abs(later);
  const first = channel[0] as number;
  const last = channel[length - 1] as number;
  const leaving = later > 0 ? channel.slice(length - steps) : channel.slice(0, steps);
  if (later > 0) {
    channel.copyWithin(steps, 0, length - steps);
    if (fill === 'circular') channel.set(leaving, 0);
    else channel.fill(first, 0, steps);
  } else {
    channel.copyWithin(0, steps);
    if (fill === 'circular') channel.set(leaving, length - steps);
    else channel.fill(last, length - steps);
  }
}

function scale(data: Float32Array, factor: number): void {
  for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) * factor;
}

function meanOf(channel: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < channel.length; i++) sum += channel[i] as number;
  return sum / channel.length;
}

function deviationOf(channel: Float32Array): number {
  const mean = meanOf(channel);
  let squares = 0;
  for (let i = 0; i < channel.length; i++) {
    const distance = (channel[i] as number) - mean;
    squares += distance * distance;
  }
  return Math.sqrt(squares / channel.length);
}
