/** Flips, shifts and crops: exact pixels, and what of the face moves along. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resample } from '../faces/warp.js';
import { seededRandom } from '../io/random.js';
import { exampleAround, floats, pictureOf, pictures, told } from './augmentations.test.helper.js';
import type { Augmentation, DecodedExample, Tensor } from './decoded.js';
import type { Picture } from './image_augmentations.js';
import { horizontalFlip, randomCrop, randomShift } from './placement_augmentations.js';

const ROW = pictureOf([1, 4, 1], [10, 20, 30, 40]);

function augmented(augmentation: Augmentation, picture: Picture, ...numbers: readonly number[]): number[] {
  return [...dataOf(augmentation({ image: picture }, told(...numbers)), 'image')];
}

function dataOf(example: DecodedExample, name: string): Iterable<number> {
  return (example[name] as Tensor).data;
}

function matrixOf(example: DecodedExample): [number, number, number, number, number, number] {
  return [...dataOf(example, 'image/face/matrix')] as [number, number, number, number, number, number];
}

describe('a flip', () => {
  it('exchanges left and right, pixel by pixel, and keeps a pixel’s channels in order', () => {
    expect(
      augmented(horizontalFlip(), pictureOf([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), 0.4),
    ).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
    expect(augmented(horizontalFlip(), ROW, 0.5)).toEqual([10, 20, 30, 40]);
  });

  it('is decided for each picture by itself, or once for the example', () => {
    const example = { 'image/a': ROW, 'image/b': ROW, 'image/c': ROW };
    const flipped = (made: DecodedExample): boolean[] =>
      ['image/a', 'image/b', 'image/c'].map((name) => [...dataOf(made, name)][0] === 40);
    expect(flipped(horizontalFlip()(example, told(0.1, 0.9, 0.2)))).toEqual([true, false, true]);
    expect(flipped(horizontalFlip({ per: 'example' })(example, told(0.1)))).toEqual([true, true, true]);
    expect(flipped(horizontalFlip({ pictures: ['image/b'] })(example, told(0.1)))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('carries the face along: its matrix leads to the mirrored pixels, and left is left as seen in the crop', () => {
    // Scale 0.5 and a shift: left eye at (2, 4) of the photograph lies at (1 + 1, 2 + 0) = (2, 2) of the crop.
    const example = {
      image: pictureOf(
        [8, 8, 1],
        Array.from({ length: 64 }, (_, i) => i),
      ),
      'image/face/matrix': floats([6], [0.5, 0, 1, 0, 0.5, 0]),
      'image/face/landmarks': floats([10], [2, 4, 10, 4, 6, 8, 3, 12, 9, 12]),
      'image/face/pose': floats([3], [5, -20, 7]),
      'image/face/box': floats([4], [0, 0, 12, 14]),
    };
    const flipped = horizontalFlip()(example, told(0));
    const [a, b, tx, c, d, ty] = matrixOf(flipped);
    const points = [...dataOf(flipped, 'image/face/landmarks')];
    const inCrop = (i: number): number[] => {
      const [x, y] = points.slice(2 * i, 2 * i + 2) as [number, number];
      return [a * x + b * y + tx, c * x + d * y + ty];
    };
    // What was the right eye, at x = 6 of the crop, is now its left eye, at x = 7 − 6.
    expect([inCrop(0), inCrop(1), inCrop(2)]).toEqual([
      [1, 2],
      [5, 2],
      [3, 4],
    ]);
    expect([inCrop(3), inCrop(4)]).toEqual([
      [1.5, 6],
      [4.5, 6],
    ]);
    expect([...dataOf(flipped, 'image/face/pose')]).toEqual([-5, 20, 7]);
    expect(flipped['image/face/box']).toBe(example['image/face/box']);
  });

  it('mirrors landmarks that are pixels of the picture itself, and refuses points whose pairs it can’t know', () => {
    const flipped = horizontalFlip()(
      { 'image/a': ROW, 'image/a/landmarks': floats([5, 2], [0, 0, 3, 0, 1, 1, 0, 2, 2, 2]) },
      told(0),
    );
    expect([...dataOf(flipped, 'image/a/landmarks')]).toEqual([0, 0, 3, 0, 2, 1, 1, 2, 3, 2]);
    expect(flipped['image/a/landmarks']).toMatchObject({ shape: [5, 2] });
    const three = { 'image/a': ROW, 'image/a/landmarks': floats([6], [0, 0, 1, 1, 2, 2]) };
    expect(() => horizontalFlip()(three, told(0))).toThrow('image/a/landmarks has 3 points');
  });

  it('undoes itself', () => {
    const numbers = fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(pictures, numbers, (image, landmarks) => {
        const example = exampleAround({
          image,
          'image/face/landmarks': floats([10], landmarks),
          'image/landmarks': floats([10], landmarks),
          'image/face/matrix': floats([6], landmarks.slice(0, 6)),
        });
        const flip = horizontalFlip({ probability: 1 });
        const twice = flip(flip(example, told(0)), told(0));
        // −0 is 0: a matrix may get one.
        expect(JSON.stringify(twice)).toBe(JSON.stringify(example));
      }),
    );
  });
});

describe('a shift', () => {
  it('moves pixels right and down, and fills from the mirrored picture or with its border', () => {
    // 0.75 of 4 pixels is 3; the drawn 0.999 is 3 to the right, 0 is 3 to the left.
    const row = (fill: 'reflect' | 'edge', drawn: number): number[] =>
      augmented(randomShift({ fraction: 0.75, fill }), ROW, drawn, 0.5);
    expect(row('edge', 0.999)).toEqual([10, 10, 10, 10]);
    expect(row('reflect', 0.999)).toEqual([40, 30, 20, 10]);
    expect(row('edge', 0.72)).toEqual([10, 10, 10, 20]);
    expect(row('reflect', 0.72)).toEqual([30, 20, 10, 20]);
    expect(row('edge', 0)).toEqual([40, 40, 40, 40]);
    expect(row('reflect', 0.2)).toEqual([30, 40, 30, 20]);
    const column = pictureOf([4, 1, 1], [10, 20, 30, 40]);
    expect(augmented(randomShift({ fraction: 0.75, fill: 'edge' }), column, 0.5, 0.72)).toEqual([
      10, 10, 10, 20,
    ]);
  });

  it('is by each number of pixels equally often', () => {
    const marked = pictureOf([1, 9, 1], [0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const counts = new Array<number>(9).fill(0);
    for (let i = 0; i < 900; i++)
      counts[augmented(randomShift({ fraction: 0.34, fill: 'edge' }), marked, i / 900, 0).indexOf(1)]! += 1;
    // 0.34 of 9 pixels is 3: seven shifts.
    expect(counts.slice(0, 1).concat(counts.slice(8))).toEqual([0, 0]);
    for (const count of counts.slice(1, 8)) expect(Math.abs(count - 900 / 7)).toBeLessThan(2);
  });

  it('moves the face’s matrix as the pixels, and leaves the photograph’s landmarks alone', () => {
    const landmarks = floats([10], [1, 1, 2, 1, 1, 2, 1, 3, 2, 3]);
    const example = {
      image: ROW,
      'image/face/matrix': floats([6], [2, 0, 1, 0, 2, 5]),
      'image/face/landmarks': landmarks,
    };
    const moved = randomShift({ fraction: 0.5 })(example, told(0.99, 0.5));
    expect([...dataOf(moved, 'image/face/matrix')]).toEqual([2, 0, 3, 0, 2, 5]);
    expect(moved['image/face/landmarks']).toBe(landmarks);
  });
});

describe('a random crop', () => {
  it('enlarges a part of the asked area as the warp of crops does by the matrix that it says', () => {
    const side = 32;
    const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 7919) % 251);
    // Area 0.25: half of each side, its left edge at 16 · 0.25, its top at 16 · 0.75.
    const crop = randomCrop({ leastArea: 0.25 })(
      { image: { data, shape: [side, side, 3] }, 'image/face/matrix': floats([6], [1, 0, 0, 0, 1, 0]) },
      told(0, 0.5, 0.25, 0.75),
    );
    const [a, , tx, , d, ty] = matrixOf(crop);
    expect([a, d, tx, ty]).toEqual([2, 2, -7.5, -23.5]);
    const warped = resample({ data, width: side, height: side }, { a, b: 0, tx, ty }, side, 'edge');
    for (const [i, value] of [...dataOf(crop, 'image')].entries())
      expect(Math.abs(value - (warped.data[i] as number))).toBeLessThanOrEqual(1);
  });

  it('says in the matrix where pixels went', () => {
    const picture = pictureOf([8, 8, 1], new Array<number>(64).fill(9));
    const crop = randomCrop({ leastArea: 0.25 })(
      { image: picture, 'image/face/matrix': floats([6], [1, 0, 0, 0, 1, 0]) },
      told(0, 0.5, 0.5, 0.5),
    );
    // The middle, at 3.5, stays; a corner of the part, at its left edge 2 − 0.5, becomes the edge −0.5.
    const [a, , tx, , d, ty] = matrixOf(crop);
    expect([a * 3.5 + tx, d * 3.5 + ty, a * 1.5 + tx]).toEqual([3.5, 3.5, -0.5]);
  });

  it('keeps a picture of one colour as it is', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.string(), (value, seed) => {
        const image = pictureOf([5, 7, 1], new Array<number>(35).fill(value));
        const crop = randomCrop({ leastArea: 0.05, mostStretch: 2 })({ image }, seededRandom(seed));
        expect(crop.image).toEqual(image);
      }),
    );
  });
});

describe('any of them', () => {
  const all: readonly (readonly [string, Augmentation])[] = [
    ['flip', horizontalFlip({ probability: 1 })],
    ['shift', randomShift({ fraction: 1 })],
    ['edge shift', randomShift({ fraction: 0.4, fill: 'edge' })],
    ['crop', randomCrop({ leastArea: 0.1, mostStretch: 1.5 })],
  ];

  it.each(all)(
    '%s: keeps shape, range and the original; the same chance gives the same',
    (_, augmentation) => {
      fc.assert(
        fc.property(pictures, fc.string(), (image, seed) => {
          const example = exampleAround({ image });
          const before = structuredClone(example);
          const once = augmentation(example, seededRandom(seed));
          expect(example).toEqual(before);
          expect(augmentation(example, seededRandom(seed))).toEqual(once);
          const made = once.image as Picture;
          expect(made.data).toBeInstanceOf(Uint8Array);
          expect([made.shape, made.data.length]).toEqual([image.shape, image.data.length]);
          const values = [...image.data];
          for (const value of made.data) {
            expect(value).toBeGreaterThanOrEqual(Math.min(...values));
            expect(value).toBeLessThanOrEqual(Math.max(...values));
          }
          expect({ ...once, image }).toEqual(example);
        }),
      );
    },
  );

  it.each([
    ['flip', horizontalFlip({ probability: 0 })],
    ['shift', randomShift({ fraction: 0 })],
    ['crop', randomCrop({ leastArea: 1 })],
  ] as const)('%s: nothing changes at strength 0', (_, augmentation) => {
    fc.assert(
      fc.property(pictures, fc.string(), (image, seed) => {
        const example = exampleAround({ image });
        expect(augmentation(example, seededRandom(seed))).toEqual(example);
      }),
    );
  });

  it('refuses strengths that can’t be', () => {
    expect(() => horizontalFlip({ probability: 1.1 })).toThrow(RangeError);
    expect(() => randomShift({ fraction: -0.1 })).toThrow(RangeError);
    expect(() => randomCrop({ leastArea: 0 })).toThrow(RangeError);
    expect(() => randomCrop({ leastArea: 0.5, mostStretch: 0.9 })).toThrow(RangeError);
    expect(() => randomShift({ fraction: Number.NaN })).toThrow(RangeError);
  });
});
