/** Band powers of EEG as an embedding: what a window says by the classical bands alone, before anything was learned. */

import type { Tensor } from '../problems/decoded.js';
import { welch } from './power_spectrum.js';

/**
 * Hz, from and up to. Limits between bands as the IFCN's glossary has them (Kane et al., Clinical Neurophysiology Practice 2,
 * 2017); below 0.5 Hz is drift, and gamma ends before mains hum.
 */
export const EEG_BANDS = {
  delta: [0.5, 4],
  theta: [4, 8],
  alpha: [8, 13],
  beta: [13, 30],
  gamma: [30, 45],
} as const satisfies Readonly<Record<string, readonly [from: number, to: number]>>;

/** Two seconds: half a hertz between values, so that delta has more than one. */
const SEGMENT_SECONDS = 2;

/** Added to each power, so that a channel that is flat has a logarithm; far below what an amplifier's noise has, in V² too. */
const LEAST_POWER = 1e-20;

/**
 * The decimal logarithm of each band's power for each channel: channels × bands values, the bands of a channel together.
 * Bands that lie beyond half the sampling rate have the least value there is.
 * @param window channels × samples, in any unit. @throws RangeError for another shape.
 */
export function bandPowerEmbedding(window: Tensor<Float32Array>, samplingRate: number): Float32Array {
  const [channels, samples] = window.shape;
  if (window.shape.length !== 2 || channels === undefined || samples === undefined)
    throw new RangeError(`a window of shape [${window.shape}]: channels and samples are wanted`);
  const bands = Object.values(EEG_BANDS);
  const powers = new Float32Array(channels * bands.length);
  for (let channel = 0; channel < channels; channel++) {
    const signal = window.data.subarray(channel * samples, (channel + 1) * samples);
    const { density, step } = welch(signal, samplingRate, SEGMENT_SECONDS * samplingRate);
    for (const [band, [from, to]] of bands.entries()) {
      let power = 0;
      for (let i = Math.ceil(from / step); i * step < to && i < density.length; i++)
        power += density[i]! * step;
      powers[channel * bands.length + band] = Math.log10(power + LEAST_POWER);
    }
  }
  return powers;
}
