import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RateRatio, rateRatio, resample as resampleAll, resampleReach } from './resample.js';
import type { ChannelSamples } from './signal.js';
import { SignalError } from './signal_error.js';

const resample = (channel: ChannelSamples, ratio: RateRatio): Float64Array =>
  resampleAll([channel], ratio)[0]!;

test.each([
  [160, 128, 4, 5],
  [256, 128, 1, 2],
  [100, 128, 32, 25],
  [512, 100, 25, 128],
  [128, 128, 1, 1],
  [249.75, 250, 1000, 999],
  [1 / 3, 1, 3, 1],
])('%d Hz to %d Hz is the ratio %i ⁄ %i', (from, to, up, down) => {
  expect(rateRatio(from, to)).toEqual({ up, down });
});

test('ratios in lowest terms are found again from the rates', () => {
  const number = fc.integer({ min: 1, max: 1000 });
  fc.assert(
    fc.property(number, number, fc.double({ min: 0.1, max: 1000, noNaN: true }), (up, down, rate) => {
      const ratio = rateRatio(rate, (rate * up) / down);
      expect(ratio.up * down).toBe(ratio.down * up);
    }),
  );
});

test('rates whose ratio is none of small whole numbers are refused', () => {
  expect(() => rateRatio(100, 100 * Math.PI)).toThrow(SignalError);
  expect(() => rateRatio(1e7, 1)).toThrow(SignalError);
  expect(() => rateRatio(0, 100)).toThrow(RangeError);
});

test('a sine that both rates can carry is the same sine afterwards, at the same times', () => {
  const rates = fc.constantFrom([160, 128], [160, 100], [100, 128], [256, 64], [128, 256], [
    250, 160,
  ] as const);
  fc.assert(
    fc.property(rates, fc.double({ min: 0.05, max: 0.7, noNaN: true }), ([from, to], share) => {
      const hertz = (share * Math.min(from!, to!)) / 2;
      const value = (seconds: number): number => Math.sin(2 * Math.PI * hertz * seconds + 0.7);
      const input = Float64Array.from({ length: 8 * from! }, (_, i) => value(i / from!));
      const output = resample(input, rateRatio(from!, to!));
      expect(output.length).toBe(8 * to!);
      for (let i = 2 * to!; i < 6 * to!; i++)
        expect(Math.abs(output[i]! - value(i / to!))).toBeLessThan(0.005);
    }),
  );
});

test('a sine beyond half of the new rate is taken out rather than folded back', () => {
  const input = Float64Array.from({ length: 1600 }, (_, i) => Math.sin((2 * Math.PI * 75 * i) / 160));
  const output = resample(input, rateRatio(160, 100));
  for (let i = 200; i < 800; i++) expect(Math.abs(output[i]!)).toBeLessThan(0.01);
});

test('a constant stays one to its ends, as an offset of electrodes must', () => {
  const output = resample(new Float32Array(333).fill(-5000), rateRatio(160, 128));
  expect(output.length).toBe(Math.ceil((333 * 4) / 5));
  for (const value of output) expect(Math.abs(value + 5000)).toBeLessThan(5);
});

test('signals shorter than the filter are resampled too', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom([160, 128], [100, 512], [512, 100]),
      (length, [from, to]) => {
        const ratio = rateRatio(from!, to!);
        const output = resample(new Float64Array(length).fill(2), ratio);
        expect(output.length).toBe(Math.ceil((length * ratio.up) / ratio.down));
        for (const value of output) expect(value).toBeCloseTo(2, 1);
      },
    ),
  );
});

test('a sample depends on those within reach and on no others', () => {
  const ratio = rateRatio(160, 128);
  const impulse = new Float64Array(400);
  impulse[200] = 1;
  const output = resample(impulse, ratio);
  const touched = [...output.keys()].filter((i) => output[i] !== 0);
  const reach = Math.max(...touched.map((i) => Math.abs((i * 5) / 4 - 200)));
  expect(reach).toBeLessThanOrEqual(resampleReach(ratio));
  expect(reach).toBeGreaterThan(resampleReach(ratio) - 2);
  expect(resampleReach(rateRatio(128, 128))).toBe(0);
});

test('each channel is resampled by itself, however many there are', () => {
  const ratio = rateRatio(160, 128);
  const channels = Array.from({ length: 9 }, (_, c) =>
    Float64Array.from({ length: 500 }, (_, i) => Math.sin(i * (0.1 + 0.05 * c))),
  );
  for (let count = 0; count <= 9; count++) {
    const together = resampleAll(channels.slice(0, count), ratio);
    expect(together).toEqual(channels.slice(0, count).map((channel) => resample(channel, ratio)));
  }
});
