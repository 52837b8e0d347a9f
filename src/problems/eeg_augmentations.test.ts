/** Augmentations of windows: exact samples, which channels, which windows, and what stays. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../io/random.js';
import { exampleAround, floats, told, windows } from './augmentations.test.helper.js';
import type { Augmentation, DecodedExample, Tensor } from './decoded.js';
import {
  amplitudeScaling,
  channelDropout,
  EEG_WINDOWS,
  gaussianNoise,
  signFlip,
  timeMasking,
  timeShift,
} from './eeg_augmentations.js';

const WINDOW = floats([2, 4], [1, 2, 3, 4, 10, 20, 30, 40]);

function samples(example: DecodedExample, name = 'eeg/raw'): number[] {
  return [...(example[name] as Tensor).data];
}

function augmented(augmentation: Augmentation, ...draws: readonly number[]): number[] {
  return samples(augmentation({ 'eeg/raw': WINDOW }, told(...draws)));
}

describe('noise', () => {
  it('has in each channel the asked fraction of that channel’s deviation, and mean 0', () => {
    const length = 20_000;
    const amplitudes = [1, 50, 0];
    const data = amplitudes.flatMap((amplitude) =>
      Array.from({ length }, (_, i) => 7 + amplitude * Math.sqrt(2) * Math.sin((2 * Math.PI * i) / 100)),
    );
    const window = floats([3, length], data);
    const noisy = gaussianNoise({ fraction: 0.2 })({ 'eeg/raw': window }, seededRandom('noise'));
    for (const [channel, amplitude] of amplitudes.entries()) {
      const noise = samples(noisy)
        .slice(channel * length, (channel + 1) * length)
        .map((value, i) => value - (window.data[channel * length + i] as number));
      const mean = noise.reduce((sum, value) => sum + value, 0) / length;
      const deviation = Math.sqrt(noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length);
      expect(Math.abs(mean)).toBeLessThanOrEqual(0.01 * amplitude);
      expect(Math.abs(deviation - 0.2 * amplitude)).toBeLessThanOrEqual(0.01 * amplitude);
    }
  });
});

describe('a shift in time', () => {
  it('moves all channels alike, around or with the outermost sample', () => {
    // Half of 4 samples: −2 to 2, each a fifth of the draws.
    const shifted = (fill: 'circular' | 'edge', draw: number): number[] =>
      augmented(timeShift({ fraction: 0.5, fill }), draw);
    expect(shifted('circular', 0.9)).toEqual([3, 4, 1, 2, 30, 40, 10, 20]);
    expect(shifted('circular', 0.3)).toEqual([2, 3, 4, 1, 20, 30, 40, 10]);
    expect(shifted('edge', 0.9)).toEqual([1, 1, 1, 2, 10, 10, 10, 20]);
    expect(shifted('edge', 0.3)).toEqual([2, 3, 4, 4, 20, 30, 40, 40]);
    expect(shifted('edge', 0.5)).toEqual([...WINDOW.data]);
  });

  it('by the whole window leaves its outermost sample, or the window', () => {
    expect(augmented(timeShift({ fraction: 1 }), 0.999)).toEqual([1, 1, 1, 1, 10, 10, 10, 10]);
    expect(augmented(timeShift({ fraction: 1, fill: 'circular' }), 0)).toEqual([...WINDOW.data]);
  });
});

describe('dropout of channels', () => {
  it('sets whole channels to 0', () => {
    expect(augmented(channelDropout({ probability: 0.5 }), 0.1, 0.9, 0)).toEqual([
      0, 0, 0, 0, 10, 20, 30, 40,
    ]);
    expect(augmented(channelDropout({ probability: 0.5 }), 0.9, 0.9, 0)).toEqual([...WINDOW.data]);
  });

  it('leaves one, by chance, where all would go', () => {
    expect(augmented(channelDropout({ probability: 1 }), 0, 0, 0.6)).toEqual([0, 0, 0, 0, 10, 20, 30, 40]);
    expect(augmented(channelDropout({ probability: 1 }), 0, 0, 0.4)).toEqual([1, 2, 3, 4, 0, 0, 0, 0]);
  });

  it('takes the same channels from all windows of a triplet where chance decides once', () => {
    const triplet = Object.fromEntries(['eeg/a', 'eeg/b', 'eeg/c'].map((name) => [name, WINDOW]));
    const dropped = channelDropout({ probability: 0.5, per: 'example' })(triplet, told(0.9, 0.1, 0));
    for (const name of Object.keys(triplet)) expect(samples(dropped, name)).toEqual([1, 2, 3, 4, 0, 0, 0, 0]);
    const apart = channelDropout({ probability: 0.5 })(triplet, told(0.9, 0.1, 0, 0.9, 0.9, 0, 0.1, 0.9, 0));
    expect(samples(apart, 'eeg/b')).toEqual([...WINDOW.data]);
    expect(samples(apart, 'eeg/c')).toEqual([0, 0, 0, 0, 10, 20, 30, 40]);
  });
});

describe('a mask in time', () => {
  it('sets a stretch of all channels to each one’s mean', () => {
    // Up to 2 of 4 samples: 0.9 draws 2 of {0, 1, 2}; 0.4 draws the second of three places.
    expect(augmented(timeMasking({ fraction: 0.5 }), 0.9, 0.4)).toEqual([1, 2.5, 2.5, 4, 10, 25, 25, 40]);
    expect(augmented(timeMasking({ fraction: 0.5 }), 0.1, 0.4)).toEqual([...WINDOW.data]);
  });
});

describe('amplitude and sign', () => {
  it('scales all channels by one factor', () => {
    expect(augmented(amplitudeScaling({ fraction: 0.5 }), 0)).toEqual([0.5, 1, 1.5, 2, 5, 10, 15, 20]);
    expect(augmented(amplitudeScaling({ fraction: 0.5 }), 0.75)).toEqual([
      1.25, 2.5, 3.75, 5, 12.5, 25, 37.5, 50,
    ]);
  });

  it('turns all channels or none', () => {
    expect(augmented(signFlip(), 0.4)).toEqual([-1, -2, -3, -4, -10, -20, -30, -40]);
    expect(augmented(signFlip(), 0.6)).toEqual([...WINDOW.data]);
  });
});

describe('any of them', () => {
  const all: readonly (readonly [string, Augmentation])[] = [
    ['noise', gaussianNoise({ fraction: 1 })],
    ['circular shift', timeShift({ fraction: 1, fill: 'circular' })],
    ['edge shift', timeShift({ fraction: 0.7 })],
    ['dropout', channelDropout({ probability: 0.5 })],
    ['mask', timeMasking({ fraction: 1 })],
    ['scaling', amplitudeScaling({ fraction: 1 })],
    ['sign', signFlip()],
  ];

  it.each(all)(
    '%s: changes windows alone, keeps shape and original; the same chance gives the same',
    (_, augment) => {
      fc.assert(
        fc.property(windows, fc.constantFrom(...EEG_WINDOWS), fc.string(), (window, name, seed) => {
          const example = exampleAround({
            [name]: window,
            'eeg/positions': floats([2, 3], [1, 2, 3, 4, 5, 6]),
            'eeg/sampling_rate': floats([], [160]),
          });
          const before = structuredClone(example);
          const once = augment(example, seededRandom(seed));
          expect(example).toEqual(before);
          expect(augment(example, seededRandom(seed))).toEqual(once);
          const { data, shape } = once[name] as Tensor;
          expect([shape, data.length]).toEqual([window.shape, window.data.length]);
          expect(data).toBeInstanceOf(Float32Array);
          expect(data.every(Number.isFinite)).toBe(true);
          expect({ ...once, [name]: window }).toEqual(example);
        }),
      );
    },
  );

  it.each([
    ['noise', gaussianNoise({ fraction: 0 })],
    ['shift', timeShift({ fraction: 0 })],
    ['dropout', channelDropout({ probability: 0 })],
    ['mask', timeMasking({ fraction: 0 })],
    ['scaling', amplitudeScaling({ fraction: 0 })],
    ['sign', signFlip({ probability: 0 })],
  ] as const)('%s: nothing changes at strength 0', (_, augment) => {
    fc.assert(
      fc.property(windows, fc.string(), (window, seed) => {
        const example = exampleAround({ 'eeg/raw': window });
        expect(augment(example, seededRandom(seed))).toEqual(example);
      }),
    );
  });

  it('changes windows of other names where they are named', () => {
    const example = { 'body/raw': WINDOW, 'eeg/raw': WINDOW };
    const flipped = signFlip({ windows: ['body/raw'] })(example, told(0));
    expect(samples(flipped, 'body/raw')[0]).toBe(-1);
    expect(flipped['eeg/raw']).toBe(WINDOW);
  });

  it('refuses strengths that can’t be', () => {
    for (const make of [gaussianNoise, timeShift, timeMasking, amplitudeScaling])
      expect(() => make({ fraction: 1.01 })).toThrow('fraction is 1.01');
    expect(() => channelDropout({ probability: -1 })).toThrow(RangeError);
  });
});
