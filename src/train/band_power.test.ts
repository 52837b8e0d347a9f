import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bandPowerEmbedding, EEG_BANDS } from './band_power.js';
import { fft, welch } from './power_spectrum.js';

test('the transform is that of its definition', () => {
  const value = fc.double({ min: -1000, max: 1000, noNaN: true });
  const signals = fc
    .integer({ min: 0, max: 5 })
    .chain((bits) => fc.array(fc.tuple(value, value), { minLength: 2 ** bits, maxLength: 2 ** bits }));
  fc.assert(
    fc.property(signals, (signal) => {
      const real = Float64Array.from(signal, ([re]) => re);
      const imaginary = Float64Array.from(signal, ([, im]) => im);
      fft(real, imaginary);
      for (let k = 0; k < signal.length; k++) {
        let [re, im] = [0, 0];
        for (const [n, [x, y]] of signal.entries()) {
          const angle = (-2 * Math.PI * k * n) / signal.length;
          re += x * Math.cos(angle) - y * Math.sin(angle);
          im += x * Math.sin(angle) + y * Math.cos(angle);
        }
        // Sums of up to 32 numbers of up to 1000.
        expect(Math.abs(real[k]! - re)).toBeLessThan(1e-8);
        expect(Math.abs(imaginary[k]! - im)).toBeLessThan(1e-8);
      }
    }),
  );
  expect(() => fft(new Float64Array(3), new Float64Array(3))).toThrow('power of two');
});

test('a wave has half its squared amplitude as power, where it is', () => {
  const wave = Float64Array.from({ length: 1024 }, (_, i) => 3 * Math.sin((2 * Math.PI * 10 * i) / 128));
  const { density, step } = welch(wave, 128, 256);
  const power = (from: number, to: number) =>
    density.reduce((sum, value, i) => (i * step >= from && i * step < to ? sum + value * step : sum), 0);
  expect(step).toBe(0.5);
  expect(power(8, 12)).toBeCloseTo(4.5, 10);
  expect(power(0, 8)).toBeCloseTo(0, 10);
});

test('each band answers to a wave in it, channel by channel', () => {
  const rate = 160;
  const bands = Object.keys(EEG_BANDS);
  const hertz = [2, 6, 10, 20, 35];
  const samples = rate * 4;
  const data = Float32Array.from({ length: hertz.length * samples }, (_, i) =>
    Math.sin((2 * Math.PI * hertz[Math.floor(i / samples)]! * (i % samples)) / rate),
  );
  const powers = bandPowerEmbedding({ data, shape: [hertz.length, samples] }, rate);
  for (const [channel] of hertz.entries()) {
    const own = powers.subarray(channel * bands.length, (channel + 1) * bands.length);
    expect(own.indexOf(Math.max(...own))).toBe(channel);
    expect(10 ** own[channel]!).toBeCloseTo(0.5, 2);
  }
});

test('a flat channel has a finite value', () => {
  const flat = bandPowerEmbedding({ data: new Float32Array(400).fill(7), shape: [1, 400] }, 100);
  expect(flat.every((value) => Number.isFinite(value) && value < -15)).toBe(true);
});
