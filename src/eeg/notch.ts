/** Designs the filter that takes one frequency out, as the mains' hum. */

import type { Section } from './sections.js';
import { SignalError } from './signal_error.js';

/**
 * A notch of the second order (Orfanidis, "Introduction to Signal Processing", section 11.3): gain 0 at `hertz`, 1 far from
 * it, and 1/√2 at the ends of a band of `hertz` ⁄ `q`. As SciPy's `iirnotch`.
 * @throws RangeError where `q` is not above 0. @throws SignalError where `hertz`, or the band, is not between 0 and half of
 * the sampling rate.
 */
export function notch(hertz: number, q: number, samplingRate: number): Section[] {
  if (!(q > 0 && Number.isFinite(q))) throw new RangeError(`q ${q} is not above 0`);
  if (!(hertz > 0 && hertz < samplingRate / 2 && hertz / q < samplingRate / 2))
    throw new SignalError(
      'frequency',
      `a notch of ${hertz / q} Hz at ${hertz} Hz does not lie between 0 and half of the sampling rate of ${samplingRate} Hz`,
    );
  const angle = (2 * Math.PI * hertz) / samplingRate;
  const gain = 1 / (1 + Math.tan(angle / q / 2));
  const b1 = -2 * gain * Math.cos(angle);
  return [{ b0: gain, b1, b2: gain, a1: b1, a2: 2 * gain - 1 }];
}
