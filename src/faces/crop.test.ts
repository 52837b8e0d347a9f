import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { type CropOutcome, cropFaces, DEFAULT_CROP, type FractionBox, squareAround } from './crop.js';

const BOX: FractionBox = { left: 0.25, top: 0.25, right: 0.5, bottom: 0.5 };

/** 320 × 240: dark grey, with the box of BOX in four colours, so that a turned or shifted crop is seen. */
let picture: Buffer;
beforeAll(async () => {
  const quarter = (r: number, g: number, b: number, left: number, top: number) => ({
    input: { create: { width: 40, height: 30, channels: 3 as const, background: { r, g, b } } },
    left,
    top,
  });
  picture = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#303030' } })
    .composite([
      quarter(220, 40, 40, 80, 60),
      quarter(40, 200, 40, 120, 60),
      quarter(40, 40, 220, 80, 90),
      quarter(220, 220, 60, 120, 90),
    ])
    .png()
    .toBuffer();
});

async function jpegOf(outcome: CropOutcome | undefined): Promise<Buffer> {
  if (outcome?.ok !== true) throw new Error(`no crop: ${JSON.stringify(outcome)}`);
  return Buffer.from(outcome.bytes);
}

async function pixels(jpeg: Buffer) {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([128, 128, 3]);
  return data;
}

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / a.length;
}

test('the square holds the box, lies inside the picture and is as large as box and margin say', () => {
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fraction,
      fraction,
      fraction,
      fraction,
      fc.integer({ min: 1, max: 4000 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (x, y, w, h, width, height, margin) => {
        const box = { left: x, top: y, right: Math.min(1, x + w), bottom: Math.min(1, y + h) };
        const square = squareAround(box, width, height, margin);
        // In pixels, where a box of the last bit's width may be empty.
        if (!(box.right * width > box.left * width && box.bottom * height > box.top * height)) {
          expect(square).toBeUndefined();
          return;
        }
        const { left, top, side } = square!;
        for (const value of [left, top, side]) expect(Number.isInteger(value)).toBe(true);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(top).toBeGreaterThanOrEqual(0);
        expect(left + side).toBeLessThanOrEqual(width);
        expect(top + side).toBeLessThanOrEqual(height);
        const longer =
          Math.max((box.right - box.left) * width, (box.bottom - box.top) * height) * (1 + margin);
        expect(side).toBe(Math.max(1, Math.min(Math.round(longer), width, height)));
      },
    ),
  );
});

test('a box in a corner keeps its size and is pushed inside, not cut or stretched', () => {
  expect(squareAround({ left: 0, top: 0, right: 0.2, bottom: 0.2 }, 100, 100, 0.15)).toEqual({
    left: 0,
    top: 0,
    side: 23,
  });
  expect(squareAround({ left: 0.9, top: 0.9, right: 1, bottom: 1 }, 100, 100, 1)).toEqual({
    left: 80,
    top: 80,
    side: 20,
  });
});

