import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { readJpegHeader } from './jpeg_header.js';

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#804020' } });

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'size and EXIF orientation %i are those that the decoder reads',
  async (orientation) => {
    const jpeg = await picture(30, 20).withMetadata({ orientation }).jpeg().toBuffer();
    expect(readJpegHeader(jpeg)).toMatchObject({
      width: 30,
      height: 20,
      components: 3,
      precision: 8,
      orientation,
    });
  },
);

test('grey, CMYK, progressive and profiled pictures are told apart', async () => {
  const header = async (image: Sharp) => readJpegHeader(await image.jpeg().toBuffer());
  expect(await header(picture(9, 7).toColourspace('b-w'))).toMatchObject({ components: 1 });
  expect(await header(picture(9, 7).toColourspace('cmyk'))).toMatchObject({ components: 4 });
  expect(readJpegHeader(await picture(9, 7).jpeg({ progressive: true }).toBuffer())).toMatchObject({
    width: 9,
  });
  expect(await header(picture(9, 7))).toMatchObject({ hasProfile: false });
  expect(await header(picture(9, 7).withIccProfile('p3'))).toMatchObject({ hasProfile: true });
});

test('anything gives a header or undefined, and reads nothing past the end', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readJpegHeader(bytes)));
});

test('a damaged header gives a header or undefined', async () => {
  const jpeg = await picture(30, 20).withMetadata({ orientation: 6 }).withIccProfile('p3').jpeg().toBuffer();
  fc.assert(
    fc.property(
      fc.nat(jpeg.length),
      fc.array(fc.tuple(fc.nat(800), fc.nat(255)), { maxLength: 8 }),
      (length, changes) => {
        const damaged = new Uint8Array(jpeg.subarray(0, length));
        for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
        const header = readJpegHeader(damaged);
        if (header !== undefined) expect(header.orientation >= 1 && header.orientation <= 8).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

const photographs = sharedData('faces-deepface');
test.skipIf(photographs === undefined)(
  'real photographs read as the decoder reads them [needs shared data]',
  async () => {
    const names = readdirSync(photographs as string).filter((name) => name.endsWith('.jpg'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const bytes = readFileSync(join(photographs as string, name));
      const { format, width, height, orientation = 1, icc } = await sharp(bytes).metadata();
      const expected = { width, height, orientation, hasProfile: icc !== undefined };
      // One of them is a WebP that is called .jpg.
      if (format === 'jpeg') expect(readJpegHeader(bytes)).toMatchObject(expected);
      else expect(readJpegHeader(bytes)).toBeUndefined();
    }
  },
);
