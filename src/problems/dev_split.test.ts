import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../io/random.js';
import { cutDevSplit, type DevSplitOptions } from './dev_split.js';

function check(options: DevSplitOptions) {
  const cut = cutDevSplit(options);
  const rows = options.images.length / options.perRow;
  const sideOfImage = new Map<number, string>();
  const counts: Record<string, number> = { train: 0, dev: 0, shared: 0, straddling: 0 };
  for (let row = 0; row < rows; row++) {
    const side = cut.sideOf(row);
    counts[side]! += 1;
    const images = [...options.images.slice(row * options.perRow, (row + 1) * options.perRow)];
    expect(images.some((image) => options.inTest[image] === 1)).toBe(side === 'shared');
    if (side !== 'train' && side !== 'dev') continue;
    for (const image of images) {
      expect(sideOfImage.get(image) ?? side).toBe(side);
      sideOfImage.set(image, side);
    }
  }
  expect(cut.rows).toEqual(counts);
  return cut;
}

test('no image is in train and in dev, whatever the rows share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.nat(), { minLength: 0, maxLength: 300 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (imageCount, numbers, fraction, maxLoss, test) => {
        const images = Uint32Array.from(
          numbers.slice(0, numbers.length - (numbers.length % 3)),
          (n) => n % imageCount,
        );
        const inTest = new Uint8Array(imageCount);
        for (const image of test) inTest[image % imageCount] = 1;
        const cut = check({ images, perRow: 3, imageCount, inTest, fraction, maxLoss, seed: 's' });
        expect(cut.rows.straddling).toBeLessThanOrEqual(maxLoss * (images.length / 3));
      },
    ),
  );
});

/** Triplets drawn near an anchor among images in groups, as annotators were shown them. */
function groupedTriplets(rows: number, groups: number, perGroup: number, straying: number): Uint32Array {
  const random = seededRandom('groups');
  const images = new Uint32Array(rows * 3);
  for (let row = 0; row < rows; row++) {
    const group = random.below(groups);
    for (let i = 0; i < 3; i++) {
      const other = random.next() < straying ? random.below(groups) : group;
      images[row * 3 + i] = other * perGroup + random.below(perGroup);
    }
  }
  return images;
}

test('where images come in groups, dev gets its fraction and next to nothing is lost', () => {
  const images = groupedTriplets(20_000, 400, 10, 0);
  const imageCount = 4000;
  const cut = check({
    images,
    perRow: 3,
    imageCount,
    inTest: new Uint8Array(imageCount),
    fraction: 0.02,
    maxLoss: 0.05,
    seed: 'x',
  });
  expect(cut.rows.dev).toBeGreaterThanOrEqual(400);
  expect(cut.rows.dev).toBeLessThan(520);
  expect(cut.rows.straddling).toBeLessThan(100);
});

test('where some rows stray between groups, dev still gets most of its fraction within the loss allowed', () => {
  const images = groupedTriplets(20_000, 400, 10, 0.1);
  const imageCount = 4000;
  const cut = check({
    images,
    perRow: 3,
    imageCount,
    inTest: new Uint8Array(imageCount),
    fraction: 0.02,
    maxLoss: 0.05,
    seed: 'x',
  });
  expect(cut.rows.dev).toBeGreaterThan(200);
});

test('the cut follows the seed and nothing else', () => {
  const images = groupedTriplets(2000, 40, 10, 0.05);
  const options = {
    images,
    perRow: 3,
    imageCount: 400,
    inTest: new Uint8Array(400),
    fraction: 0.05,
    maxLoss: 0.2,
  };
  const sides = (seed: string) => {
    const cut = cutDevSplit({ ...options, seed });
    return Array.from({ length: 2000 }, (_, row) => cut.sideOf(row));
  };
  expect(sides('a')).toEqual(sides('a'));
  expect(sides('a')).not.toEqual(sides('b'));
});
