/** Brings samples to another rate without aliasing, by a rational ratio. */

import { laneValues, takeBytes } from './lane_memory.js';
import { addressOf, copyLanes, type Lanes, lanesLike, mapLanes, NUMBER_BYTES } from './lanes.js';
import type { ChannelSamples } from './signal.js';
import { SignalError } from './signal_error.js';

/** The ratio of two sampling rates in lowest terms. */
export interface RateRatio {
  readonly up: number;
  readonly down: number;
}

/** The largest number that a ratio may need: the filter has 20 times as many coefficients. */
const MOST_UP_OR_DOWN = 5000;

/** How far a ratio may be from that of the rates, as a share: an hour then ends within a ten-thousandth of a second. */
const RATIO_TOLERANCE = 1e-8;

/**
 * The ratio in lowest terms that brings one rate to the other.
 * @throws RangeError where a rate is not above 0. @throws SignalError where there is none of numbers up to 5,000.
 */
export function rateRatio(fromHertz: number, toHertz: number): RateRatio {
  for (const rate of [fromHertz, toHertz])
    if (!(rate > 0 && Number.isFinite(rate))) throw new RangeError(`sampling rate ${rate} is not above 0`);
  const ratio = toHertz / fromHertz;
  // The convergents of the continued fraction are the nearest of all fractions with numbers as small.
  let [up, lastUp, down, lastDown, rest] = [Math.floor(ratio), 1, 1, 0, ratio];
  while (Math.abs(up / down - ratio) > ratio * RATIO_TOLERANCE) {
    rest = 1 / (rest - Math.floor(rest));
    const term = Math.floor(rest);
    [up, lastUp, down, lastDown] = [term * up + lastUp, up, term * down + lastDown, down];
    if (!(Math.max(up, down) <= MOST_UP_OR_DOWN)) break;
  }
  if (up < 1 || !(Math.max(up, down) <= MOST_UP_OR_DOWN))
    throw new SignalError(
      'frequency',
      `${fromHertz} Hz can't be brought to ${toHertz} Hz: their ratio is none of whole numbers up to ${MOST_UP_OR_DOWN}`,
    );
  return { up, down };
}

/** Zero crossings of the filter on each side of its centre, and the shape parameter of its window: SciPy's defaults. */
const CROSSINGS = 10;
const KAISER_BETA = 5;

/** The samples on each side that a sample at the new rate is made of. */
export function resampleReach({ up, down }: RateRatio): number {
  return up === down ? 0 : Math.ceil((CROSSINGS * Math.max(up, down)) / up);
}

/**
 * The samples of each channel at `up` ⁄ `down` times the rate; the first stays where it is, and there are
 * ⌈length · up ⁄ down⌉. A windowed sinc (Kaiser, β 5) of 10 zero crossings on each side cuts at half of the lower rate;
 * beyond its ends the signal is mirrored about the first and last sample. The polyphase form of Crochiere and Rabiner,
 * "Multirate Digital Signal Processing", section 3.3; as MNE's `resample(method='polyphase')` and SciPy's
 * `resample_poly(padtype='reflect')`.
 */
export function resample(channels: readonly ChannelSamples[], ratio: RateRatio): Float64Array[] {
  return mapLanes(channels, resampleRoom(ratio), (lanes) =>
    resampler(lanes, ratio)(0, resampledLength(lanes.length, ratio)),
  );
}

/** How many samples become of so many. */
export function resampledLength(length: number, { up, down }: RateRatio): number {
  return Math.ceil((length * up) / down);
}

/** The room that lanes need to be resampled. */
export function resampleRoom(ratio: RateRatio): number {
  const { up, down } = ratio;
  return up === down ? 0 : tapsOf(ratio) + Math.ceil((CROSSINGS * Math.max(up, down)) / up);
}

/**
 * A function that gives some samples at the new rate, from one on, so that only those wanted are computed.
 * @param lanes with room for `resampleRoom`
 */
export function resampler(
  lanes: Lanes,
  ratio: RateRatio,
): (fromSample: number, samples: number, room?: number) => Lanes {
  const { up, down } = ratio;
  if (up === down) return (from, samples, room) => copyLanes(lanes, from, { length: samples, room });
  const { phases, taps } = polyphase(ratio);
  const table = takeBytes(lanes.memory, phases.byteLength);
  laneValues(lanes.memory).set(phases, table / NUMBER_BYTES);
  mirror(lanes, resampleRoom(ratio));
  return (fromSample, samples, room = 0) => {
    const out = lanesLike(lanes, { length: samples, room });
    if (samples === 0 || lanes.length === 0) return out;
    // In the samples with up − 1 zeros between, the filter ends here; only each up-th of its coefficients meets one.
    const end = CROSSINGS * Math.max(up, down) + fromSample * down;
    const oldest = addressOf(lanes, Math.floor(end / up) - taps + 1);
    lanes.code.resample(out.start, addressOf(out, samples), oldest, end % up, up, down, taps, table);
    return out;
  };
}

/** For each of the `up` phases, the `taps` coefficients that meet a sample, the one for the oldest sample first. */
export interface Polyphase {
  readonly phases: Float64Array;
  readonly taps: number;
}

/** That of the last ratio: a dataset has one, and a table of many phases takes longer to make than to use. */
let last: { readonly ratio: RateRatio; readonly table: Polyphase } | undefined;

/** The weights for a ratio. */
export function polyphase(ratio: RateRatio): Polyphase {
  if (last?.ratio.up !== ratio.up || last.ratio.down !== ratio.down)
    last = { ratio, table: newPolyphase(ratio) };
  return last.table;
}

function newPolyphase(ratio: RateRatio): Polyphase {
  const { up } = ratio;
  const filter = antiAliasFilter(ratio);
  const taps = tapsOf(ratio);
  const phases = new Float64Array(up * taps);
  for (const [i, coefficient] of filter.entries())
    phases[(i % up) * taps + taps - 1 - Math.floor(i / up)] = coefficient;
  return { phases, taps };
}

function tapsOf({ up, down }: RateRatio): number {
  return Math.ceil((2 * CROSSINGS * Math.max(up, down) + 1) / up);
}

function antiAliasFilter({ up, down }: RateRatio): Float64Array {
  const most = Math.max(up, down);
  const half = CROSSINGS * most;
  const filter = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const place = (i - half) / most;
    return sinc(place) * bessel0(KAISER_BETA * Math.sqrt(Math.max(0, 1 - ((i - half) / half) ** 2)));
  });
  const sum = filter.reduce((total, coefficient) => total + coefficient, 0);
  return filter.map((coefficient) => (coefficient * up) / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of the first kind and order 0 by its power series (Abramowitz and Stegun, 9.6.12). */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * Number.EPSILON; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

/** Fills the room with the signal, there and back again about its first and its last sample, as often as needed. */
function mirror(lanes: Lanes, room: number): void {
  const { length, width } = lanes;
  if (length === 0) return;
  const values = laneValues(lanes.memory);
  const period = Math.max(1, 2 * (length - 1));
  const copy = (to: number, from: number): void => {
    const first = addressOf(lanes, Math.min(from, period - from)) / NUMBER_BYTES;
    values.copyWithin(addressOf(lanes, to) / NUMBER_BYTES, first, first + width);
  };
  for (let i = 1; i <= room; i++) {
    copy(-i, i % period);
    copy(length - 1 + i, (length - 1 + i) % period);
  }
}
