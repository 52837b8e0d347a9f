/** Filters forwards and then backwards, so that nothing is moved in time. */

import { PIECE_SAMPLES } from './lane_code.js';
import { laneValues, takeBytes } from './lane_memory.js';
import { addressOf, type Lanes, mapLanes, NUMBER_BYTES } from './lanes.js';
import { ringingSamples, type Section, startSection } from './sections.js';
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
  const pad = Math.max(0, Math.min(padSamples, (channels[0]?.length ?? 0) - 1));
  return mapLanes(channels, pad, (lanes) => {
    filterLanes(sections, lanes, pad);
    return lanes;
  });
}

/** The same in place, in lanes that have room for `padSamples`: at most as many as there are samples, less one. */
export function filterLanes(sections: readonly Section[], lanes: Lanes, padSamples: number): void {
  if (lanes.length === 0 || sections.length === 0) return;
  continueOdd(lanes, padSamples);
  const [first, last] = [-padSamples, lanes.length - 1 + padSamples];
  runLanes(sections, lanes, { from: first, end: last + 1, step: 1 });
  runLanes(sections, lanes, { from: last, end: first - 1, step: -1 });
}

/** Writes what the signal is turned about its first and last sample into the room. */
function continueOdd(lanes: Lanes, padSamples: number): void {
  const { width, length } = lanes;
  const values = laneValues(lanes.memory);
  const first = addressOf(lanes, 0) / NUMBER_BYTES;
  const last = addressOf(lanes, length - 1) / NUMBER_BYTES;
  for (let distance = width; distance <= padSamples * width; distance += width)
    for (let lane = 0; lane < width; lane++) {
      const [head, tail] = [first + lane, last + lane];
      values[head - distance] = 2 * (values[head] as number) - (values[head + distance] as number);
      values[tail + distance] = 2 * (values[tail] as number) - (values[tail - distance] as number);
    }
}

/** One pass, all sections over a piece before the next, which then comes from the nearest cache. */
function runLanes(
  sections: readonly Section[],
  lanes: Lanes,
  { from, end, step }: { readonly from: number; readonly end: number; readonly step: 1 | -1 },
): void {
  const { code, width } = lanes;
  const first = placeSections(sections, lanes, from);
  const last = first + sections.length * sectionBytes(lanes);
  const bytes = step * width * NUMBER_BYTES;
  for (let at = from; at !== end; ) {
    const next = step > 0 ? Math.min(end, at + PIECE_SAMPLES) : Math.max(end, at - PIECE_SAMPLES);
    code.filter(addressOf(lanes, at), addressOf(lanes, next), bytes, first, last);
    at = next;
  }
}

/** Of a section as `LaneCode.filter` wants it: five coefficients, and two numbers of state for each lane. */
function sectionBytes({ width }: Lanes): number {
  return (5 + 2 * width) * NUMBER_BYTES;
}

/** The address of the sections, settled on the sample that they begin with. */
function placeSections(sections: readonly Section[], lanes: Lanes, sample: number): number {
  const { memory, width } = lanes;
  const start = takeBytes(memory, sections.length * sectionBytes(lanes));
  const values = laneValues(memory);
  const first = addressOf(lanes, sample) / NUMBER_BYTES;
  const constants = [...values.subarray(first, first + width)];
  for (const [i, section] of sections.entries()) {
    const place = (start + i * sectionBytes(lanes)) / NUMBER_BYTES;
    for (const [lane, constant] of constants.entries()) {
      const { b0, c1, c2, a1, a2, p, q, constant: output } = startSection(section, constant);
      values.set([b0, c1, c2, a1, a2], place);
      // Two p, two q, and so on.
      const state = place + 5 + 4 * (lane >> 1) + (lane & 1);
      values[state] = p;
      values[state + 2] = q;
      // What the next section gets where the input is constant: the sample times the gains so far.
      constants[lane] = output;
    }
  }
  return start;
}

/** The padding that SciPy's `sosfiltfilt` takes where none is said: three times the length of the filter's equation. */
export function scipyPadSamples(sections: readonly Section[]): number {
  const ends = [sections.filter(({ b2 }) => b2 === 0).length, sections.filter(({ a2 }) => a2 === 0).length];
  return 3 * (2 * sections.length + 1 - Math.min(...ends));
}
