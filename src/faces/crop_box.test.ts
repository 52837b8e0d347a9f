import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apply } from './align.js';
import { cropBox, cropSquare } from './crop_box.js';
import type { RgbImage } from './face.js';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const box = fc.record({
  left: number(-100, 300),
  top: number(-100, 300),
  width: number(0.5, 400),
  height: number(0.5, 400),
});
const sides = fc.record({
  width: fc.integer({ min: 1, max: 300 }),
  height: fc.integer({ min: 1, max: 300 }),
});

function plain(width: number, height: number, value = 200): RgbImage {
  return { width, height, data: new Uint8Array(width * height * 3).fill(value) };
}

test('a padded square is centred on its box and as long as box and margin say', () => {
  fc.assert(
    fc.property(sides, box, number(0, 2), (picture, each, margin) => {
      const square = cropSquare(picture, each, { margin, outside: 'pad' });
      const isSeen =
        each.left < picture.width &&
        each.top < picture.height &&
        each.left + each.width > 0 &&
        each.top + each.height > 0;
      expect(square !== undefined).toBe(isSeen);
      if (square === undefined) return;
      expect(square.width).toBe(square.height);
      expect(square.width).toBeCloseTo(Math.max(each.width, each.height) * (1 + margin), 9);
      expect(square.left + square.width / 2).toBeCloseTo(each.left + each.width / 2, 9);
      expect(square.top + square.height / 2).toBeCloseTo(each.top + each.height / 2, 9);
    }),
  );
});

test('a clipped square lies inside the picture, as near to its box as that allows', () => {
  fc.assert(
    fc.property(sides, box, number(0, 2), (picture, each, margin) => {
      const square = cropSquare(picture, each, { margin, outside: 'clip' });
      const padded = cropSquare(picture, each, { margin, outside: 'pad' });
      if (square === undefined || padded === undefined) {
        expect(square).toBe(padded);
        return;
      }
      expect(square.width).toBe(square.height);
      expect(square.width).toBe(Math.min(padded.width, picture.width, picture.height));
      for (const [start, extent, wanted] of [
        [square.left, picture.width, each.left + each.width / 2],
        [square.top, picture.height, each.top + each.height / 2],
      ] as const) {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start + square.width).toBeLessThanOrEqual(extent + 1e-9);
        const centre = start + square.width / 2;
        const isAtBorder = start < 1e-9 || start + square.width > extent - 1e-9;
        expect(isAtBorder || Math.abs(centre - wanted) < 1e-9).toBe(true);
      }
    }),
  );
});

test('a clipped crop shows no fill, a padded one fill where there is no picture and only there', () => {
  fc.assert(
    fc.property(sides, box, fc.integer({ min: 1, max: 40 }), (picture, each, size) => {
      const image = plain(picture.width, picture.height);
      const spec = { margin: 0.2, size, fill: [0, 0, 0] as const };
      if (cropSquare(image, each, { ...spec, outside: 'pad' }) === undefined) return;
      const clipped = cropBox(image, each, { ...spec, outside: 'clip' }).image;
      expect(clipped.data.length).toBe(size * size * 3);
      expect([...new Set(clipped.data)]).toEqual([200]);
      const { image: padded, matrix } = cropBox(image, each, { ...spec, outside: 'pad' });
      const reach = 1.5 + 1.5 / matrix.a;
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++) {
          const x = (column - matrix.tx) / matrix.a;
          const y = (row - matrix.ty) / matrix.a;
          // How far inside the picture: beyond the reach of a sample there is one colour or the other.
          const depth = Math.min(x, y, picture.width - 1 - x, picture.height - 1 - y);
          const value = padded.data[(row * size + column) * 3];
          if (depth > reach) expect(value).toBe(200);
          if (depth < -reach) expect(value).toBe(0);
        }
    }),
  );
});

test('nothing is stretched, and the edges of the square become the edges of the crop', () => {
  fc.assert(
    fc.property(
      sides,
      box,
      fc.constantFrom('clip' as const, 'pad' as const),
      fc.integer({ min: 1, max: 64 }),
      (picture, each, outside, size) => {
        const square = cropSquare(picture, each, { margin: 0.1, outside });
        if (square === undefined) return;
        const { matrix } = cropBox(plain(picture.width, picture.height), each, {
          margin: 0.1,
          outside,
          size,
          fill: [0, 0, 0],
        });
        expect(matrix.b).toBe(0);
        // An edge lies half a pixel before the centre of its first pixel.
        const start = apply(matrix, { x: square.left - 0.5, y: square.top - 0.5 });
        const end = apply(matrix, {
          x: square.left + square.width - 0.5,
          y: square.top + square.height - 0.5,
        });
        for (const value of [start.x, start.y]) expect(value).toBeCloseTo(-0.5, 6);
        for (const value of [end.x, end.y]) expect(value).toBeCloseTo(size - 0.5, 6);
      },
    ),
  );
});

test('a box of whole pixels at its own size is copied', () => {
  const image = plain(9, 7);
  for (let i = 0; i < image.data.length; i++) image.data[i] = (i * 37) % 256;
  const exact = cropBox(
    image,
    { left: 2, top: 1, width: 5, height: 5 },
    { margin: 0, size: 5, outside: 'clip', fill: [0, 0, 0] },
  );
  for (let row = 0; row < 5; row++)
    expect([...exact.image.data.subarray(row * 15, row * 15 + 15)]).toEqual([
      ...image.data.subarray(((row + 1) * 9 + 2) * 3, ((row + 1) * 9 + 7) * 3),
    ]);
});

test('boxes that are empty, not finite or outside are refused, huge ones are not', () => {
  const image = plain(30, 20);
  const spec = { margin: 0, size: 16, outside: 'pad', fill: [0, 0, 0] } as const;
  const whole = { left: 0, top: 0, width: 30, height: 20 };
  for (const bad of [
    { ...whole, width: 0 },
    { ...whole, height: -3 },
    { ...whole, left: Number.NaN },
    { ...whole, width: Number.POSITIVE_INFINITY },
    { ...whole, left: 30 },
    { ...whole, top: -20 },
  ])
    expect(() => cropBox(image, bad, spec)).toThrow(RangeError);
  const huge = { left: -1e9, top: -1e9, width: 2e9, height: 2e9 };
  expect(Math.max(...cropBox(image, huge, spec).image.data)).toBe(0);
  expect(Math.min(...cropBox(image, huge, { ...spec, outside: 'clip' }).image.data)).toBe(200);
});
