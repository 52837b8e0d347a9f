/** Steps that take the values of all channels together: references, and the standardisation of a whole window. */

import { pickChannels } from './channel_names.js';
import { type ChannelSamples, type Signal, signalLength } from './signal.js';

/**
 * Every channel less the mean of some: of all ('average'), or of those named, which stay.
 * @throws SignalError where a named channel is missing.
 */
export function rereference(signal: Signal, to: 'average' | readonly string[]): Signal {
  const chosen =
    to === 'average' ? signal.data : pickChannels(signal.channels, to).map((i) => signal.data[i]!);
  const mean = new Float64Array(signalLength(signal));
  for (const channel of chosen) for (let i = 0; i < mean.length; i++) mean[i]! += channel[i] as number;
  for (let i = 0; i < mean.length; i++) mean[i]! /= chosen.length;
  return mapChannels(signal, (channel) => {
    for (let i = 0; i < channel.length; i++) channel[i]! -= mean[i] as number;
  });
}

/**
 * Mean 0 and standard deviation 1 (that of a population) of all channels together, which keeps their proportions. Where
 * nothing varies, all is 0. The unit is then no longer microvolts.
 */
export function standardiseWindow(signal: Signal): Signal {
  const { mean, deviation } = momentsOf(signal.data);
  const factor = deviation === 0 ? 0 : 1 / deviation;
  return mapChannels(signal, (channel) => {
    for (let i = 0; i < channel.length; i++) channel[i] = ((channel[i] as number) - mean) * factor;
  });
}

/** Of all samples together. */
function momentsOf(channels: readonly ChannelSamples[]): {
  readonly mean: number;
  readonly deviation: number;
} {
  let count = 0;
  let sum = 0;
  let largest = 0;
  for (const channel of channels) {
    count += channel.length;
    for (let i = 0; i < channel.length; i++) {
      const value = channel[i] as number;
      sum += value;
      largest = Math.max(largest, Math.abs(value));
    }
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const channel of channels)
    for (let i = 0; i < channel.length; i++) {
      const difference = (channel[i] as number) - mean;
      squares += difference * difference;
    }
  const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
  // What rounding leaves of a flat line must not be blown up to noise.
  return { mean, deviation: deviation <= largest * FLAT ? 0 : deviation };
}

/** Deviation of a flat line at most, as a share of its value: that of the mean of some 10⁵ numbers of 64 bits. */
export const FLAT = 1e-12;

/** The same signal with samples of 64 bits of its own, each channel changed. */
function mapChannels(signal: Signal, change: (channel: Float64Array) => void): Signal {
  return {
    ...signal,
    data: signal.data.map((channel) => {
      const copy = new Float64Array(channel);
      change(copy);
      return copy;
    }),
  };
}
