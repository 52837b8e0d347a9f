/** Designs Butterworth filters: maximally flat low-pass, high-pass and band-pass, as second-order sections. */

import { gainAt, type Section } from './sections.js';
import { SignalError } from './signal_error.js';

/** What passes: from `lowHertz`, up to `highHertz`; at least one of them. */
export interface Band {
  readonly lowHertz?: number;
  readonly highHertz?: number;
}

/** The highest order that is designed; the narrowest bands in use need half of it. */
const MOST_ORDER = 20;

/**
 * A Butterworth filter (Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.2 and appendix B.1): the analog
 * prototype's poles, moved to the band, and brought to the z plane by the bilinear transform with its frequencies warped
 * beforehand, so that one pass has the gain 1/√2 at exactly the band's ends. As SciPy's `butter(order, …, output='sos')`:
 * a band-pass has twice `order` poles.
 * @param order 1 … 20.
 * @throws RangeError where the order or the band is none. @throws SignalError where the band does not lie between 0 and
 * half of the sampling rate.
 */
export function butterworth(order: number, band: Band, samplingRate: number): Section[] {
  const { lowHertz, highHertz } = band;
  if (!(Number.isInteger(order) && order >= 1 && order <= MOST_ORDER))
    throw new RangeError(`order ${order}: a whole number of 1 to ${MOST_ORDER} is needed`);
  if (lowHertz !== undefined && highHertz !== undefined) {
    if (!(lowHertz < highHertz)) throw new RangeError(`the band ${lowHertz} to ${highHertz} Hz is empty`);
    return bandPass(order, warped(lowHertz, samplingRate), warped(highHertz, samplingRate), samplingRate);
  }
  if (highHertz !== undefined) {
    const edge = warped(highHertz, samplingRate);
    const poles = prototypePoles(order).map((pole) => times(pole, edge));
    return poles.map((pole) => unityAt(0, samplingRate, sectionOf(toZ(pole), [-1, -1])));
  }
  if (lowHertz === undefined) throw new RangeError('a band needs a lower or an upper end');
  const edge = warped(lowHertz, samplingRate);
  const poles = prototypePoles(order).map((pole) => times(inverse(pole), edge));
  return poles.map((pole) => unityAt(samplingRate / 2, samplingRate, sectionOf(toZ(pole), [1, 1])));
}

/** A complex number; where `im` is 0 it is a single real pole, else one of a conjugate pair. */
interface Complex {
  readonly re: number;
  readonly im: number;
}

function bandPass(order: number, low: number, high: number, samplingRate: number): Section[] {
  const width = high - low;
  const square = low * high;
  const centreHertz = (Math.atan(Math.sqrt(square)) * samplingRate) / Math.PI;
  const sections: Section[] = [];
  for (const pole of prototypePoles(order)) {
    // s² − width · pole · s + low · high = 0: each pole of the prototype becomes two.
    const half = times(pole, width / 2);
    const root = squareRoot({ re: half.re ** 2 - half.im ** 2 - square, im: 2 * half.re * half.im });
    const pair = [add(half, root), add(half, times(root, -1))] as const;
    const isOnePair = pole.im === 0;
    if (isOnePair && root.im === 0) sections.push(realSection(toZ(pair[0]).re, toZ(pair[1]).re, [1, -1]));
    else if (isOnePair) sections.push(sectionOf(toZ(pair[0]), [1, -1]));
    else for (const one of pair) sections.push(sectionOf(toZ(one), [1, -1]));
  }
  return sections.map((section) => unityAt(centreHertz, samplingRate, section));
}

/**
 * The poles of the prototype, whose band ends at 1 radian a second, those with negative imaginary parts left out: half of
 * a regular polygon on the unit circle. The real one comes last.
 */
function prototypePoles(order: number): Complex[] {
  return Array.from({ length: Math.ceil(order / 2) }, (_, k) => {
    const angle = (Math.PI * (2 * k + 1 + order)) / (2 * order);
    const isReal = 2 * k + 1 === order;
    return isReal ? { re: -1, im: 0 } : { re: Math.cos(angle), im: Math.sin(angle) };
  });
}

/** tan(π f ⁄ rate): the analog frequency, in units of twice the rate, that the bilinear transform brings to f. */
function warped(hertz: number, samplingRate: number): number {
  if (!(hertz > 0 && hertz < samplingRate / 2))
    throw new SignalError(
      'frequency',
      `${hertz} Hz does not lie between 0 and half of the sampling rate of ${samplingRate} Hz`,
    );
  return Math.tan((Math.PI * hertz) / samplingRate);
}

/** The bilinear transform z = (1 + s) ⁄ (1 − s). */
function toZ(s: Complex): Complex {
  const size = (1 - s.re) ** 2 + s.im ** 2;
  return { re: (1 - s.re ** 2 - s.im ** 2) / size, im: (2 * s.im) / size };
}

/** The section of a pole and its conjugate, or of a single real pole, which has the first of the zeros only. */
function sectionOf(pole: Complex, zeros: readonly [number, number]): Section {
  if (pole.im === 0) return { b0: 1, b1: -zeros[0], b2: 0, a1: -pole.re, a2: 0 };
  const a2 = pole.re ** 2 + pole.im ** 2;
  return { ...numerator(zeros), a1: -2 * pole.re, a2 };
}

/** The section of two real poles. */
function realSection(one: number, other: number, zeros: readonly [number, number]): Section {
  return { ...numerator(zeros), a1: -one - other, a2: one * other };
}

function numerator([one, other]: readonly [number, number]): Pick<Section, 'b0' | 'b1' | 'b2'> {
  return { b0: 1, b1: -one - other, b2: one * other };
}

/** The same section with gain 1 at a frequency of its pass band. */
function unityAt(hertz: number, samplingRate: number, section: Section): Section {
  const gain = gainAt([section], hertz, samplingRate);
  return { ...section, b0: section.b0 / gain, b1: section.b1 / gain, b2: section.b2 / gain };
}

function times({ re, im }: Complex, by: number): Complex {
  return { re: re * by, im: im * by };
}

function add(a: Complex, b: Complex): Complex {
  return { re: a.re + b.re, im: a.im + b.im };
}

function inverse({ re, im }: Complex): Complex {
  const size = re ** 2 + im ** 2;
  return { re: re / size, im: -im / size };
}

function squareRoot({ re, im }: Complex): Complex {
  const size = Math.hypot(re, im);
  const root = { re: Math.sqrt((size + re) / 2), im: Math.sqrt((size - re) / 2) };
  return im < 0 ? { re: root.re, im: -root.im } : root;
}
