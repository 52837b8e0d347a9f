/** What a signal is to the rest of the code: named channels of one sampling rate, in microvolts, without a gap. */

/** Samples of one channel, in microvolts unless a step has changed that. */
export type ChannelSamples = Float32Array | Float64Array;

/** A stretch of a recording without gaps. */
export interface Signal {
  /** By their canonical names (see `channel_names.ts`), in the order of `data`. */
  readonly channels: readonly string[];
  /** In Hz. */
  readonly samplingRate: number;
  /** As long as `channels`; all of the same number of samples. */
  readonly data: readonly ChannelSamples[];
}

/** Samples of each channel; 0 where there are no channels. */
export function signalLength(signal: Signal): number {
  return signal.data[0]?.length ?? 0;
}

/**
 * A part of a signal; its samples are views of the same memory.
 * @throws RangeError where there are no such samples.
 */
export function sliceSignal(signal: Signal, fromSample: number, samples: number): Signal {
  const length = signalLength(signal);
  const isPart = Number.isInteger(fromSample) && Number.isInteger(samples) && fromSample >= 0 && samples >= 0;
  if (!(isPart && fromSample + samples <= length))
    throw new RangeError(`samples ${fromSample} to ${fromSample + samples} of a signal of ${length}`);
  return {
    ...signal,
    data: signal.data.map((channel) => channel.subarray(fromSample, fromSample + samples)),
  };
}

/** Channels × samples, channel after channel: the value of the feature `eeg/raw`. */
export function signalTensor(signal: Signal): Float32Array {
  const samples = signalLength(signal);
  const tensor = new Float32Array(signal.channels.length * samples);
  for (const [i, channel] of signal.data.entries()) tensor.set(channel, i * samples);
  return tensor;
}
