import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { TEMPLATES } from './align.js';
import type { RgbImage } from './face.js';
import { measureQuality, QUALITY_FAULTS, type QualityLimits, qualityFault } from './quality.js';

const FACE = { landmarks: TEMPLATES.arcface112.points, box: { left: 10, top: 5, width: 90, height: 120 } };

function grey(side: number, luma: (x: number, y: number) => number): RgbImage {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) data.fill(luma(x, y), (y * side + x) * 3, (y * side + x) * 3 + 3);
  return { width: side, height: side, data };
}

test('size is that of the face in the picture', () => {
  const { eyeDistance, boxSide } = measureQuality(
    grey(112, () => 100),
    FACE,
  );
  expect(eyeDistance).toBeCloseTo(Math.hypot(73.5318 - 38.2946, 51.5014 - 51.6963), 12);
  expect(boxSide).toBe(120);
});

test('a flat crop has sharpness 0, a checkerboard 64, and neither brightness nor contrast matters', () => {
  expect(
    measureQuality(
      grey(64, () => 90),
      FACE,
    ).sharpness,
  ).toBe(0);
  const checkerboard = grey(64, (x, y) => ((x + y) % 2 === 0 ? 0 : 255));
  expect(measureQuality(checkerboard, FACE).sharpness).toBeCloseTo(64, 0);
  const waves = (mean: number, amplitude: number) =>
    measureQuality(
      grey(112, (x, y) => Math.round(mean + amplitude * Math.sin(x / 1.5) * Math.cos(y / 2))),
      FACE,
    ).sharpness;
  expect(waves(100, 90) / waves(190, 45)).toBeCloseTo(1, 2);
});

test('luma is the mean over the middle, whatever the border shows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 1, max: 120 }),
      (face, around, side) => {
        const margin = Math.floor(side * 0.149);
        const isMiddle = (at: number) => at >= margin && at < side - margin;
        const crop = grey(side, (x, y) => (isMiddle(x) && isMiddle(y) ? face : around));
        const { luma, darkFraction, brightFraction, sharpness } = measureQuality(crop, FACE);
        expect(luma).toBeCloseTo(face, 6);
        expect(darkFraction).toBe(face < 16 ? 1 : 0);
        expect(brightFraction).toBe(face > 250 ? 1 : 0);
        expect(sharpness).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});

test('green counts most for luma, blue least', () => {
  const of = (r: number, g: number, b: number) => {
    const data = Uint8Array.from({ length: 300 }, (_, i) => [r, g, b][i % 3] as number);
    return measureQuality({ width: 10, height: 10, data }, FACE).luma;
  };
  expect(of(255, 0, 0)).toBeCloseTo(76.245, 6);
  expect(of(0, 255, 0)).toBeCloseTo(149.685, 6);
  expect(of(0, 0, 255)).toBeCloseTo(29.07, 6);
});

const good = {
  eyeDistance: 40,
  boxSide: 90,
  sharpness: 0.3,
  luma: 120,
  darkFraction: 0,
  brightFraction: 0,
  roll: -10,
  yaw: -20,
  pitch: 12,
};
const met: QualityLimits = {
  minEyeDistance: 40,
  minSharpness: 0.3,
  minLuma: 120,
  maxLuma: 120,
  maxRoll: 10,
  maxYaw: 20,
  maxPitch: 12,
};

test('a face that just meets every limit has no fault, and without limits none has', () => {
  expect(qualityFault(good, met)).toBeUndefined();
  expect(qualityFault({ ...good, luma: 0, yaw: 90, eyeDistance: 0 }, {})).toBeUndefined();
});

test.each([
  ['face-too-small', { eyeDistance: 39.9 }, 'eyes 39.9 pixels apart, at least 40'],
  ['blurred', { sharpness: 0.29 }, 'sharpness 0.29, at least 0.3'],
  ['under-exposed', { luma: 119 }, 'mean luma 119, at least 120'],
  ['over-exposed', { luma: 121 }, 'mean luma 121, at most 120'],
  ['rolled', { roll: 10.5 }, 'rolled by 10.5 degrees, at most 10'],
  ['turned', { yaw: -21 }, 'turned by -21 degrees, at most 20'],
  ['tilted', { pitch: -13 }, 'tilted by -13 degrees, at most 12'],
  ['turned', { yaw: Number.NaN }, 'turned by NaN degrees, at most 20'],
] as const)('a face is %s for %o', (reason, change, detail) => {
  expect(qualityFault({ ...good, ...change }, met)).toEqual({ reason, detail });
});

test('of several faults the first in the list is named', () => {
  const worst = { ...good, eyeDistance: 1, sharpness: 0, yaw: 89 };
  expect(qualityFault(worst, met)?.reason).toBe(QUALITY_FAULTS[0]);
  expect(qualityFault({ ...worst, eyeDistance: 50 }, met)?.reason).toBe(QUALITY_FAULTS[1]);
});

const chips = sharedData('faces-dlib', 'johns');
test.skipIf(chips === undefined)(
  'the more a real face is blurred, the less sharp it is; darkened, it is as sharp [needs shared data]',
  async () => {
    const folder = join(chips as string, 'John_Savage');
    const files = readdirSync(folder).filter((name) => name.endsWith('.jpg'));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const sharpnessOf = async (blur: number, light = 1) => {
        const source = sharp(join(folder, file))
          .resize(112, 112)
          .removeAlpha()
          .toColourspace('srgb')
          .linear(light, 0);
        const data = await (blur > 0 ? source.blur(blur) : source).raw().toBuffer();
        return measureQuality({ width: 112, height: 112, data }, FACE).sharpness;
      };
      const series = [
        await sharpnessOf(0),
        await sharpnessOf(0.7),
        await sharpnessOf(1.5),
        await sharpnessOf(3),
      ];
      expect(series).toEqual([...series].sort((a, b) => b - a));
      expect(series[3]!).toBeLessThan(series[0]! / 4);
      expect((await sharpnessOf(0, 0.5)) / series[0]!).toBeCloseTo(1, 0);
    }
  },
);
