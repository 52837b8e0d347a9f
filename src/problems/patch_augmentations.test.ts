/** Patch masking: how many patches, which pixels, what they hold and what a model gets to compare with. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../io/random.js';
import { exampleAround, pictureOf, pictures, told } from './augmentations.test.helper.js';
import type { Tensor } from './decoded.js';
import type { Picture } from './image_augmentations.js';
import { patchMasking } from './patch_augmentations.js';

describe('patch masking', () => {
  it('fills whole patches with the picture’s mean colour', () => {
    const picture = pictureOf([2, 4, 1], [0, 10, 20, 30, 40, 50, 60, 70]);
    // Two patches of 2 × 2; one is masked, the second by the number drawn.
    const masked = patchMasking({ fraction: 0.5, pixels: 2 })({ image: picture }, told(0.6));
    expect([...(masked.image as Picture).data]).toEqual([0, 10, 35, 35, 40, 50, 35, 35]);
  });

  it('gives the mask and the whole picture beside it where a model needs them', () => {
    const image = pictureOf([5, 4, 3], new Array<number>(60).fill(7));
    const masked = patchMasking({ fraction: 0.5, pixels: 2, withTarget: true, fill: 'noise' })(
      { image },
      seededRandom('mask'),
    );
    const mask = masked['image/mask'] as Tensor<Uint8Array>;
    // Rows of patches of 2, 2 and 1 pixels.
    expect(mask.shape).toEqual([3, 2]);
    expect(mask.data.reduce((sum, value) => sum + value, 0)).toBe(3);
    expect(masked['image/whole']).toBe(image);
  });

  it('masks the asked number of patches, changes nothing outside them, and knows no favourites', () => {
    const times = new Float64Array(9);
    for (let run = 0; run < 900; run++) {
      const image = pictureOf([9, 9, 1], new Array<number>(81).fill(7));
      const masked = patchMasking({ fraction: 1 / 3, pixels: 3, withTarget: true })(
        { image },
        seededRandom(`${run}`),
      );
      for (const [i, value] of (masked['image/mask'] as Tensor<Uint8Array>).data.entries())
        times[i]! += value;
    }
    // A third of 900 each; the deviation of a binomial count is 14.
    for (const count of times) expect(Math.abs(count - 300)).toBeLessThan(70);
    expect(times.reduce((sum, count) => sum + count, 0)).toBe(2700);
  });

  it('hides the same patches of all pictures where chance decides once for the example', () => {
    const picture = pictureOf([8, 8, 1], new Array<number>(64).fill(1));
    const masking = patchMasking({ fraction: 0.5, pixels: 2, per: 'example', withTarget: true });
    const masked = masking({ 'image/a': picture, 'image/b': picture }, seededRandom('x'));
    expect(masked['image/a/mask']).toEqual(masked['image/b/mask']);
    const apart = patchMasking({ fraction: 0.5, pixels: 2, withTarget: true });
    const others = apart({ 'image/a': picture, 'image/b': picture }, seededRandom('x'));
    expect(others['image/a/mask']).not.toEqual(others['image/b/mask']);
  });

  it('changes masked pixels alone, keeps shape and original, and does the same with the same chance', () => {
    fc.assert(
      fc.property(
        pictures,
        fc.string(),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('mean' as const, 'noise' as const),
        (image, seed, pixels, fraction, fill) => {
          const example = exampleAround({ image });
          const before = structuredClone(example);
          const masking = patchMasking({ fraction, pixels, fill, withTarget: true });
          const once = masking(example, seededRandom(seed));
          expect(example).toEqual(before);
          expect(masking(example, seededRandom(seed))).toEqual(once);
          const { data, shape } = once.image as Picture;
          expect(shape).toEqual(image.shape);
          const mask = once['image/mask'] as Tensor<Uint8Array>;
          const [, width, channels] = image.shape as [number, number, number];
          const [, columns] = mask.shape as [number, number];
          expect(mask.data.reduce((sum, value) => sum + value, 0)).toBe(
            Math.round(fraction * mask.data.length),
          );
          for (const [at, value] of data.entries()) {
            const [x, y] = [Math.floor(at / channels) % width, Math.floor(at / channels / width)];
            const isMasked = mask.data[Math.floor(y / pixels) * columns + Math.floor(x / pixels)] === 1;
            if (!isMasked) expect(value).toBe(image.data[at]);
          }
          const { 'image/mask': _, 'image/whole': whole, ...rest } = once;
          expect({ ...rest, image: whole }).toEqual(example);
        },
      ),
    );
  });

  it('changes nothing at fraction 0, and refuses what can’t be', () => {
    const example = exampleAround({ image: pictureOf([2, 2, 1], [1, 2, 3, 4]) });
    expect(patchMasking({ fraction: 0, pixels: 1 })(example, told())).toEqual(example);
    expect(() => patchMasking({ fraction: 2, pixels: 1 })).toThrow(RangeError);
    expect(() => patchMasking({ fraction: 1, pixels: 0 })).toThrow('pixels is 0');
  });
});
