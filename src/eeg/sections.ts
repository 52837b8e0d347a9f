/** Recursive (IIR) filters as cascades of second-order sections: how they are written down, run and looked at. */

/**
 * (b0 + b1 z⁻¹ + b2 z⁻²) ⁄ (1 + a1 z⁻¹ + a2 z⁻²). Filters of higher order are products of these, since the coefficients of
 * one polynomial of high order can't be held in 64 bits (Oppenheim and Schafer, "Discrete-Time Signal Processing", section
 * 6.7).
 */
export interface Section {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/** The gain of one pass, forwards, at a frequency of 0 … half of the sampling rate, in Hz. */
export function gainAt(sections: readonly Section[], hertz: number, samplingRate: number): number {
  const angle = (-2 * Math.PI * hertz) / samplingRate;
  let gain = 1;
  for (const { b0, b1, b2, a1, a2 } of sections)
    gain *= amplitude(b0, b1, b2, angle) / amplitude(1, a1, a2, angle);
  return gain;
}

/** Filters in place, as one that has seen zeros before. Long signals of many channels are for `filterLanes`. */
export function runSections(sections: readonly Section[], samples: Float64Array): void {
  for (const section of sections) {
    let { b0, c1, c2, a1, a2, p, q } = startSection(section, 0);
    for (let i = 0; i < samples.length; i++) {
      const x = samples[i] as number;
      samples[i] = b0 * x + p;
      const lastP = p;
      p = c1 * x + q - a1 * lastP;
      q = c2 * x - a2 * lastP;
    }
  }
}

/** A section as it is run: y = b0 x + p, then p becomes c1 x + q − a1 p, and q becomes c2 x − a2 p. */
export interface RunningSection {
  readonly b0: number;
  readonly c1: number;
  readonly c2: number;
  readonly a1: number;
  readonly a2: number;
  readonly p: number;
  readonly q: number;
  /** What it gives for the constant that it has seen. */
  readonly constant: number;
}

/**
 * Direct form II transposed, with y put into the other two equations, so that each sample waits for one multiplication and
 * one addition only; and its state where it has seen a constant for ever, which then passes without a transient.
 */
export function startSection({ b0, b1, b2, a1, a2 }: Section, constant: number): RunningSection {
  const output = constant === 0 ? 0 : (constant * (b0 + b1 + b2)) / (1 + a1 + a2);
  const q = b2 * constant - a2 * output;
  const p = b1 * constant - a1 * output + q;
  return { b0, c1: b1 - a1 * b0, c2: b2 - a2 * b0, a1, a2, p, q, constant: output };
}

/** The response is looked at in pieces of so many samples. */
const RINGING_PIECE = 1000;

/** How many pieces are looked at before more are, and how many at most. */
const PIECES = [4, 20, 100] as const;

/** What counts as ended: a thousandth of the response's largest value. */
const RINGING_SHARE = 0.001;

/**
 * How many samples it takes until the response to an impulse has fallen below a thousandth of its largest value and stays
 * there for a piece of 1,000 samples; 100,000 where it takes longer. This many samples on each side are what a filtered
 * window needs. MNE's `estimate_ringing_samples` counts in the same way, so that both pad by as much.
 */
export function ringingSamples(sections: readonly Section[]): number {
  for (const pieces of PIECES) {
    const ringing = ringingWithin(sections, pieces);
    if (ringing !== undefined) return ringing;
  }
  return RINGING_PIECE * PIECES[2];
}

function ringingWithin(sections: readonly Section[], pieces: number): number | undefined {
  const response = new Float64Array(RINGING_PIECE * pieces);
  response[0] = 1;
  runSections(sections, response);
  let threshold = 0;
  let last = RINGING_PIECE;
  for (let piece = 0; piece < pieces; piece++) {
    const values = response.subarray(piece * RINGING_PIECE, (piece + 1) * RINGING_PIECE);
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    threshold = Math.max(threshold, RINGING_SHARE * largest);
    const end = values.findLastIndex((value) => Math.abs(value) > threshold);
    if (end < 0) return (piece - 1) * RINGING_PIECE + last;
    last = end;
  }
  return undefined;
}

/** |c0 + c1 e^(j angle) + c2 e^(2 j angle)|. */
function amplitude(c0: number, c1: number, c2: number, angle: number): number {
  const real = c0 + c1 * Math.cos(angle) + c2 * Math.cos(2 * angle);
  const imaginary = c1 * Math.sin(angle) + c2 * Math.sin(2 * angle);
  return Math.hypot(real, imaginary);
}
