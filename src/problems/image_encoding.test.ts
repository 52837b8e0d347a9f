/** `image_encoding` from the command line to the shards, their manifest and the sheet that shows them. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../fixtures/run_cli.js';
import { readManifest } from '../datagen/manifest.js';
import { createExampleParser } from '../io/example_parser.js';
import { readRecords } from '../io/tfrecord_reader.js';
import './all.js';
import { withOptions } from './problem.js';
import { problem } from './registry.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-image-encoding-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NAME = 'vggface2_tiny';
const SIDE = 112;

/** The pictures of the train split's records, and the first picture that its sheet shows. */
async function made(encoding: string) {
  const dataDir = join(folder, encoding);
  const places = ['--data-dir', dataDir, '--tmp-dir', join(folder, 'tmp')];
  const options = [
    '--split',
    'train',
    '--limit',
    '12',
    '--shards',
    '1',
    '--option',
    `image_encoding=${encoding}`,
  ];
  const datagen = await runCli(['datagen', NAME, ...places, ...options]);
  expect(datagen.code, datagen.stderr).toBe(0);
  const page = join(dataDir, 'sheet.html');
  const inspect = await runCli(['inspect', dataDir, NAME, '--html', page]);
  expect(inspect.code, inspect.stderr).toBe(0);
  const shown = /src="data:image\/(\w+);base64,([^"]+)"/.exec(
    readFileSync(page, 'utf8').replaceAll('&#61;', '='),
  );
  const { features } = withOptions(problem(NAME), { image_encoding: encoding });
  const parser = createExampleParser(features);
  const pictures: Uint8Array[] = [];
  for await (const { data } of readRecords(join(dataDir, `${NAME}-train-00000-of-00001`)))
    pictures.push(parser.parse(data)['image/a'] as Uint8Array);
  const manifest = readManifest(dataDir, NAME, 'train');
  return {
    pictures,
    shown: { type: shown?.[1], file: Buffer.from(shown?.[2] ?? '', 'base64') },
    manifest,
    verified: await runCli(['verify', dataDir]),
  };
}

test('raw and PNG crops hold the same pixels, the manifest says which they are, and the sheet shows them', async () => {
  const raw = await made('raw');
  const png = await made('png');
  expect(raw.pictures.length).toBeGreaterThan(5);
  expect(png.pictures).toHaveLength(raw.pictures.length);
  for (const [i, pixels] of raw.pictures.entries()) {
    expect(pixels).toHaveLength(SIDE * SIDE * 3);
    expect(Buffer.compare(await sharp(png.pictures[i]).raw().toBuffer(), pixels)).toBe(0);
  }
  for (const [encoding, { manifest, verified }] of Object.entries({ raw, png })) {
    expect(manifest?.features['image/a']?.image).toEqual({
      encoding,
      height: SIDE,
      width: SIDE,
      channels: 3,
    });
    expect(manifest?.settings.options.image_encoding).toBe(encoding);
    expect(manifest?.settings.preparation).toContain(`-${encoding}-`);
    expect(verified.code, verified.stderr).toBe(0);
  }
  for (const { shown } of [raw, png]) {
    expect(shown.type).toBe('png');
    expect(Buffer.compare(await sharp(shown.file).raw().toBuffer(), raw.pictures[0] as Uint8Array)).toBe(0);
  }
}, 120_000);

test('another word is no encoding, and says which there are', () => {
  expect(() => withOptions(problem('fec'), { image_encoding: 'webp' })).toThrow(
    'option image_encoding is "webp"',
  );
});
