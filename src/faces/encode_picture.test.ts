/** Crops as JPEG, PNG and bare pixels: the same picture, and what is lossless loses nothing. */

import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { renderPhotograph } from '../../fixtures/face_drawing.js';
import type { ImageEncoding } from '../io/features.js';
import { cropFaces, DEFAULT_CROP } from './crop.js';
import { DEFAULT_FACE_SPEC, type FaceSpec, facePreparationId, prepareFaces } from './prepare_faces.js';

const SIZE = 128;

const { jpeg: photograph } = await renderPhotograph({
  seed: 'encodings',
  width: 320,
  height: 240,
  faces: [{ identity: 'somebody', expression: 'smile', centreX: 0.5, centreY: 0.5, height: 0.6 }],
});
const BOX = { left: 0.3, top: 0.2, right: 0.7, bottom: 0.8 };

async function bytesOf(outcomes: Promise<readonly { ok: boolean }[]>): Promise<Uint8Array> {
  const [outcome] = (await outcomes) as readonly ({ ok: true; bytes: Uint8Array } | { ok: false })[];
  if (outcome?.ok !== true) throw new Error(`no crop: ${JSON.stringify(outcome)}`);
  return outcome.bytes;
}

async function pixelsOf(file: Uint8Array): Promise<Uint8Array> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([SIZE, SIZE, 3]);
  return data;
}

const SOURCES: readonly (readonly [string, (picture: Sharp) => Sharp])[] = [
  ['a colour JPEG', (picture) => picture.jpeg()],
  ['a grey JPEG', (picture) => picture.greyscale().jpeg()],
  ['a PNG with transparency', (picture) => picture.ensureAlpha(0.5).png()],
  ['a 16-bit PNG', (picture) => picture.toColourspace('rgb16').png()],
  ['a CMYK JPEG', (picture) => picture.toColourspace('cmyk').jpeg()],
];

/** By the box alone, by the box with room around the picture, and aligned to the face that was found. */
const WAYS: readonly (readonly [
  string,
  (raw: Uint8Array, encoding: ImageEncoding) => Promise<Uint8Array>,
])[] = [
  ['a crop', (raw, encoding) => bytesOf(cropFaces(raw, [BOX], { ...DEFAULT_CROP, encoding }))],
  [
    'a padded crop',
    (raw, encoding) =>
      bytesOf(prepareFaces(raw, [{ box: BOX }], spec({ encoding, find: false, outside: 'pad' }))),
  ],
  [
    'an aligned crop',
    (raw, encoding) =>
      bytesOf(prepareFaces(raw, [{ box: BOX }], spec({ encoding, align: 'expression128', minOverlap: 0 }))),
  ],
];

function spec(changes: Partial<FaceSpec>): FaceSpec {
  return { ...DEFAULT_FACE_SPEC, ...changes };
}

describe.each(SOURCES)('of %s', (_, convert) => {
  it.each(WAYS)(
    '%s is three bytes a pixel where it is raw, and the same pixels as PNG',
    async (_way, crop) => {
      const raw = await convert(sharp(photograph)).toBuffer();
      const pixels = await crop(raw, 'raw');
      expect(pixels).toHaveLength(SIZE * SIZE * 3);
      const png = await crop(raw, 'png');
      expect((await sharp(png).metadata()).format).toBe('png');
      expect(Buffer.compare(await pixelsOf(png), pixels)).toBe(0);
      const lossy = await pixelsOf(await crop(raw, 'jpeg'));
      const difference = lossy.reduce((sum, value, i) => sum + Math.abs(value - (pixels[i] as number)), 0);
      expect(difference / pixels.length).toBeLessThan(4);
    },
  );
});

describe('the id of a preparation', () => {
  it('changes with the encoding, and with the quality of JPEGs alone', () => {
    const ids = (encoding: ImageEncoding, quality: number): string =>
      facePreparationId(spec({ encoding, quality }));
    expect(new Set([ids('jpeg', 92), ids('jpeg', 93), ids('png', 92), ids('raw', 92)]).size).toBe(4);
    expect(ids('png', 92)).toBe(ids('png', 93));
    expect(ids('raw', 92)).toBe(ids('raw', 93));
  });
});
