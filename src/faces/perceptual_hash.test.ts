import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import type { RgbImage } from './face.js';
import { bitCount, hammingDistance, perceptualHash } from './perceptual_hash.js';

const picture: fc.Arbitrary<RgbImage> = fc
  .record({ width: fc.integer({ min: 1, max: 70 }), height: fc.integer({ min: 1, max: 70 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data) => ({ width, height, data })),
  );

/** The definition, read off: each cell's integral over the picture, each coefficient its own double sum. */
function byDefinition({ width, height, data }: RgbImage): number[] {
  const overlap = (cell: number, pixel: number, length: number) =>
    Math.max(0, Math.min(((cell + 1) * length) / 32, pixel + 1) - Math.max((cell * length) / 32, pixel));
  const grid = Array.from({ length: 32 }, (_, i) =>
    Array.from({ length: 32 }, (_, j) => {
      let sum = 0;
      for (let y = 0; y < height; y++) {
        const rows = overlap(i, y, height);
        if (rows === 0) continue;
        for (let x = 0; x < width; x++) {
          const at = (y * width + x) * 3;
          const luma = 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
          sum += rows * overlap(j, x, width) * luma;
        }
      }
      return (sum * 32 * 32) / width / height;
    }),
  );
  const coefficients: number[] = [];
  for (let v = 1; v <= 8; v++)
    for (let u = 1; u <= 8; u++) {
      let sum = 0;
      for (let y = 0; y < 32; y++)
        for (let x = 0; x < 32; x++)
          sum +=
            grid[y]![x]! *
            Math.cos(((2 * y + 1) * v * Math.PI) / 64) *
            Math.cos(((2 * x + 1) * u * Math.PI) / 64);
      coefficients.push(sum);
    }
  return coefficients;
}

test('each bit says whether its frequency is above the median', () => {
  fc.assert(
    fc.property(picture, (image) => {
      const hash = perceptualHash(image);
      expect(hash).toMatch(/^[0-9a-f]{16}$/);
      const coefficients = byDefinition(image);
      const sorted = [...coefficients].sort((a, b) => a - b);
      const median = (sorted[31]! + sorted[32]!) / 2;
      const bits = BigInt(`0x${hash}`).toString(2).padStart(64, '0');
      // At the median itself rounding may decide.
      for (const [i, value] of coefficients.entries())
        if (Math.abs(value - median) > 1e-5) expect(bits[i]).toBe(value > median ? '1' : '0');
    }),
    { numRuns: 60 },
  );
});

test('a picture without structure has no bits', () => {
  for (const [width, height] of [
    [1, 1],
    [33, 47],
    [640, 480],
  ] as const)
    for (const value of [0, 7, 200, 255]) {
      const data = new Uint8Array(width * height * 3).fill(value);
      expect(perceptualHash({ width, height, data })).toBe('0000000000000000');
    }
});

test('distance counts the bits that differ, and refuses what is no hash', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (a, b) => {
        const hex = (n: bigint) => n.toString(16).padStart(16, '0');
        const ones = (a ^ b).toString(2).replaceAll('0', '').length;
        expect(hammingDistance(hex(a), hex(b))).toBe(ones);
      },
    ),
  );
  fc.assert(
    fc.property(fc.integer(), (word) => {
      expect(bitCount(word)).toBe((word >>> 0).toString(2).replaceAll('0', '').length);
    }),
  );
  for (const bad of ['', '123', '00000000000000001', 'g000000000000000', '0x00000000000000'])
    expect(() => hammingDistance(bad, '0000000000000000')).toThrow(RangeError);
});

const photographs = sharedData('faces-dlib', 'johns');
test.skipIf(photographs === undefined)(
  'scaled, recompressed or brightened, a photograph stays within 6 bits; others are further [needs shared data]',
  async () => {
    const files = readdirSync(photographs as string, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.jpg'),
    );
    expect(files.length).toBeGreaterThan(20);
    const hashes: string[] = [];
    for (const file of files) {
      const open = () =>
        sharp(join(photographs as string, file))
          .removeAlpha()
          .toColourspace('srgb');
      const original = await hashOf(open());
      hashes.push(original);
      for (const variant of [
        open().resize(97, 97),
        open().resize(400, 400),
        open().linear(0.8, 25),
        sharp(await open().jpeg({ quality: 40 }).toBuffer()),
      ])
        expect(hammingDistance(original, await hashOf(variant)), file).toBeLessThanOrEqual(6);
    }
    const distances = hashes.flatMap((a, i) => hashes.slice(0, i).map((b) => hammingDistance(a, b)));
    const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
    expect(mean).toBeGreaterThan(24);
    expect(mean).toBeLessThan(40);
  },
);

async function hashOf(source: Sharp): Promise<string> {
  const { data, info } = await source.raw().toBuffer({ resolveWithObject: true });
  return perceptualHash({ width: info.width, height: info.height, data });
}
