import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../fixtures/run_cli.js';
import { writeSmallSplit } from '../fixtures/small_split.js';
import { image, int64, text } from '../src/io/features.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-stats-cli-'));
const dataDir = join(folder, 'data');
beforeAll(async () => {
  mkdirSync(dataDir);
  const grey = { width: 2, height: 1, channels: 1 } as const;
  const picture = await sharp(Buffer.from([0, 255]), { raw: grey })
    .png()
    .toBuffer();
  for (const split of ['train', 'test'] as const)
    writeSmallSplit(dataDir, {
      problem: 'small',
      split,
      features: {
        key: text(),
        image: image({ encoding: 'png', channels: 1 }),
        'image/phash': text(),
        targets: int64(),
      },
      examples: [0, 1, 2].map((i) => ({
        key: `${split} ${i}`,
        image: picture,
        'image/phash': '0123456789abcdef',
        targets: i % 2,
      })),
    });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('`stats --json --html` ends with the statistics and writes the page', async () => {
  const page = join(folder, 'stats.html');
  const { code, stderr, json } = await runCli(['stats', dataDir, 'small', '--json', '--html', page]);
  expect(code, stderr).toBe(0);
  expect(json).toMatchObject({
    problem: 'small',
    splits: { train: { records: 3, features: { image: { sizes: { most: [['1 × 2 × 1', 3]] } } } } },
    shared: [{ splits: ['train', 'test'], keys: 0, contents: 1 }],
  });
  expect(json).not.toHaveProperty('nearDuplicates');
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/);
});

test('`stats` prints classes, means and checks, and with `--near` which photographs look alike', async () => {
  const { code, stdout } = await runCli(['stats', dataDir, 'small', '--near', '--limit', '2']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^train +2 /m);
  expect(stdout).toContain('targets: 0 1, 1 1');
  expect(stdout).toContain('image grey: mean 0.5000, deviation 0.5000');
  expect(stdout).toContain('LOOK  train and test share 1 picture or window');
  expect(stdout).toContain('LOOK  1 group of photographs that look alike reaches across splits');
  expect(stdout).toContain('well  no key is there twice');
});

test('`card` writes README.md, with and without pictures, and leaves one of somebody else alone', async () => {
  const path = join(dataDir, 'README.md');
  const first = await runCli(['card', dataDir, '--json']);
  expect(first.json).toEqual({ card: path, problems: ['small'] });
  expect(readFileSync(path, 'utf8')).toContain('![');
  const none = await runCli(['card', dataDir, '--no-card-pictures']);
  expect(none.code, none.stderr).toBe(0);
  expect(readFileSync(path, 'utf8')).not.toContain('![');
  writeFileSync(path, '# mine\n');
  const refused = await runCli(['card', dataDir]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('a README.md that t2t-ts did not write');
  expect(readFileSync(path, 'utf8')).toBe('# mine\n');
});
