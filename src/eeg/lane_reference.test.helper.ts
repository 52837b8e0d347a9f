/** What lanes compute, in plain JavaScript and one channel after the other: they must be equal bit for bit. */

import { type Section, startSection } from './sections.js';

/** As `filterZeroPhase`, of one channel. */
export function filterByLoops(
  sections: readonly Section[],
  samples: ArrayLike<number>,
  padSamples: number,
): Float64Array {
  const { length } = samples;
  const pad = Math.max(0, Math.min(padSamples, length - 1));
  const at = (i: number): number => samples[i] as number;
  const extended = Float64Array.from({ length: length === 0 ? 0 : length + 2 * pad }, (_, i) => {
    if (i < pad) return 2 * at(0) - at(pad - i);
    return i < pad + length ? at(i - pad) : 2 * at(length - 1) - at(2 * length - 2 + pad - i);
  });
  for (let pass = 0; pass < 2; pass++) {
    runSettled(sections, extended);
    extended.reverse();
  }
  return extended.slice(pad, pad + length);
}

function runSettled(sections: readonly Section[], samples: Float64Array): void {
  let constant = samples[0] ?? 0;
  for (const section of sections) {
    const start = startSection(section, constant);
    constant = start.constant;
    const { b0, c1, c2, a1, a2 } = start;
    let { p, q } = start;
    for (const [i, x] of samples.entries()) {
      samples[i] = b0 * x + p;
      const lastP = p;
      p = c1 * x + q - a1 * lastP;
      q = c2 * x - a2 * lastP;
    }
  }
}

/** As the step: mean 0 and deviation 1, but 0 where the deviation is at most `flat` times the largest value. */
export function standardiseByLoops(samples: ArrayLike<number>, flat: number): Float64Array {
  const values = Float64Array.from(samples);
  let [sum, largest, squares] = [0, 0, 0];
  for (const value of values) {
    sum += value;
    largest = Math.max(largest, Math.abs(value));
  }
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) * (value - mean);
  const deviation = Math.sqrt(squares / values.length);
  const factor = deviation <= largest * flat ? 0 : 1 / deviation;
  return values.map((value) => (value - mean) * factor);
}

/**
 * As `resample`, of one channel: each output is the sum, from the oldest sample on, of weight times sample.
 * @param phases weights of each phase, `taps` each, for the oldest sample first
 */
export function resampleByLoops(
  samples: ArrayLike<number>,
  ratio: { readonly up: number; readonly down: number },
  { phases, taps }: { readonly phases: Float64Array; readonly taps: number },
): Float64Array {
  const { up, down } = ratio;
  const period = Math.max(1, 2 * (samples.length - 1));
  const valueAt = (at: number): number => {
    const inPeriod = ((at % period) + period) % period;
    return samples[Math.min(inPeriod, period - inPeriod)] as number;
  };
  // 10 zero crossings on each side of the filter's centre.
  const half = 10 * Math.max(up, down);
  return Float64Array.from({ length: Math.ceil((samples.length * up) / down) }, (_, i) => {
    const end = half + i * down;
    const newest = Math.floor(end / up);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++)
      sum += (phases[(end % up) * taps + tap] as number) * valueAt(newest - taps + 1 + tap);
    return sum;
  });
}
