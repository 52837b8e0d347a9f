import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignmentOf, apply, invert, type Similarity, TEMPLATES } from './align.js';
import { LANDMARK_NAMES, landmarksOf, type RgbImage } from './face.js';
import type { Surroundings } from './shrink.js';
import { alignedCrop, resample, warp } from './warp.js';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const turnedBy = (turn: number, scale: number, tx: number, ty: number): Similarity => ({
  a: scale * Math.cos(turn),
  b: scale * Math.sin(turn),
  tx,
  ty,
});

/** A picture of noise: any mistake of a pixel is seen. */
const noise: fc.Arbitrary<RgbImage> = fc
  .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }), seed: fc.nat() })
  .map(({ width, height, seed }) => {
    let state = seed | 1;
    const data = Uint8Array.from({ length: width * height * 3 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state >>> 24;
    });
    return { width, height, data };
  });
const surroundings: fc.Arbitrary<Surroundings> = fc.oneof(
  fc.constant('edge' as const),
  fc.tuple(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 255 }),
  ),
);

/**
 * The formula, in double precision and as plainly as can be: every pixel near the sample weighs (1 − |dx|) · (1 − |dy|),
 * whether it lies in the picture or around it. The way back is found by Cramer's rule.
 */
function byFormula(
  image: RgbImage,
  m: Similarity,
  column: number,
  row: number,
  around: Surroundings,
): number[] {
  const determinant = m.a * m.a - m.b * -m.b;
  const x = ((column - m.tx) * m.a - (row - m.ty) * -m.b) / determinant;
  const y = (m.a * (row - m.ty) - m.b * (column - m.tx)) / determinant;
  const sums = [0, 0, 0];
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  for (const py of [y0 - 1, y0, y0 + 1, y0 + 2])
    for (const px of [x0 - 1, x0, x0 + 1, x0 + 2]) {
      const weight = Math.max(0, 1 - Math.abs(px - x)) * Math.max(0, 1 - Math.abs(py - y));
      const [ix, iy] = [
        Math.max(0, Math.min(px, image.width - 1)),
        Math.max(0, Math.min(py, image.height - 1)),
      ];
      const isInside = ix === px && iy === py;
      for (let c = 0; c < 3; c++) {
        const inside = image.data[(iy * image.width + ix) * 3 + c] as number;
        sums[c]! += weight * (isInside || around === 'edge' ? inside : (around[c] as number));
      }
    }
  return sums;
}

test('a crop is the formula in double precision to 0.51 grey levels, at 1,000 scales, turns and off-edge places', () => {
  let offEdge = 0;
  let within = 0;
  fc.assert(
    fc.property(
      noise,
      surroundings,
      number(-Math.PI, Math.PI),
      number(-1.5, 2.5),
      number(-0.5, 1.5),
      number(-0.5, 1.5),
      fc.integer({ min: 1, max: 24 }),
      fc.integer({ min: 1, max: 24 }),
      (image, around, turn, logScale, atX, atY, width, height) => {
        // The crop's middle shows a place in the picture or up to half a picture beyond it.
        const turned = turnedBy(turn, Math.exp(logScale), 0, 0);
        const middle = apply(turned, { x: atX * image.width, y: atY * image.height });
        const matrix = { ...turned, tx: width / 2 - middle.x, ty: height / 2 - middle.y };
        const crop = warp(image, matrix, { width, height }, around);
        expect([crop.width, crop.height, crop.data.length]).toEqual([width, height, width * height * 3]);
        let worst = 0;
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const exact = byFormula(image, matrix, column, row, around);
            for (const [c, value] of exact.entries())
              worst = Math.max(
                worst,
                Math.abs(value - (crop.data[(row * width + column) * 3 + c] as number)),
              );
            const { x, y } = apply(invert(matrix), { x: column, y: row });
            if (x < 0 || y < 0 || x > image.width - 1 || y > image.height - 1) offEdge++;
            else within++;
          }
        expect(worst).toBeLessThanOrEqual(0.51);
      },
    ),
    { numRuns: 1000 },
  );
  // The cases are what they are meant to be.
  expect(offEdge).toBeGreaterThan(10_000);
  expect(within).toBeGreaterThan(10_000);
});

test('the identity gives the same bytes, and a shift by whole pixels copies them', () => {
  fc.assert(
    fc.property(noise, fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), (image, dx, dy) => {
      const fill = [9, 8, 7] as const;
      const same = warp(image, { a: 1, b: 0, tx: 0, ty: 0 }, image, fill);
      expect(Buffer.compare(same.data, image.data)).toBe(0);
      const moved = warp(image, { a: 1, b: 0, tx: dx, ty: dy }, image, fill);
      for (let y = 0; y < image.height; y++)
        for (let x = 0; x < image.width; x++) {
          const [sx, sy] = [x - dx, y - dy];
          const isInside = sx >= 0 && sy >= 0 && sx < image.width && sy < image.height;
          const from = (sy * image.width + sx) * 3;
          const expected = isInside ? [...image.data.subarray(from, from + 3)] : [...fill];
          const at = (y * image.width + x) * 3;
          expect([...moved.data.subarray(at, at + 3)]).toEqual(expected);
        }
    }),
  );
});

test('a sample that is a quarter outside is a quarter fill', () => {
  const image = { width: 1, height: 1, data: Uint8Array.of(200, 100, 0) };
  const crop = warp(image, { a: 1, b: 0, tx: -0.25, ty: 0 }, 1, [0, 20, 240]);
  expect([...crop.data]).toEqual([150, 80, 60]);
});