test('the crop shows the box with its margin', async () => {
  const [outcome] = await cropFaces(picture, [BOX]);
  const data = await pixels(await jpegOf(outcome));
  const at = (x: number, y: number) => [...data.subarray((y * 128 + x) * 3, (y * 128 + x) * 3 + 3)];
  const near = (a: number[], b: number[]) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
  expect(near(at(35, 45), [220, 40, 40])).toBeLessThan(16);
  expect(near(at(95, 45), [40, 200, 40])).toBeLessThan(16);
  expect(near(at(35, 85), [40, 40, 220])).toBeLessThan(16);
  expect(near(at(95, 85), [220, 220, 60])).toBeLessThan(16);
  expect(near(at(64, 3), [48, 48, 48])).toBeLessThan(8);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'EXIF orientation %i is applied before the box is',
  async (orientation) => {
    const undo = [
      (s: Sharp) => s,
      (s: Sharp) => s.flop(),
      (s: Sharp) => s.rotate(180),
      (s: Sharp) => s.flip(),
      (s: Sharp) => s.rotate(270).flop(),
      (s: Sharp) => s.rotate(270),
      (s: Sharp) => s.rotate(90).flop(),
      (s: Sharp) => s.rotate(90),
    ][orientation - 1]!;
    const turned = await undo(sharp(picture)).png().toBuffer();
    const stored = await sharp(turned).withMetadata({ orientation }).jpeg({ quality: 98 }).toBuffer();
    const upright = await sharp(picture).jpeg({ quality: 98 }).toBuffer();
    const [crop] = await cropFaces(stored, [BOX]);
    const [expected] = await cropFaces(upright, [BOX]);
    expect(
      meanDifference(await pixels(await jpegOf(crop)), await pixels(await jpegOf(expected))),
    ).toBeLessThan(2);
  },
);

test.each([
  ['a grey JPEG', () => sharp(picture).greyscale().jpeg().toBuffer()],
  ['a CMYK JPEG', () => sharp(picture).toColourspace('cmyk').jpeg().toBuffer()],
  ['a 16-bit PNG', () => sharp(picture).toColourspace('rgb16').png().toBuffer()],
  ['a palette PNG', () => sharp(picture).png({ palette: true, colours: 8 }).toBuffer()],
  ['a PNG with transparency', () => sharp(picture).ensureAlpha(0.5).png().toBuffer()],
  ['a WebP', () => sharp(picture).webp().toBuffer()],
  ['an AVIF', () => sharp(picture).avif().toBuffer()],
  ['a GIF', () => sharp(picture).gif().toBuffer()],
  ['a progressive JPEG', () => sharp(picture).jpeg({ progressive: true }).toBuffer()],
])('%s becomes an 8-bit RGB JPEG of 128 × 128', async (_, make) => {
  const [outcome] = await cropFaces(await make(), [BOX]);
  const jpeg = await jpegOf(outcome);
  const { format, space, depth, channels, width, height } = await sharp(jpeg).metadata();
  expect({ format, space, depth, channels, width, height }).toEqual({
    format: 'jpeg',
    space: 'srgb',
    depth: 'uchar',
    channels: 3,
    width: 128,
    height: 128,
  });
});

test('of an animation the first frame is taken', async () => {
  const frame = (colour: string) => ({
    create: { width: 64, height: 64, channels: 3 as const, background: colour },
  });
  const frames = await Promise.all(
    ['#ff0000', '#0000ff'].map((colour) => sharp(frame(colour)).png().toBuffer()),
  );
  const animated = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
  expect((await sharp(animated).metadata()).pages).toBe(2);
  const [outcome] = await cropFaces(animated, [undefined]);
  const [red, , blue] = await pixels(await jpegOf(outcome));
  expect(red).toBeGreaterThan(200);
  expect(blue).toBeLessThan(60);
});

test('what a picture holds never throws: it fails by name', async () => {
  const jpeg = await sharp(picture).jpeg().toBuffer();
  const failures = async (bytes: Uint8Array, box: FractionBox | undefined = BOX, spec = DEFAULT_CROP) => {
    const [outcome] = await cropFaces(bytes, [box], spec);
    return outcome?.ok === false ? outcome.failure : 'none';
  };
  expect(await failures(jpeg)).toBe('none');
  expect(await failures(jpeg.subarray(0, jpeg.length / 2))).toBe('undecodable-image');
  expect(await failures(Buffer.from('<html><body>gone</body></html>'))).toBe('not-an-image');
  expect(await failures(new Uint8Array(0))).toBe('not-an-image');
  expect(await failures(jpeg, { left: 0.5, right: 0.4, top: 0, bottom: 1 })).toBe('bad-box');
  expect(await failures(jpeg, { left: 0.5, right: 0.51, top: 0.5, bottom: 0.51 })).toBe('face-too-small');
  expect(await failures(jpeg, BOX, { ...DEFAULT_CROP, maxPixels: 320 * 240 - 1 })).toBe('image-too-large');
});

test('a small file that claims to be huge is refused without being decoded', async () => {
  const bomb = await sharp({ create: { width: 12_000, height: 12_000, channels: 3, background: '#000000' } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  const [outcome] = await cropFaces(bomb, [BOX]);
  expect(outcome).toMatchObject({ ok: false, failure: 'image-too-large' });
});

test('one bad box does not harm the others of its picture', async () => {
  const outcomes = await cropFaces(picture, [BOX, { left: 2, right: 3, top: 0, bottom: 1 }, undefined]);
  expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, false, true]);
});

test('damaged bytes give a crop or a failure, nothing else', async () => {
  const jpeg = await sharp(picture).jpeg().toBuffer();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(jpeg.length - 1), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 20,
      }),
      async (changes) => {
        const damaged = Buffer.from(jpeg);
        for (const [at, value] of changes) damaged[at] = value;
        const [outcome] = await cropFaces(damaged, [BOX]);
        expect(outcome!.ok || outcome!.detail.length > 0).toBe(true);
      },
    ),
    { numRuns: 150 },
  );
});

test('a face has the same bytes whether its picture’s other faces are asked for or not', async () => {
  const noise = await sharp({
    create: {
      width: 700,
      height: 500,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .blur(2)
    .jpeg()
    .toBuffer();
  const fraction = fc.double({ min: 0, max: 0.8, noNaN: true });
  const box = fc
    .tuple(fraction, fraction, fc.double({ min: 0.05, max: 0.5, noNaN: true }))
    .map(([left, top, size]) => ({
      left,
      top,
      right: Math.min(1, left + size),
      bottom: Math.min(1, top + size),
    }));
  await fc.assert(
    fc.asyncProperty(fc.array(box, { minLength: 2, maxLength: 4 }), async (boxes) => {
      const together = await cropFaces(noise, boxes);
      for (const [i, each] of boxes.entries()) {
        const [alone] = await cropFaces(noise, [each]);
        expect((await jpegOf(together[i])).equals(await jpegOf(alone))).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test('a face above the place where a picture is cut off fares alike alone and with others', async () => {
  const jpeg = await sharp({
    create: {
      width: 900,
      height: 1200,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .jpeg()
    .toBuffer();
  const cut = jpeg.subarray(0, Math.round(jpeg.length * 0.8));
  const boxes = [
    { left: 0.1, top: 0.05, right: 0.3, bottom: 0.2 },
    { left: 0.5, top: 0.85, right: 0.7, bottom: 0.95 },
  ];
  const together = await cropFaces(cut, boxes);
  const alone = [...(await cropFaces(cut, [boxes[0]])), ...(await cropFaces(cut, [boxes[1]]))];
  expect(together.map((outcome) => outcome.ok)).toEqual(alone.map((outcome) => outcome.ok));
  expect(together[1]?.ok).toBe(false);
});

const realFolders = ['faces-deepface', 'faces-dlib', 'faces-facenet'].flatMap(
  (name) => sharedData(name) ?? [],
);
test.skipIf(realFolders.length === 0)(
  'every real photograph gives crops of the size asked for [needs shared data]',
  async () => {
    let photographs = 0;
    for (const realFolder of realFolders) {
      for (const name of readdirSync(realFolder, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(jpg|png)$/.test(name)) continue;
        photographs += 1;
        const outcomes = await cropFaces(readFileSync(join(realFolder, name)), [undefined, BOX]);
        for (const outcome of outcomes) await pixels(await jpegOf(outcome));
      }
    }
    expect(photographs).toBeGreaterThan(80);
  },
);
