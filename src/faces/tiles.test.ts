import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FULL_RANGE } from './anchors.js';
import { levelsFor, usualSmallestFace } from './tiles.js';

const { side } = FULL_RANGE;
const extent = fc.integer({ min: 1, max: 12_000 });

test('on each level the tiles cover the picture, and neighbours share a quarter', () => {
  fc.assert(
    fc.property(extent, extent, fc.integer({ min: 1, max: 500 }), (width, height, smallest) => {
      for (const level of levelsFor(width, height, smallest)) {
        for (const axis of ['left', 'top'] as const) {
          const length = axis === 'left' ? level.width : level.height;
          const starts = [...new Set(level.tiles.map((tile) => tile[axis]))].sort((a, b) => a - b);
          expect(starts[0]).toBeLessThanOrEqual(0);
          expect(starts.at(-1)! + side).toBeGreaterThanOrEqual(length);
          // Rounding of the picture's size and of a tile's start may each take a pixel.
          starts.slice(1).forEach((start, i) => {
            expect(starts[i]! + side - start).toBeGreaterThanOrEqual(side / 4 - 2);
          });
        }
        const places = new Set(level.tiles.map(({ left, top }) => `${left} ${top}`));
        expect(places.size).toBe(level.tiles.length);
      }
    }),
  );
});

test('no wish costs more than 65 tiles, and the usual one 17 for a picture of ordinary shape', () => {
  fc.assert(
    fc.property(
      extent,
      extent,
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      (width, height, smallest) => {
        const count = (face: number): number =>
          levelsFor(width, height, face).reduce((sum, { tiles }) => sum + tiles.length, 0);
        expect(count(smallest)).toBeLessThanOrEqual(65);
        if (Math.max(width, height) <= 2 * Math.min(width, height))
          expect(count(usualSmallestFace(width, height))).toBeLessThanOrEqual(17);
      },
    ),
  );
});

test('photographs of up to 1,024 pixels take one tile, and 2 % of a large one’s longer side is seen', () => {
  for (const [width, height] of [
    [1024, 768],
    [683, 1024],
    [640, 480],
    [1, 1],
  ] as const)
    expect(
      levelsFor(width, height, usualSmallestFace(width, height)).map(({ tiles }) => tiles.length),
    ).toEqual([1]);
  const fine = levelsFor(4000, 3000, usualSmallestFace(4000, 3000)).at(-1)!;
  expect((0.02 * 4000 * fine.width) / 4000).toBeGreaterThanOrEqual(12);
});

test('a picture without pixels is refused', () => {
  expect(() => levelsFor(0, 5, 40)).toThrow(RangeError);
  expect(() => levelsFor(5, Number.NaN, 40)).toThrow(RangeError);
  expect(() => levelsFor(5, 5, 0)).toThrow(RangeError);
});
