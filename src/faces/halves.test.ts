import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Halves } from './halves.js';

test('a half’s pixel is the mean of four, and a last odd row or column counts twice', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 15 }),
      fc.integer({ min: 1, max: 15 }),
      fc.nat(255),
      (width, height, seed) => {
        const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + seed * 11) & 255);
        const { image, factor } = new Halves({ width, height, data }).at(0.5);
        expect([factor, image.width, image.height]).toEqual([2, Math.ceil(width / 2), Math.ceil(height / 2)]);
        const pixel = (x: number, y: number, channel: number): number =>
          data[(Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3 + channel]!;
        image.data.forEach((value, i) => {
          const x = (Math.floor(i / 3) % image.width) * 2;
          const y = Math.floor(i / 3 / image.width) * 2;
          const channel = i % 3;
          const sum =
            pixel(x, y, channel) +
            pixel(x + 1, y, channel) +
            pixel(x, y + 1, channel) +
            pixel(x + 1, y + 1, channel);
          expect(Math.abs(value - sum / 4)).toBeLessThanOrEqual(0.5);
        });
      },
    ),
  );
});

test('the picture that is given needs never be enlarged where the original needs not, and is never twice too large', () => {
  const halves = new Halves({ width: 640, height: 48, data: new Uint8Array(640 * 48 * 3) });
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 4, noNaN: true }), (scale) => {
      const { image, factor } = halves.at(scale);
      expect(image.width).toBe(Math.ceil(640 / factor));
      expect(image.height).toBe(Math.ceil(48 / factor));
      expect(factor === 1 || factor * scale <= 1).toBe(true);
      expect(factor * 2 * scale).toBeGreaterThan(1);
    }),
  );
});

test('the picture itself is never copied, and a single pixel has no half', () => {
  const picture = { width: 1, height: 1, data: Uint8Array.from([1, 2, 3]) };
  expect(new Halves(picture).at(0.001)).toEqual({ image: picture, factor: 1 });
  expect(new Halves(picture).at(1).image).toBe(picture);
});
