/** Filters forwards and then backwards, so that nothing is moved in time. */

import { ringingSamples, runSections, type Section } from './sections.js';
import type { ChannelSamples } from './signal.js';

/**
 * The samples of each channel after a pass forwards and one backwards: the gain of a single pass, squared, and no phase
 * shift. In front and behind, the signal is continued by `padSamples`, turned by half a turn about its first and last
 * sample, and each pass starts as if the first value had been there for ever: what SciPy's `sosfiltfilt` does with
 * `padtype='odd'`.
 * @param padSamples at most as many as there are samples, less one; the filter's `ringingSamples` where not said, as MNE
 * pads.
 */
export function filterZeroPhase(
  sections: readonly Section[],
  channels: readonly ChannelSamples[],
  padSamples: number = ringingSamples(sections),
): Float64Array[] {
  const length = channels[0]?.length ?? 0;
  const pad = Math.max(0, Math.min(padSamples, length - 1));
  // One for all channels: fresh memory costs more time than filtering it.
  const extended = new Float64Array(length + 2 * pad);
  return channels.map((samples) => {
    extended.set(samples, pad);
    const first = samples[0] as number;
    const last = samples[length - 1] as number;
    for (let i = 1; i <= pad; i++) {
      extended[pad - i] = 2 * first - (samples[i] as number);
      extended[pad + length - 1 + i] = 2 * last - (samples[length - 1 - i] as number);
    }
    runSections(sections, extended, 'settled', 'forwards');
    runSections(sections, extended, 'settled', 'backwards');
    return extended.slice(pad, pad + length);
  });
}

/** The padding that SciPy's `sosfiltfilt` takes where none is said: three times the length of the filter's equation. */
export function scipyPadSamples(sections: readonly Section[]): number {
  const ends = [sections.filter(({ b2 }) => b2 === 0).length, sections.filter(({ a2 }) => a2 === 0).length];
  return 3 * (2 * sections.length + 1 - Math.min(...ends));
}
