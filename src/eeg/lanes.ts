/** Channels side by side in the memory of WebAssembly, where filters and resampling run over up to eight at once. */

import type { StoredSamples } from '../io/edf_stored.js';
import { type LaneCode, PIECE_SAMPLES, type Vectors } from './lane_code.js';
import { type LaneMemory, laneCode, laneValues, takeBytes, withLaneMemory } from './lane_memory.js';
import type { ChannelSamples } from './signal.js';

/** Channels that are computed in the time of one: more would not fit into a processor's registers. */
export const MOST_LANES = 8;

/** Bytes of a number. */
export const NUMBER_BYTES = 8;

/** Samples of some channels, those of one time together. */
export interface Lanes {
  readonly memory: LaneMemory;
  readonly code: LaneCode;
  /** Numbers a sample: the first of 2, 4 and 8 that is enough for the channels; what is left over is 0 at first. */
  readonly width: number;
  /** Bytes from the start of the memory to the first sample. */
  readonly start: number;
  /** Samples of each channel. */
  readonly length: number;
  /** Whether all numbers that came into lanes were finite. */
  readonly isFinite: boolean;
  /** How many more there is room for in front of the first sample, and as many behind the last. */
  readonly room: number;
}

/**
 * What `use` makes of the channels side by side. Nothing of lanes holds afterwards.
 * @param channels 1 to 8 of the same length
 * @param room in samples; see `Lanes`
 */
export function inLanes<Result>(channels: LaneSources, room: number, use: (lanes: Lanes) => Result): Result {
  const [first] = channels;
  if (first === undefined || channels.length > MOST_LANES)
    throw new RangeError(`${channels.length} channels: 1 to ${MOST_LANES} go side by side`);
  return withLaneMemory((memory) => {
    const vectors = channels.length <= 2 ? 1 : channels.length <= 4 ? 2 : 4;
    const lanes = newLanes(memory, vectors, { length: first.length, room });
    return use({ ...lanes, isFinite: fillLanes(lanes, channels) });
  });
}

/** Arrays of what `change` leaves of the channels, eight after the others. */
export function mapLanes(
  channels: readonly ChannelSamples[],
  room: number,
  change: (lanes: Lanes, first: number) => Lanes,
): Float64Array[] {
  const changed: Float64Array[] = [];
  for (let first = 0; first < channels.length; first += MOST_LANES) {
    const some = channels.slice(first, first + MOST_LANES);
    inLanes(some, room, (lanes) => {
      const result = change(lanes, first);
      const { length } = result;
      const rows = new Float64Array(some.length * length);
      readLanes(result, rows);
      changed.push(...some.map((_, row) => rows.subarray(row * length, (row + 1) * length)));
    });
  }
  return changed;
}

/** Lanes of as many channels, whose samples are any. */
export function lanesLike({ memory, width }: Lanes, size: LanesSize): Lanes {
  return newLanes(memory, (width / 2) as Vectors, size);
}

/** As in `Lanes`; there is no room where none is said. */
export interface LanesSize {
  readonly length: number;
  readonly room?: number | undefined;
}

function newLanes(memory: LaneMemory, vectors: Vectors, { length, room = 0 }: LanesSize): Lanes {
  const width = 2 * vectors;
  const bytes = width * NUMBER_BYTES;
  const start = takeBytes(memory, (length + 2 * room) * bytes) + room * bytes;
  return { memory, code: laneCode(memory, vectors), width, start, length, isFinite: true, room };
}

/** Channels that go into lanes: numbers, or stored samples, each times a factor of its own. */
export type LaneSources = readonly ChannelSamples[] | readonly ScaledSamples[];

export interface ScaledSamples extends StoredSamples {
  readonly factor: number;
}

function isStored(channels: LaneSources): channels is readonly ScaledSamples[] {
  return channels.length > 0 && 'digital' in (channels[0] as object);
}

/** Gives whether all are finite. */
function fillLanes(lanes: Lanes, channels: LaneSources): boolean {
  if (!isStored(channels)) return fillFromNumbers(lanes, channels);
  fillFromStored(lanes, channels);
  return channels.every(({ gain, shift, factor }) =>
    Number.isFinite(Math.abs(gain) * (Math.abs(shift) + LARGEST_DIGITAL) * factor),
  );
}

/** Of 16-bit integers. */
const LARGEST_DIGITAL = 2 ** 15;

