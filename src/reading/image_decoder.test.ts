import sharp from 'sharp';
import { expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import type { ImageFormat } from '../io/features.js';
import { seededRandom } from '../io/random.js';
import { ImageDecoder } from './image_decoder.js';

const WIDTH = 61;
const HEIGHT = 47;
const random = seededRandom('decoder');
const pixels = Buffer.from(
  Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => ((i % 251) + random.below(60)) & 255),
);
const picture = () => sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
const any: ImageFormat = { encoding: 'jpeg', height: null, width: null, channels: null };
const decoder = await ImageDecoder.open();

test.each<[string, () => Promise<Buffer>]>([
  ['a baseline JPEG', () => picture().jpeg({ quality: 92, optimiseCoding: false }).toBuffer()],
  ['one without subsampling', () => picture().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer()],
  ['one of low quality', () => picture().jpeg({ quality: 10 }).toBuffer()],
  ['a progressive one', () => picture().jpeg({ progressive: true }).toBuffer()],
  ['a grey one', () => picture().greyscale().jpeg().toBuffer()],
])('%s has the very pixels that sharp decodes', async (_name, make) => {
  const bytes = await make();
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const decoded = await decoder.decode(bytes, any);
  expect(decoded.shape).toEqual([info.height, info.width, info.channels]);
  expect(Buffer.compare(decoded.data, data)).toBe(0);
});

test('channels are those that the feature has', async () => {
  const grey = await picture().greyscale().jpeg().toBuffer();
  const colour = await picture().jpeg().toBuffer();
  const png = await picture().ensureAlpha().png().toBuffer();
  expect((await decoder.decode(grey, { ...any, channels: 3 })).shape).toEqual([HEIGHT, WIDTH, 3]);
  expect((await decoder.decode(colour, { ...any, channels: 1 })).shape).toEqual([HEIGHT, WIDTH, 1]);
  const fromPng = await decoder.decode(png, { ...any, encoding: 'png', channels: 3 });
  expect(fromPng.shape).toEqual([HEIGHT, WIDTH, 3]);
  expect(Buffer.compare(fromPng.data, pixels)).toBe(0);
});

test('pixels are written where they are wanted, if they fit', async () => {
  const bytes = await picture().jpeg().toBuffer();
  const into = new Uint8Array(WIDTH * HEIGHT * 3);
  expect((await decoder.decode(bytes, any, into)).data).toBe(into);
  const small = new Uint8Array(10);
  expect((await decoder.decode(bytes, any, small)).data).not.toBe(small);
});

test('raw pictures are their bytes, and must be as many as their sizes say', async () => {
  const format: ImageFormat = { encoding: 'raw', height: 2, width: 2, channels: 1 };
  expect(await decoder.decode(Uint8Array.of(1, 2, 3, 4), format)).toEqual({
    data: Uint8Array.of(1, 2, 3, 4),
    shape: [2, 2, 1],
  });
  expect(() => decoder.decode(Uint8Array.of(1, 2, 3), format)).toThrow(
    /3 bytes where a picture of 2 × 2 × 1/,
  );
});

test('damaged pictures are errors, and the next one is decoded as if nothing had been', async () => {
  const bytes = await picture().jpeg().toBuffer();
  const whole = await decoder.decode(bytes, any);
  const refuse = async (damaged: Uint8Array) => {
    const result = await Promise.resolve()
      .then(() => decoder.decode(damaged, any))
      .catch((error: unknown) => error);
    if (result instanceof Error) expect(result).toBeInstanceOf(UserError);
  };
  await expect((async () => decoder.decode(bytes.subarray(0, bytes.length >> 1), any))()).rejects.toThrow(
    UserError,
  );
  await expect((async () => decoder.decode(new Uint8Array(0), any))()).rejects.toThrow(UserError);
  await expect((async () => decoder.decode(Buffer.from('not a picture'), any))()).rejects.toThrow(UserError);
  for (let i = 0; i < 150; i++) {
    const damaged = Buffer.from(bytes);
    for (let k = 0; k < 3; k++) damaged[random.below(damaged.length)] = random.below(256);
    await refuse(i % 2 === 0 ? damaged : damaged.subarray(0, random.below(damaged.length)));
    expect(Buffer.compare((await decoder.decode(bytes, any)).data, whole.data)).toBe(0);
  }
});
