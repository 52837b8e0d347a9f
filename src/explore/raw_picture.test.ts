/** Bare pixels as a PNG: what a decoder sees are the same pixels. */

import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { pictureFile } from './raw_picture.js';

test('a decoder reads the pixels back, of one, three and four channels', async () => {
  const raw = fc
    .record({
      height: fc.integer({ min: 1, max: 20 }),
      width: fc.integer({ min: 1, max: 20 }),
      channels: fc.constantFrom(1, 3, 4),
    })
    .chain((sizes) => {
      const length = sizes.height * sizes.width * sizes.channels;
      return fc.uint8Array({ minLength: length, maxLength: length }).map((pixels) => ({ sizes, pixels }));
    });
  await fc.assert(
    fc.asyncProperty(raw, async ({ sizes, pixels }) => {
      const file = pictureFile(pixels, { encoding: 'raw', ...sizes });
      const isGrey = sizes.channels === 1;
      const { data, info } = await sharp(file)
        .toColourspace(isGrey ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.height, info.width, info.channels]).toEqual([sizes.height, sizes.width, sizes.channels]);
      expect(Buffer.compare(data, pixels)).toBe(0);
    }),
  );
});

test('files stay as they are, and so do bytes that are not as many as their sizes say', () => {
  const bytes = Uint8Array.of(0xff, 0xd8, 0xff);
  const sizes = { height: 1, width: 2, channels: 3 };
  expect(pictureFile(bytes, { encoding: 'jpeg', ...sizes })).toBe(bytes);
  expect(pictureFile(bytes, { encoding: 'raw', ...sizes })).toBe(bytes);
});