function fillFromNumbers(lanes: Lanes, channels: readonly ChannelSamples[]): boolean {
  const { memory, code, width, length } = lanes;
  const source = takeBytes(memory, width * PIECE_SAMPLES * NUMBER_BYTES);
  const place = source / NUMBER_BYTES;
  const values = laneValues(memory).fill(0, place, place + width * PIECE_SAMPLES);
  let areFinite = true;
  for (let from = 0; from < length; from += PIECE_SAMPLES) {
    const end = Math.min(length, from + PIECE_SAMPLES);
    for (const [channel, samples] of channels.entries())
      values.set(samples.subarray(from, end), place + channel * PIECE_SAMPLES);
    code.fillNumbers(addressOf(lanes, from), addressOf(lanes, end), source);
    if (code.hasOdd(addressOf(lanes, from), addressOf(lanes, end)) !== 0) areFinite = false;
  }
  return areFinite;
}

/** Data record after data record: the part that has the channels goes to where the code can read it. */
function fillFromStored(lanes: Lanes, channels: readonly ScaledSamples[]): void {
  const { memory, code, width, length } = lanes;
  const { digital, run, stride } = channels[0] as ScaledSamples;
  const first = Math.min(...channels.map((channel) => channel.first));
  const last = Math.max(...channels.map((channel) => channel.first)) + run;
  const scales = takeBytes(memory, (3 * NUMBER_BYTES + 4) * width);
  const source = takeBytes(memory, (last - first) * Int16Array.BYTES_PER_ELEMENT);
  const { buffer } = laneValues(memory);
  const numbers = new Float64Array(buffer, scales, 3 * width);
  const distances = new Int32Array(buffer, scales + 3 * width * NUMBER_BYTES, width);
  for (let lane = 0; lane < width; lane++) {
    const of = channels[lane] ?? { gain: 0, shift: 0, factor: 0, first };
    const place = 6 * Math.floor(lane / 2) + (lane % 2);
    for (const [i, value] of [of.gain, of.shift, of.factor].entries()) numbers[place + 2 * i] = value;
    distances[lane] = (of.first - first) * Int16Array.BYTES_PER_ELEMENT;
  }
  const record = new Int16Array(buffer, source, last - first);
  for (let from = 0, at = 0; from < length; from += run, at += stride) {
    record.set(digital.subarray(at + first, at + last));
    code.fillDigital(addressOf(lanes, from), addressOf(lanes, from + run), source, scales);
  }
}

/** Writes channels × samples, as many channels as there is place for, into an array that is filled by them. */
export function readLanes(lanes: Lanes, target: ChannelSamples): void {
  const { memory, code, width, length } = lanes;
  const [Numbers, spread] =
    target instanceof Float32Array
      ? ([Float32Array, code.spreadFloat32] as const)
      : ([Float64Array, code.spreadFloat64] as const);
  const atOnce = Math.min(length, MOST_SPREAD);
  const bytes = atOnce * Numbers.BYTES_PER_ELEMENT;
  const place = takeBytes(memory, width * bytes);
  const rows = new Numbers(laneValues(memory).buffer, place, width * atOnce);
  for (let from = 0; from < length; from += atOnce) {
    const samples = Math.min(atOnce, length - from);
    spread(addressOf(lanes, from), addressOf(lanes, from + samples), place, bytes);
    if (samples === length) target.set(rows.subarray(0, target.length));
    else
      for (let row = 0; row * length < target.length; row++)
        target.set(rows.subarray(row * atOnce, row * atOnce + samples), row * length + from);
  }
}

/** Samples that are brought out at once: more than windows have, and little memory. */
const MOST_SPREAD = 8192;

/** A copy of the samples from `from` on. */
export function copyLanes(lanes: Lanes, from: number, size: LanesSize): Lanes {
  const copy = lanesLike(lanes, size);
  const first = addressOf(lanes, from) / NUMBER_BYTES;
  laneValues(lanes.memory).copyWithin(copy.start / NUMBER_BYTES, first, first + copy.length * copy.width);
  return copy;
}

/** The byte at which a sample begins; of those in the room too. */
export function addressOf({ start, width }: Lanes, sample: number): number {
  return start + sample * width * NUMBER_BYTES;
}

/** One number. */
export function lanesValue(lanes: Lanes, sample: number, lane: number): number {
  return laneValues(lanes.memory)[addressOf(lanes, sample) / NUMBER_BYTES + lane] as number;
}