test('a point of the picture is where the matrix says in the crop', () => {
  const image = { width: 50, height: 40, data: new Uint8Array(50 * 40 * 3) };
  image.data.fill(255, (12 * 50 + 31) * 3, (12 * 50 + 31) * 3 + 3);
  const matrix = turnedBy(0.5, 1, 10, -5);
  const crop = warp(image, matrix, 64, [0, 0, 0]);
  const brightest = crop.data.indexOf(Math.max(...crop.data)) / 3;
  const expected = apply(matrix, { x: 31, y: 12 });
  expect(Math.abs((brightest % 64) - expected.x)).toBeLessThanOrEqual(0.71);
  expect(Math.abs(Math.floor(brightest / 64) - expected.y)).toBeLessThanOrEqual(0.71);
});

/** Red grows to the right, green downwards, blue along the diagonal: means over blocks keep a plane as it is. */
function ramp(width: number, height: number): RgbImage & { readonly at: (x: number, y: number) => number[] } {
  const at = (x: number, y: number) => [
    20 + (200 * x) / width,
    230 - (180 * y) / height,
    40 + (90 * x) / width + (90 * y) / height,
  ];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(at(x, y).map(Math.round), (y * width + x) * 3);
  return { width, height, data, at };
}

test('shrinking first moves nothing: a plane of colour stays in its place at any scale and turn', () => {
  const image = ramp(611, 487);
  fc.assert(
    fc.property(
      number(-Math.PI, Math.PI),
      number(-4.5, 0),
      number(0, 611),
      number(0, 487),
      (turn, logScale, x, y) => {
        const turned = turnedBy(turn, Math.exp(logScale), 0, 0);
        const middle = apply(turned, { x, y });
        const matrix = { ...turned, tx: 12 - middle.x, ty: 12 - middle.y };
        const crop = resample(image, matrix, 24, [0, 0, 0]);
        const back = invert(matrix);
        // Blocks reach about 1 / scale around a sample.
        const reach = 1.5 / Math.exp(logScale) + 1;
        for (let row = 0; row < 24; row++)
          for (let column = 0; column < 24; column++) {
            const p = apply(back, { x: column, y: row });
            if (p.x < reach || p.y < reach || p.x > 610 - reach || p.y > 486 - reach) continue;
            // Half a level each: the picture's rounding, the shrunk picture's and the crop's.
            for (const [c, value] of image.at(p.x, p.y).entries())
              expect(Math.abs(value - (crop.data[(row * 24 + column) * 3 + c] as number))).toBeLessThan(1.51);
          }
      },
    ),
  );
});

test('a fine pattern becomes its mean where the crop is small, instead of stripes that are not there', () => {
  const image = { width: 900, height: 900, data: new Uint8Array(900 * 900 * 3) };
  for (let y = 0; y < 900; y++)
    for (let x = 0; x < 900; x++)
      image.data.fill((x >> 1) % 2 === (y >> 1) % 2 ? 255 : 0, (y * 900 + x) * 3, (y * 900 + x) * 3 + 3);
  const matrix = turnedBy(0.1, 0.11, 3, 3);
  const range = ({ data }: RgbImage) => Math.max(...data) - Math.min(...data);
  expect(range(resample(image, matrix, 80, 'edge'))).toBeLessThan(30);
  expect(range(warp(image, matrix, 80, 'edge'))).toBeGreaterThan(150);
});

test('an aligned crop comes with the matrix of the picture as it was, also where it was shrunk', () => {
  const image = ramp(1400, 1200);
  const points = LANDMARK_NAMES.flatMap((name) => {
    const { x, y } = TEMPLATES.expression128.points[name];
    return Object.values(apply(turnedBy(0.3, 6, 350, 200), { x, y }));
  });
  const landmarks = landmarksOf(points);
  const { image: crop, matrix } = alignedCrop(image, landmarks, 'expression128', { fill: [0, 0, 0] });
  expect([crop.width, crop.height]).toEqual([128, 128]);
  expect(matrix).toEqual(alignmentOf(landmarks, 'expression128'));
  for (const name of LANDMARK_NAMES) {
    const at = TEMPLATES.expression128.points[name];
    const [column, row] = [Math.round(at.x), Math.round(at.y)];
    const from = apply(invert(matrix), { x: column, y: row });
    for (const [c, value] of image.at(from.x, from.y).entries())
      expect(Math.abs(value - (crop.data[(row * 128 + column) * 3 + c] as number))).toBeLessThan(1.51);
  }
});

test('a face wholly outside the picture gives a crop of fill, at any scale', () => {
  const image = ramp(60, 50);
  for (const scale of [0.001, 0.2, 1, 40])
    for (const place of [1e4, -1e7, 1e12]) {
      const crop = resample(image, { a: scale, b: 0, tx: place, ty: 5 }, 8, [1, 2, 3]);
      expect([...crop.data]).toEqual(Array.from({ length: 64 }, () => [1, 2, 3]).flat());
    }
});

test('what can not be warped is refused', () => {
  const image = { width: 2, height: 2, data: new Uint8Array(12) };
  const identity = { a: 1, b: 0, tx: 0, ty: 0 };
  for (const matrix of [
    { ...identity, a: 0 },
    { ...identity, tx: Number.NaN },
    { ...identity, a: 1e-320 },
  ])
    for (const sample of [warp, resample]) expect(() => sample(image, matrix, 4, 'edge')).toThrow(RangeError);
  for (const size of [0, 1.5, -1, { width: 3, height: 0 }])
    expect(() => warp(image, identity, size, 'edge')).toThrow(/a crop of/);
  expect(() => warp({ ...image, width: 3 }, identity, 4, 'edge')).toThrow(/no 3 × 2 picture/);
  expect(() => warp({ width: 0, height: 5, data: new Uint8Array(0) }, identity, 4, 'edge')).toThrow(
    RangeError,
  );
});
