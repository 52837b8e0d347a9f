/** Colour: exact values of each strength, clamping, grey. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../io/random.js';
import { exampleAround, pictureOf, pictures, told } from './augmentations.test.helper.js';
import { type ColourStrengths, colourJitter } from './colour_augmentations.js';
import type { Picture } from './image_augmentations.js';

const PICTURE = pictureOf([1, 2, 3], [100, 150, 200, 10, 20, 30]);

/** Draws are brightness, contrast, saturation, grey: 0 the least factor, 0.5 the factor 1, 0.75 half way to the most. */
function augmented(strengths: ColourStrengths, picture: Picture, ...draws: readonly number[]): number[] {
  return [...(colourJitter(strengths)({ image: picture }, told(...draws)).image as Picture).data];
}

describe('colour', () => {
  it('multiplies by the brightness and cuts at 255', () => {
    expect(augmented({ brightness: 1 }, PICTURE, 0.75, 0.5, 0.5, 0.5)).toEqual([150, 225, 255, 15, 30, 45]);
    expect(augmented({ brightness: 1 }, PICTURE, 0.25, 0.5, 0.5, 0.5)).toEqual([50, 75, 100, 5, 10, 15]);
  });

  it('brings values nearer to the mean luma, or further away, by the contrast', () => {
    // Luma of the pixels: 140.75 and 18.15; their mean: 79.45.
    const mean = (0.299 * 110 + 0.587 * 170 + 0.114 * 230) / 2;
    const at = (factor: number): number[] =>
      [...PICTURE.data].map((value) =>
        Math.max(0, Math.min(255, Math.round(mean + factor * (value - mean)))),
      );
    expect(augmented({ contrast: 1 }, PICTURE, 0.5, 0.25, 0.5, 0.5)).toEqual(at(0.5));
    expect(augmented({ contrast: 1 }, PICTURE, 0.5, 0.75, 0.5, 0.5)).toEqual(at(1.5));
    expect(augmented({ contrast: 1 }, PICTURE, 0.5, 0, 0.5, 0.5)).toEqual([79, 79, 79, 79, 79, 79]);
  });

  it('takes colour away from each pixel by the saturation, all of it where the picture becomes grey', () => {
    expect(augmented({ saturation: 1 }, PICTURE, 0.5, 0.5, 0, 0.5)).toEqual([141, 141, 141, 18, 18, 18]);
    expect(augmented({ grey: 0.6 }, PICTURE, 0.5, 0.5, 0.5, 0.5)).toEqual([141, 141, 141, 18, 18, 18]);
    expect(augmented({ grey: 0.4 }, PICTURE, 0.5, 0.5, 0.5, 0.5)).toEqual([...PICTURE.data]);
    expect(augmented({ saturation: 0.5 }, PICTURE, 0.5, 0.5, 0, 0.5)).toEqual(
      [100, 150, 200].map((value) => Math.round((value + 140.75) / 2)).concat([14, 19, 24]),
    );
  });

  it('does the three in turn without rounding in between', () => {
    const [bright, contrasted, saturated] = [1.5, 0.5, 1.5];
    const luma = (rgb: readonly number[]): number => 0.299 * rgb[0]! + 0.587 * rgb[1]! + 0.114 * rgb[2]!;
    const pixels = [
      [60, 90, 120],
      [40, 50, 30],
    ].map((rgb) => rgb.map((value) => value * bright));
    const mean = (luma(pixels[0]!) + luma(pixels[1]!)) / 2;
    const expected = pixels
      .map((rgb) => rgb.map((value) => mean + contrasted * (value - mean)))
      .flatMap((rgb) => rgb.map((value) => luma(rgb) + saturated * (value - luma(rgb))));
    const made = augmented(
      { brightness: 1, contrast: 1, saturation: 1 },
      pictureOf([1, 2, 3], [60, 90, 120, 40, 50, 30]),
      0.75,
      0.25,
      0.75,
      0.5,
    );
    for (const [i, value] of made.entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(0.5 + 1e-9);
  });

  it('takes a picture of one channel for luma', () => {
    const grey = pictureOf([1, 2, 1], [100, 200]);
    expect(augmented({ contrast: 1, saturation: 1 }, grey, 0.5, 0.25, 0, 0.5)).toEqual([125, 175]);
  });

  it('keeps shape and original; the same chance gives the same; strength 0 changes nothing', () => {
    fc.assert(
      fc.property(pictures, fc.string(), (image, seed) => {
        const example = exampleAround({ image });
        const before = structuredClone(example);
        const jitter = colourJitter({ brightness: 1, contrast: 1, saturation: 1, grey: 0.5 });
        const once = jitter(example, seededRandom(seed));
        expect(example).toEqual(before);
        expect(jitter(example, seededRandom(seed))).toEqual(once);
        const { data, shape } = once.image as Picture;
        expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype);
        expect([shape, data.length]).toEqual([image.shape, image.data.length]);
        expect(colourJitter({})(example, seededRandom(seed))).toEqual(example);
      }),
    );
  });

  it('leaves grey pixels grey whatever it does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.string(), (values, seed) => {
        const image = pictureOf(
          [1, values.length, 3],
          [...values].flatMap((value) => [value, value, value]),
        );
        const jitter = colourJitter({ brightness: 0.7, contrast: 0.7, saturation: 1 });
        const { data } = jitter({ image }, seededRandom(seed)).image as Picture;
        for (let at = 0; at < data.length; at += 3) {
          // The three sums round apart by a last bit, which shows where they fall on a half.
          expect(Math.abs(data[at]! - data[at + 1]!)).toBeLessThanOrEqual(1);
          expect(Math.abs(data[at]! - data[at + 2]!)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('refuses strengths beyond 1', () => {
    expect(() => colourJitter({ contrast: 1.5 })).toThrow('contrast is 1.5');
  });
});
