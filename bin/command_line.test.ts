import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, runCli } from '../fixtures/run_cli.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-cli-'));
const data = join(folder, 'data');
const folders = ['--data-dir', data, '--tmp-dir', join(folder, 'tmp')];

beforeAll(async () => {
  const made = await runCli(['datagen', 'fec_tiny', ...folders, '--json']);
  expect(made.code, made.stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('datagen --json ends with planned, written, rejected, shards and bytes of each split', async () => {
  const { json } = await runCli(['datagen', 'fec_tiny', ...folders, '--json']);
  expect(json).toMatchObject({ problem: 'fec_tiny', seconds: expect.any(Number) });
  const { splits } = json as { splits: Record<string, Record<string, unknown>> };
  expect(Object.keys(splits)).toEqual(['train', 'dev', 'test']);
  expect(splits.test).toEqual({
    planned: 40,
    written: 40,
    rejected: {},
    shards: 1,
    bytes: expect.any(Number),
  });
});

test('list, info and inspect say in words and in JSON what there is', async () => {
  expect((await runCli(['list'])).stdout).toMatch(/^fec +fec +Triplets/m);
  expect((await runCli(['list'])).stdout).toMatch(/^eegnet +.*eegnet_tiny/m);
  expect((await runCli(['list', '--json'])).json).toMatchObject({
    problems: expect.any(Array),
    models: expect.arrayContaining([
      expect.objectContaining({ model: 'eegnet', hparamsSets: expect.arrayContaining(['eegnet_tiny']) }),
    ]),
  });
  expect((await runCli(['info', 'fec'])).stdout).toContain('image/a');
  expect((await runCli(['info', 'fec', '--json'])).json).toMatchObject({
    dataset: { licence: { agreementNeeded: true } },
  });
  const inspected = await runCli(['inspect', data, 'fec_tiny', '--split', 'test', '--limit', '3', '--json']);
  expect(inspected.json).toMatchObject({ split: 'test', planned: 40 });
  expect((inspected.json as { examples: unknown[] }).examples.length).toBe(3);
});

test('inspect shows a TFRecord file, given alone or as a name in the folder', async () => {
  const shard = 'fec_tiny-test-00000-of-00001';
  for (const words of [[join(data, shard)], [data, shard]]) {
    const { code, stdout, stderr } = await runCli(['inspect', ...words, '--limit', '2']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('triplet_code');
  }
});

test('inspect --html writes a page with examples and rejections', async () => {
  const page = join(folder, 'sheet.html');
  const { code, stderr } = await runCli(['inspect', data, 'fec_tiny', '--html', page]);
  expect(code, stderr).toBe(0);
  expect(readFileSync(page, 'utf8')).toMatch(/odd one out[\s\S]*in-dev-split/);
});

test('what is missing or damaged in a data folder is made anew, and only that', async () => {
  const spoiled = join(folder, 'spoiled');
  cpSync(data, spoiled, { recursive: true });
  rmSync(join(spoiled, 'fec_tiny-train-00001-of-00003'));
  rmSync(join(spoiled, 'fec_tiny-test-00000-of-00001.idx'));
  rmSync(join(spoiled, 'fec_tiny.dev.ledger'), { recursive: true });
  const { code, stderr } = await runCli([
    'datagen',
    'fec_tiny',
    '--data-dir',
    spoiled,
    '--tmp-dir',
    join(folder, 'tmp'),
  ]);
  expect(code, stderr).toBe(0);
  expect(differences(data, spoiled)).toEqual([]);
});

test('Ctrl-C stops with exit code 130, and the same command goes on to the same bytes', async () => {
  const out = join(folder, 'stopped');
  const words = ['datagen', 'fec_tiny', '--data-dir', join(out, 'data'), '--tmp-dir', join(out, 'tmp')];
  const stopped = await runCli(words, {
    started: (child) => {
      child.stderr?.on('data', (text: Buffer) => {
        if (text.toString().includes('estimates')) child.kill('SIGINT');
      });
    },
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toContain('goes on where it stopped');
  expect((await runCli(['verify', join(out, 'data')])).code).not.toBe(0);
  expect((await runCli(words)).code).toBe(0);
  expect(differences(data, join(out, 'data'))).toEqual([]);
});

test('a replacement that is killed half way is still seen by the next run', async () => {
  const half = join(folder, 'half');
  cpSync(data, half, { recursive: true });
  rmSync(join(half, 'fec_tiny-train-00000-of-00003'));
  const words = [
    'datagen',
    'fec_tiny',
    '--data-dir',
    half,
    '--tmp-dir',
    join(folder, 'tmp'),
    '--shards',
    '2',
  ];
  expect((await runCli(words)).code).toBe(2);
  expect((await runCli([...words, '--overwrite'])).code).toBe(0);
  expect(readdirSync(half).filter((name) => name.includes('of-00003'))).toEqual([]);
  expect((await runCli(['verify', half])).code).toBe(0);
});

test.each([
  [['datagen', 'fec_tiny', '--option', 'quality=500', ...folders], 2, /whole number from 1 to 100/],
  [['datagen', 'fec_tiny', '--option', 'margin=-3', ...folders], 2, /from 0 to 10/],
  [
    ['datagen', 'fec_tiny', '--data-dir', join(folder, 'plain'), '--tmp-dir', join(folder, 'tmp')],
    1,
    /folder/,
  ],
  [['datagen', 'fec_tiny', '--data-dir', data, '--tmp-dir', join(folder, 'plain', 'x')], 1, /folder/],
  [['inspect', data, 'fec_tiny', '--html', join(folder, 'nowhere', 'x.html')], 1, /no such file or folder/],
  [['inspect', data, 'fec_tiny', '--split', 'train,dev'], 2, /one split/],
  [['inspect', data, 'fec'], 1, /there is no train split of fec/],
  [['verify', join(folder, 'plain')], 1, /folder/],
  [['verify', join(folder, 'absent')], 2, /nothing to verify/],
])('%j is one sentence with exit code %i', async (words, code, sentence) => {
  if (!existsSync(join(folder, 'plain'))) writeFileSync(join(folder, 'plain'), 'a file');
  const result = await runCli(words);
  expect(result.code, result.stderr).toBe(code);
  expect(result.stderr).toMatch(sentence);
  expect(result.stderr).not.toMatch(/this should not happen|^ +at /m);
});
