import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apply } from './align.js';
import type { RgbImage } from './face.js';
import { angleOf, viewSquare } from './face_square.js';
import { Halves } from './halves.js';

/** Red grows to the right and green downwards, so that a colour tells where it is from. */
function ramp(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data.set([(x * 255) / (width - 1), (y * 255) / (height - 1), 77], (y * width + x) * 3);
  return { width, height, data };
}

test('each pixel of a view shows the place of the picture to which it is mapped back, at any size and turn', () => {
  const [width, height] = [510, 340];
  const picture = new Halves(ramp(width, height));
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  fc.assert(
    fc.property(
      number(200, 300),
      number(140, 200),
      number(20, 180),
      number(-3, 3),
      fc.nat(47),
      fc.nat(47),
      (x, y, side, angle, column, row) => {
        const { numbers, toPicture } = viewSquare(picture, { centre: { x, y }, side, angle }, 48, 0);
        const place = apply(toPicture, { x: column, y: row });
        const at = (row * 48 + column) * 3;
        // A half's rounding, the view's own and the ramp's steps: within three grey levels of 255.
        expect(Math.abs(numbers[at]! * 255 - (place.x * 255) / (width - 1))).toBeLessThan(3);
        expect(Math.abs(numbers[at + 1]! * 255 - (place.y * 255) / (height - 1))).toBeLessThan(3);
      },
    ),
  );
});

test('a view’s middle is the square’s, its sides are as long, and a turned face stands upright in it', () => {
  const picture = new Halves(ramp(100, 100));
  const { toPicture } = viewSquare(picture, { centre: { x: 40, y: 60 }, side: 30, angle: 0.5 }, 128, -1);
  expect(apply(toPicture, { x: 63.5, y: 63.5 })).toEqual({
    x: expect.closeTo(40, 9),
    y: expect.closeTo(60, 9),
  });
  const leftEye = apply(toPicture, { x: 20, y: 64 });
  const rightEye = apply(toPicture, { x: 100, y: 64 });
  expect(angleOf(leftEye, rightEye)).toBeCloseTo(0.5, 9);
  expect(Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y)).toBeCloseTo((80 * 30) / 128, 9);
});

test('black is −1 for one net and 0 for the other, white is 1 for both', () => {
  const data = Uint8Array.from({ length: 20 * 20 * 3 }, (_, i) => (i % 60 < 30 ? 0 : 255));
  const picture = new Halves({ width: 20, height: 20, data });
  const square = { centre: { x: 9.5, y: 9.5 }, side: 20, angle: 0 };
  for (const black of [-1, 0] as const) {
    const { numbers } = viewSquare(picture, square, 20, black);
    expect([numbers[0], numbers[59]]).toEqual([black, expect.closeTo(1, 6)]);
  }
});
