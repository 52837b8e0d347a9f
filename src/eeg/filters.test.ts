import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Band, butterworth } from './butterworth.js';
import { notch } from './notch.js';
import { gainAt, ringingSamples, runSections, type Section } from './sections.js';
import { SignalError } from './signal_error.js';
import { filterZeroPhase as filterAll } from './zero_phase.js';

const filterZeroPhase = (sections: readonly Section[], samples: Float64Array): Float64Array =>
  filterAll(sections, [samples])[0]!;

const RATE = 160;
const HALF = Math.SQRT1_2;

function sine(hertz: number, samples: number, samplingRate = RATE, phase = 0.3): Float64Array {
  return Float64Array.from({ length: samples }, (_, i) =>
    Math.sin((2 * Math.PI * hertz * i) / samplingRate + phase),
  );
}

/** The largest difference in the middle third, which no edge reaches. */
function middleDifference(a: Float64Array, b: (i: number) => number): number {
  let difference = 0;
  for (let i = Math.floor(a.length / 3); i < (2 * a.length) / 3; i++)
    difference = Math.max(difference, Math.abs(a[i]! - b(i)));
  return difference;
}

const orders = fc.integer({ min: 1, max: 10 });
const frequencies = fc.double({ min: 1, max: 60, noNaN: true });

test('a low-pass of any order has the gain 1/√(1 + (tan(πf/r) / tan(πc/r))^2n), which is what Butterworth means', () => {
  fc.assert(
    fc.property(orders, frequencies, fc.double({ min: 0.1, max: 79, noNaN: true }), (order, cut, hertz) => {
      const warp = (f: number): number => Math.tan((Math.PI * f) / RATE);
      const expected = 1 / Math.sqrt(1 + (warp(hertz) / warp(cut)) ** (2 * order));
      expect(gainAt(butterworth(order, { highHertz: cut }, RATE), hertz, RATE)).toBeCloseTo(expected, 9);
      const highPass = 1 / Math.sqrt(1 + (warp(cut) / warp(hertz)) ** (2 * order));
      expect(gainAt(butterworth(order, { lowHertz: cut }, RATE), hertz, RATE)).toBeCloseTo(highPass, 9);
    }),
  );
});

test('a band-pass of any order has its closed form too', () => {
  const ends = fc.tuple(
    fc.double({ min: 1, max: 50, noNaN: true }),
    fc.double({ min: 2, max: 25, noNaN: true }),
  );
  fc.assert(
    fc.property(orders, ends, fc.double({ min: 0.5, max: 79, noNaN: true }), (order, [low, width], hertz) => {
      const warp = (f: number): number => Math.tan((Math.PI * f) / RATE);
      const [a, b, w] = [warp(low), warp(low + width), warp(hertz)];
      const expected = 1 / Math.sqrt(1 + ((w * w - a * b) / ((b - a) * w)) ** (2 * order));
      const sections = butterworth(order, { lowHertz: low, highHertz: low + width }, RATE);
      expect(sections.length).toBe(order);
      expect(gainAt(sections, hertz, RATE)).toBeCloseTo(expected, 6);
    }),
  );
});

test('the ends of a band have half the power', () => {
  const sections = butterworth(4, { lowHertz: 0.5, highHertz: 40 }, RATE);
  expect(gainAt(sections, 0.5, RATE)).toBeCloseTo(HALF, 9);
  expect(gainAt(sections, 40, RATE)).toBeCloseTo(HALF, 9);
  expect(gainAt(sections, 0, RATE)).toBeCloseTo(0, 12);
});

test('every filter is stable: its poles are inside the unit circle', () => {
  fc.assert(
    fc.property(orders, frequencies, (order, cut) => {
      for (const { a1, a2 } of butterworth(order, { lowHertz: cut, highHertz: cut + 15 }, RATE)) {
        // The triangle of stable sections (Jury's criterion).
        expect(Math.abs(a2)).toBeLessThan(1);
        expect(Math.abs(a1)).toBeLessThan(1 + a2);
      }
    }),
  );
});

test('a wide band of odd order, whose middle poles are real, is designed as well', () => {
  const sections = butterworth(3, { lowHertz: 1, highHertz: 70 }, 150);
  expect(gainAt(sections, 1, 150)).toBeCloseTo(HALF, 9);
  expect(gainAt(sections, 70, 150)).toBeCloseTo(HALF, 9);
});

test.each<[string, number, Band, string]>([
  ['an order of 0', 0, { lowHertz: 1 }, 'order 0'],
  ['half an order', 1.5, { lowHertz: 1 }, 'order 1.5'],
  ['no band', 2, {}, 'a band needs'],
  ['an empty band', 2, { lowHertz: 5, highHertz: 5 }, 'is empty'],
])('%s is no filter', (_, order, band, message) => {
  expect(() => butterworth(order, band, RATE)).toThrow(RangeError);
  expect(() => butterworth(order, band, RATE)).toThrow(message);
});

