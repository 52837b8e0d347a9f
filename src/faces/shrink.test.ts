import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RgbImage } from './face.js';
import { type Surroundings, shrink } from './shrink.js';

const picture: fc.Arbitrary<RgbImage> = fc
  .record({ width: fc.integer({ min: 1, max: 30 }), height: fc.integer({ min: 1, max: 30 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data) => ({ width, height, data })),
  );
const surroundings: fc.Arbitrary<Surroundings> = fc.constantFrom<Surroundings[]>(
  'edge',
  [0, 0, 0],
  [200, 100, 7],
);

/** The picture that goes on without end, as the definition says. */
function pixel(image: RgbImage, x: number, y: number, around: Surroundings): number[] {
  const nearest = (at: number, extent: number) => Math.max(0, Math.min(at, extent - 1));
  const [px, py] = [nearest(x, image.width), nearest(y, image.height)];
  if (around !== 'edge' && (px !== x || py !== y)) return [...around];
  return [...image.data.subarray((py * image.width + px) * 3, (py * image.width + px) * 3 + 3)];
}

test('every pixel is the rounded mean of its block, those beyond the picture included', () => {
  fc.assert(
    fc.property(picture, surroundings, fc.integer({ min: 1, max: 40 }), (image, around, factor) => {
      const { image: small, column, row } = shrink(image, factor, around);
      expect([column, row]).toEqual([0, 0]);
      expect(small.width).toBe(Math.ceil(image.width / factor));
      expect(small.height).toBe(Math.ceil(image.height / factor));
      expect(small.data.length).toBe(small.width * small.height * 3);
      for (let y = 0; y < small.height; y++)
        for (let x = 0; x < small.width; x++) {
          const sums = [0, 0, 0];
          for (let dy = 0; dy < factor; dy++)
            for (let dx = 0; dx < factor; dx++)
              for (const [c, value] of pixel(image, x * factor + dx, y * factor + dy, around).entries())
                sums[c]! += value;
          for (const [c, sum] of sums.entries())
            expect(small.data[(y * small.width + x) * 3 + c]).toBe(Math.floor(sum / factor ** 2 + 0.5));
        }
    }),
    { numRuns: 200 },
  );
});

test('a region gives the same blocks as the whole, and none that it does not touch', () => {
  const side = fc.double({ min: -40, max: 40, noNaN: true });
  const length = fc.double({ min: 0.1, max: 60, noNaN: true });
  fc.assert(
    fc.property(
      picture,
      surroundings,
      fc.integer({ min: 1, max: 12 }),
      fc.record({ left: side, top: side, width: length, height: length }),
      (image, around, factor, region) => {
        const whole = shrink(image, factor, around).image;
        const { image: part, column, row } = shrink(image, factor, around, region);
        expect(Math.min(part.width, part.height)).toBeGreaterThan(0);
        for (let y = 0; y < part.height; y++)
          for (let x = 0; x < part.width; x++)
            expect(pixel(part, x, y, 'edge')).toEqual(pixel(whole, column + x, row + y, [-1, -1, -1]));
        if (part.width > 1) {
          expect((column + 1) * factor).toBeGreaterThan(region.left);
          expect((column + part.width - 1) * factor).toBeLessThan(region.left + region.width);
        }
      },
    ),
  );
});

test('a factor that is no whole number of at least 1 is refused', () => {
  const image = { width: 1, height: 1, data: new Uint8Array(3) };
  for (const factor of [0, -2, 1.5, Number.NaN])
    expect(() => shrink(image, factor, 'edge')).toThrow(RangeError);
});
