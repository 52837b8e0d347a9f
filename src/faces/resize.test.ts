import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RgbImage } from './face.js';
import { resize, squareNumbers } from './resize.js';

const picture: fc.Arbitrary<RgbImage> = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), fc.nat())
  .map(([width, height, seed]) => ({
    width,
    height,
    data: Uint8Array.from(
      { length: width * height * 3 },
      (_, i) => (Math.imul(i + seed, 2_654_435_761) >>> 13) & 255,
    ),
  }));
const side = fc.integer({ min: 1, max: 45 });

test('one colour stays what it is at any size', () => {
  fc.assert(
    fc.property(picture, side, side, fc.nat(255), (image, width, height, grey) => {
      const plain = { ...image, data: new Uint8Array(image.data.length).fill(grey) };
      const { data } = resize(plain, width, height);
      expect(data.length).toBe(width * height * 3);
      expect(data.every((value) => value === grey)).toBe(true);
    }),
  );
});

test('shrinking gives the mean of what each pixel covers, in proportion', () => {
  fc.assert(
    fc.property(picture, side, side, (image, across, down) => {
      const width = Math.min(across, image.width);
      const height = Math.min(down, image.height);
      const { data } = resize(image, width, height);
      const stretch = (i: number, from: number, to: number): number[] =>
        Array.from({ length: from }, (_, k) =>
          Math.max(0, Math.min(k + 1, ((i + 1) * from) / to) - Math.max(k, (i * from) / to)),
        );
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          let sum = 0;
          let area = 0;
          stretch(row, image.height, height).forEach((rowPart, y) => {
            stretch(column, image.width, width).forEach((part, x) => {
              sum += rowPart * part * image.data[(y * image.width + x) * 3 + 1]!;
              area += rowPart * part;
            });
          });
          const error = Math.abs(data[(row * width + column) * 3 + 1]! - sum / area);
          // Halfway cases may fall to either side in single precision.
          expect(error).toBeLessThan(0.501);
        }
    }),
    { numRuns: 40 },
  );
});

test('growing draws a straight ramp between two pixels and keeps the border’s colour', () => {
  const data = Uint8Array.from([0, 0, 0, 200, 200, 200]);
  const grown = resize({ width: 2, height: 1, data }, 8, 1).data;
  expect([...grown].filter((_, i) => i % 3 === 0)).toEqual([0, 0, 25, 75, 125, 175, 200, 200]);
});

test('the size it has already gives the same picture back', () => {
  const image = { width: 2, height: 1, data: Uint8Array.from([1, 2, 3, 4, 5, 6]) };
  expect(resize(image, 2, 1)).toBe(image);
});

test('sides that are no whole numbers above 0 are refused', () => {
  const image = { width: 1, height: 1, data: new Uint8Array(3) };
  for (const width of [0, -1, 1.5, Number.NaN]) expect(() => resize(image, width, 1)).toThrow(RangeError);
});

test('a square has its pixels from −1 to 1, and 0 where the picture is not', () => {
  fc.assert(
    fc.property(
      picture,
      fc.integer({ min: -40, max: 40 }),
      fc.integer({ min: -40, max: 40 }),
      side,
      (image, left, top, size) => {
        const numbers = squareNumbers(image, left, top, size);
        for (let i = 0; i < numbers.length; i++) {
          const x = left + (Math.floor(i / 3) % size);
          const y = top + Math.floor(i / 3 / size);
          const isInside = x >= 0 && y >= 0 && x < image.width && y < image.height;
          const expected = isInside ? image.data[(y * image.width + x) * 3 + (i % 3)]! / 127.5 - 1 : 0;
          if (numbers[i] !== Math.fround(expected)) expect(numbers[i]).toBe(Math.fround(expected));
        }
      },
    ),
    { numRuns: 50 },
  );
});