test('a frequency that the sampling rate cannot carry is named', () => {
  expect(() => butterworth(4, { lowHertz: 1, highHertz: 80 }, RATE)).toThrow(SignalError);
  expect(() => butterworth(4, { lowHertz: 1, highHertz: 80 }, RATE)).toThrow(
    '80 Hz does not lie between 0 and half',
  );
  expect(() => notch(60, 30, 100)).toThrow(SignalError);
});

test('a notch takes its frequency out, half the power at the ends of its band, and nothing elsewhere', () => {
  const sections = notch(50, 25, 512);
  expect(gainAt(sections, 50, 512)).toBeLessThan(1e-12);
  // Ends f1, f2 with f2 − f1 = 2 Hz, and tan(πf1/r) tan(πf2/r) = tan²(π 50/r).
  const warp = (f: number): number => Math.tan((Math.PI * f) / 512);
  let [low, high] = [48, 50];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (warp(middle) * warp(middle + 2) < warp(50) ** 2) low = middle;
    else high = middle;
  }
  expect(gainAt(sections, low, 512)).toBeCloseTo(HALF, 9);
  expect(gainAt(sections, low + 2, 512)).toBeCloseTo(HALF, 9);
  for (const hertz of [0, 1, 20, 200, 256]) expect(gainAt(sections, hertz, 512)).toBeGreaterThan(0.99);
});

test('forwards and backwards a sine stays where it is, with the gain squared', () => {
  const filters: readonly Section[][] = [
    butterworth(4, { lowHertz: 1, highHertz: 40 }, RATE),
    butterworth(3, { highHertz: 20 }, RATE),
    butterworth(2, { lowHertz: 5 }, RATE),
    notch(60, 10, RATE),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...filters),
      fc.double({ min: 2, max: 75, noNaN: true }),
      (sections, hertz) => {
        const input = sine(hertz, 4800);
        const output = filterZeroPhase(sections, input);
        const gain = gainAt(sections, hertz, RATE) ** 2;
        expect(middleDifference(output, (i) => gain * input[i]!)).toBeLessThan(1e-6);
      },
    ),
    { numRuns: 40 },
  );
});

test('filtering is linear, and the same backwards in time but for the edges', () => {
  const sections = butterworth(4, { lowHertz: 2, highHertz: 30 }, RATE);
  const [a, b] = [sine(7, 3000), sine(23, 3000)];
  const sum = filterZeroPhase(
    sections,
    a.map((v, i) => 2 * v - b[i]!),
  );
  const [fa, fb] = [filterZeroPhase(sections, a), filterZeroPhase(sections, b)];
  expect(middleDifference(sum, (i) => 2 * fa[i]! - fb[i]!)).toBeLessThan(1e-12);
  const backwards = filterZeroPhase(sections, a.toReversed()).toReversed();
  expect(middleDifference(backwards, (i) => fa[i]!)).toBeLessThan(1e-6);
});

test('a constant passes a low-pass unchanged to its very ends, and a high-pass not at all', () => {
  const constant = new Float64Array(500).fill(-4100);
  const low = filterZeroPhase(butterworth(4, { highHertz: 30 }, RATE), constant);
  for (const value of low) expect(value).toBeCloseTo(-4100, 8);
  const high = filterZeroPhase(butterworth(4, { lowHertz: 1 }, RATE), constant);
  for (const value of high) expect(Math.abs(value)).toBeLessThan(1e-6);
});

test('signals of one sample or none are filtered like others', () => {
  const sections = butterworth(4, { highHertz: 30 }, RATE);
  expect(filterZeroPhase(sections, new Float64Array(0)).length).toBe(0);
  expect(filterZeroPhase(sections, Float64Array.of(3))[0]).toBeCloseTo(3, 9);
});

test('ringing ends where the impulse response has fallen below a thousandth', () => {
  // b ⁄ (1 − p z⁻¹) answers p^i: below a thousandth after log(0.001) ⁄ log(p) samples.
  const decay = 0.99;
  const sections: Section[] = [{ b0: 1, b1: 0, b2: 0, a1: -decay, a2: 0 }];
  const last = Math.floor(Math.log(0.001) / Math.log(decay));
  expect(ringingSamples(sections)).toBe(last);
  const endless: Section[] = [{ b0: 1, b1: 0, b2: 0, a1: -1, a2: 0 }];
  expect(ringingSamples(endless)).toBe(100_000);
});

test('an impulse gives the response that the section stands for', () => {
  const impulse = new Float64Array(5);
  impulse[0] = 1;
  runSections([{ b0: 2, b1: 1, b2: 3, a1: -0.5, a2: 0.25 }], impulse);
  // y[n] = 2 x[n] + x[n−1] + 3 x[n−2] + 0.5 y[n−1] − 0.25 y[n−2]
  expect([...impulse]).toEqual([2, 2, 3.5, 1.25, -0.25]);
});

test('each channel is filtered by itself', () => {
  const sections = butterworth(3, { lowHertz: 1, highHertz: 30 }, RATE);
  const channels = [sine(3, 900), sine(11, 900), new Float64Array(900).fill(7)];
  expect(filterAll(sections, channels)).toEqual(
    channels.map((channel) => filterZeroPhase(sections, channel)),
  );
  expect(filterAll(sections, [])).toEqual([]);
});
