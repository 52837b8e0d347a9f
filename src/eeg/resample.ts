/** Brings samples to another rate without aliasing, by a rational ratio. */

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
  const { up, down } = ratio;
  const [first] = channels;
  if (first === undefined) return [];
  if (up === down || first.length === 0) return channels.map((channel) => new Float64Array(channel));
  const bank = polyphase(ratio);
  const half = CROSSINGS * Math.max(up, down);
  const pad = bank.taps + Math.ceil(half / up);
  const length = Math.ceil((first.length * up) / down);
  const resampled = channels.map(() => new Float64Array(length));
  // Four for all channels: fresh memory costs more time than using it.
  const inputs = [0, 1, 2, 3].map(() => new Float64Array(first.length + 2 * pad)) as Four;
  for (let at = 0; at < channels.length; at += 4) {
    // Where fewer than four are left, the last one is done again.
    const four = inputs.map((_, i) => Math.min(at + i, channels.length - 1));
    for (const [i, channel] of four.entries()) mirror(channels[channel]!, pad, inputs[i]!);
    resampleFour(inputs, four.map((channel) => resampled[channel]!) as Four, bank, ratio, pad + half / up);
  }
  return resampled;
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/**
 * Four channels at once, since one alone waits for each of its additions.
 * @param newest where the newest sample lies that the first output is made of, in samples.
 */
function resampleFour(inputs: Four, outputs: Four, bank: Polyphase, ratio: RateRatio, newest: number): void {
  const { phases, taps } = bank;
  const { up, down } = ratio;
  const [x0, x1, x2, x3] = inputs;
  const [y0, y1, y2, y3] = outputs;
  const firstEnd = Math.round(newest * up);
  for (let i = 0; i < y0.length; i++) {
    // In the samples with up − 1 zeros between, the filter ends here; only each up-th of its coefficients meets one.
    const end = firstEnd + i * down;
    const last = Math.floor(end / up);
    let tap = (end - last * up) * taps;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let at = last - taps + 1; at <= last; at++, tap++) {
      const weight = phases[tap] as number;
      sum0 += weight * (x0[at] as number);
      sum1 += weight * (x1[at] as number);
      sum2 += weight * (x2[at] as number);
      sum3 += weight * (x3[at] as number);
    }
    y0[i] = sum0;
    y1[i] = sum1;
    y2[i] = sum2;
    y3[i] = sum3;
  }
}

/** For each of the `up` phases, the `taps` coefficients that meet a sample, the one for the oldest sample first. */
interface Polyphase {
  readonly phases: Float64Array;
  readonly taps: number;
}

function polyphase(ratio: RateRatio): Polyphase {
  const { up } = ratio;
  const filter = antiAliasFilter(ratio);
  const taps = Math.ceil(filter.length / up);
  const phases = new Float64Array(up * taps);
  for (const [i, coefficient] of filter.entries())
    phases[(i % up) * taps + taps - 1 - Math.floor(i / up)] = coefficient;
  return { phases, taps };
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

/** The samples with `pad` more on each side: there and back again about the first and the last, as often as needed. */
function mirror(samples: ChannelSamples, pad: number, mirrored: Float64Array): void {
  mirrored.set(samples, pad);
  const period = Math.max(1, 2 * (samples.length - 1));
  const valueAt = (at: number): number => samples[Math.min(at, period - at)] as number;
  for (let i = 1; i <= pad; i++) {
    mirrored[pad - i] = valueAt(i % period);
    mirrored[pad + samples.length - 1 + i] = valueAt((samples.length - 1 + i) % period);
  }
}
