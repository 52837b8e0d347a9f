import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderPhotograph } from '../fixtures/face_drawing.js';
import { runCli } from '../fixtures/run_cli.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-faces-'));
const photo = join(folder, 'two people.jpg');
const empty = join(folder, 'nobody.png');
beforeAll(async () => {
  const { jpeg } = await renderPhotograph({
    seed: 'faces command',
    width: 800,
    height: 500,
    faces: [
      { identity: 'ann', expression: 'smile', centreX: 0.3, centreY: 0.5, height: 0.5 },
      { identity: 'cy', expression: 'surprise', centreX: 0.72, centreY: 0.45, height: 0.4 },
    ],
  });
  writeFileSync(photo, jpeg);
  writeFileSync(
    empty,
    await sharp({ create: { width: 300, height: 200, channels: 3, background: '#8899aa' } })
      .png()
      .toBuffer(),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  readonly detector: string;
  readonly photos: {
    readonly file: string;
    readonly faces?: { readonly box: { left: number; width: number }; readonly matrix: number[] }[];
    readonly picture?: string;
    readonly failure?: string;
  }[];
}

test('faces are told as JSON and drawn into a picture with their crops', async () => {
  const pictures = join(folder, 'looked at');
  const { code, json, stderr } = await runCli(['faces', photo, empty, '--pictures', pictures, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const { photos } = json as unknown as Report;
  expect(photos.map(({ faces }) => faces?.length)).toEqual([2, 0]);
  const centres = (photos[0]?.faces ?? []).map(({ box }) => (box.left + box.width / 2) / 800).sort();
  expect(Math.abs((centres[0] as number) - 0.3)).toBeLessThan(0.06);
  expect(Math.abs((centres[1] as number) - 0.72)).toBeLessThan(0.06);
  const drawn = photos[0]?.picture as string;
  expect(drawn).toBe(join(pictures, 'two people.faces.png'));
  const { width, height } = await sharp(drawn).metadata();
  expect(width).toBe(800);
  // The photograph, and below it a row of crops of 112 pixels.
  expect(height).toBeGreaterThan(500 + 112);
  const pixels = await sharp(drawn).removeAlpha().raw().toBuffer();
  let green = 0;
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] === 0 && pixels[i + 1] === 0xe0 && pixels[i + 2] === 0x7f) green += 1;
  // The lines of two boxes.
  expect(green).toBeGreaterThan(500);
});

test('a table for people, and exit code 1 where no photograph could be read', async () => {
  const table = await runCli(['faces', photo, '--align', 'expression128']);
  expect(table.stdout.trim().split('\n')).toHaveLength(3);
  const text = join(folder, 'text.jpg');
  writeFileSync(text, 'no picture');
  const none = await runCli(['faces', text]);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('not-an-image');
});

test('every photograph has a picture of its own, whatever the photographs are called', async () => {
  const photos = ['a.jpg', 'a.png', 'a-2.jpg'].map((name) => join(folder, name));
  for (const path of photos) copyFileSync(photo, path);
  const pictures = join(folder, 'of-its-own');
  expect((await runCli(['faces', ...photos, '--pictures', pictures])).code).toBe(0);
  expect(readdirSync(pictures).sort()).toEqual(['a-2-2.faces.png', 'a-2.faces.png', 'a.faces.png']);
});

test('misuse is one sentence', async () => {
  const template = await runCli(['faces', photo, '--align', 'arcface']);
  expect(template.code).toBe(2);
  expect(template.stderr).toBe(
    't2t-ts: there is no template "arcface" (--align): it is arcface112 or expression128\n',
  );
  expect((await runCli(['faces', photo, '--align', 'constructor'])).code).toBe(2);
  const missing = await runCli(['faces', join(folder, 'missing.jpg')]);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('there is no such file');
  expect(readFileSync(photo).length).toBeGreaterThan(0);
});
