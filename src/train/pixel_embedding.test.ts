import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pixelEmbedding } from './pixel_embedding.js';

const picture = (height: number, width: number, channels: number, data: ArrayLike<number>) => ({
  data: Uint8Array.from(data),
  shape: [height, width, channels],
});

test('a known picture shrinks to the means of what its cells cover', () => {
  // Two rows by four columns to two by two: cells of one row and two columns.
  const grey = picture(2, 4, 1, [0, 51, 102, 153, 51, 102, 153, 204]);
  expect([...pixelEmbedding(grey, 2)].map((value) => value * 255)).toEqual(
    [25.5, 127.5, 76.5, 178.5].map(near),
  );
  // Three columns to two: the middle one goes half to each.
  const three = pixelEmbedding(picture(2, 3, 1, [0, 90, 180, 0, 90, 180]), 2);
  expect([...three].map((value) => value * 255)).toEqual([30, 150, 30, 150].map(near));
});

test('colours weigh as in JPEG, and white is 1', () => {
  expect([...pixelEmbedding(picture(1, 1, 3, [255, 0, 0]), 1)]).toEqual([Math.fround(0.299)]);
  expect(pixelEmbedding(picture(1, 1, 3, [255, 255, 255]), 1)[0]).toBeCloseTo(1, 6);
});

test('the mean of a picture stays, whatever its size and that of the embedding', () => {
  const sides = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(
      sides,
      sides,
      sides,
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      (height, width, side, values) => {
        const data = Array.from({ length: height * width }, () => values.next().value as number);
        const embedding = pixelEmbedding(picture(height, width, 1, data), side);
        const mean = (list: ArrayLike<number>) =>
          Array.from(list).reduce((sum, value) => sum + value, 0) / list.length;
        expect(embedding).toHaveLength(side * side);
        expect(mean(embedding)).toBeCloseTo(mean(data) / 255, 5);
      },
    ),
  );
});

test('another shape is refused', () => {
  expect(() => pixelEmbedding(picture(1, 1, 4, [1, 2, 3, 4]))).toThrow('1 or 3 channels');
});

function near(value: number): unknown {
  return expect.closeTo(value, 4);
}
