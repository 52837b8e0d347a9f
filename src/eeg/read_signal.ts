/** Reads a signal from a recording of any format: channels by name, microvolts, one stretch without gaps. */

import type { EdfRecording } from '../io/edf.js';
import { type Recording, type Segment, voltsPerUnit } from '../io/recording.js';
import { canonicalChannel, pickChannels } from './channel_names.js';
import type { LaneSources } from './lanes.js';
import type { Signal } from './signal.js';
import { SignalError } from './signal_error.js';

export interface ReadSignalOptions {
  /** By name, in the order wanted (see `pickChannels`); all that are voltages where not said. */
  readonly channels?: readonly string[];
  /** What a channel without a unit is in, e.g. `uV`; refused where not said. */
  readonly blankUnit?: string;
}

/**
 * A segment of the recording, or the only one. Nothing but the channels wanted is read.
 * @throws SignalError where a channel is missing or is no voltage, the sampling rates differ, or there are no samples.
 * @throws RangeError where no segment is said and the recording has several.
 */
export async function readSignal(
  recording: Recording,
  options: ReadSignalOptions = {},
  segment?: Segment,
): Promise<Signal> {
  const channels = findChannels(recording, options);
  const range = segment ?? (await onlySegment(recording));
  return { ...channels, data: await readChannels(recording, channels, range) };
}

/** Channels where their samples stand: some in the data records of a file that is in memory. */
export interface StoredSignal extends Omit<Signal, 'data'> {
  readonly data: LaneSources;
}

/** As `readSignal`, for what goes into lanes: samples that are in memory already are not copied. */
export async function readForLanes(
  recording: Recording,
  options: ReadSignalOptions,
  segment: Segment,
): Promise<StoredSignal> {
  const channels = findChannels(recording, options);
  const stored = isEdf(recording) ? await recording.readStored(channels.indices, segment) : undefined;
  const data =
    stored?.map((samples, i) => ({ ...samples, factor: channels.factors[i] as number })) ??
    (await readChannels(recording, channels, segment));
  return { ...channels, data };
}

function isEdf(recording: Recording): recording is EdfRecording {
  return 'readStored' in recording;
}

/** Where the channels of a signal are in a recording. */
interface FoundChannels {
  /** By their canonical names. */
  readonly channels: readonly string[];
  readonly samplingRate: number;
  readonly indices: readonly number[];
  /** Microvolts that 1 of each one's unit is. */
  readonly factors: readonly number[];
}

function findChannels(recording: Recording, options: ReadSignalOptions): FoundChannels {
  const where = { where: recording.name };
  const { signals } = recording;
  const unitOf = (i: number): string => signals[i]!.unit || (options.blankUnit ?? '');
  const { channels } = options;
  const indices =
    channels === undefined
      ? [...signals.keys()].filter((i) => voltsPerUnit(unitOf(i)) !== undefined)
      : pickChannels(
          signals.map(({ label }) => label),
          channels,
          where,
        );
  const [first] = indices;
  if (first === undefined) throw new SignalError('missing-channels', 'there are no voltages', where);
  const { samplingRate } = signals[first]!;
  const other = indices.find((i) => signals[i]!.samplingRate !== samplingRate);
  if (other !== undefined) {
    const rates = [first, other].map((i) => `${signals[i]!.label} has ${signals[i]!.samplingRate} Hz`);
    throw new SignalError('sampling-rates', rates.join(', '), where);
  }
  const factors = indices.map((i) => {
    const volts = voltsPerUnit(unitOf(i));
    // 1e-6 ⁄ 1e-6 is 1; of other units the rounded factor is exact to the last bit.
    if (volts !== undefined) return Number((volts / 1e-6).toPrecision(12));
    const unit = unitOf(i) === '' ? 'no unit' : `the unit ${unitOf(i)}, which is no voltage`;
    throw new SignalError('unit', `channel ${signals[i]!.label} has ${unit}`, where);
  });
  const names = channels ?? indices.map((i) => signals[i]!.label);
  return { channels: names.map(canonicalChannel), samplingRate, indices, factors };
}

async function readChannels(
  recording: Recording,
  { samplingRate, indices, factors }: FoundChannels,
  { fromRecord, records, recordSeconds }: Segment,
): Promise<Float64Array[]> {
  const perRecord = samplingRate * recordSeconds;
  const range = {
    fromSample: Math.round(fromRecord * perRecord),
    samples: Math.round(records * perRecord),
  };
  const data = await recording.readSignals(indices.map((signal) => ({ ...range, signal })));
  for (const [i, samples] of data.entries()) {
    const factor = factors[i] as number;
    if (factor !== 1) for (let at = 0; at < samples.length; at++) samples[at]! *= factor;
  }
  return data;
}

async function onlySegment(recording: Recording): Promise<Segment> {
  const [segment, ...more] = await recording.segments();
  if (segment === undefined) throw new SignalError('no-samples', 'no samples', { where: recording.name });
  if (more.length > 0)
    throw new RangeError(`${recording.name} has ${more.length + 1} segments: say which one is wanted`);
  return segment;
}
