import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type CliResult, runCli } from '../../fixtures/run_cli.js';

/** Datasets whose pictures are files: read where they lie, prepared once, seen when they change, forgotten by person. */
const root = mkdtempSync(join(tmpdir(), 't2t-own-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PROBLEM = fileURLToPath(new URL('../../fixtures/folder_problem.js', import.meta.url));

function makeFolder(name: string): string {
  const folder = join(root, name, 'manual');
  mkdirSync(folder, { recursive: true });
  for (const person of ['ann', 'bob', 'cy'])
    for (let i = 0; i < 4; i++)
      writeFileSync(
        join(folder, `${person}-${i}.txt`),
        person === 'cy' && i === 0 ? 'no face' : `${person} says ${i}`,
      );
  return folder;
}

function t2t(name: string, ...command: string[]): Promise<CliResult> {
  const out = join(root, name);
  return runCli([
    ...command,
    '--tmp-dir',
    join(out, 'tmp'),
    '--manual-dir',
    join(out, 'manual'),
    '--import',
    PROBLEM,
    '--json',
  ]);
}

function datagen(name: string, ...more: string[]): Promise<CliResult> {
  return t2t(name, 'datagen', 'test_folder_words', '--data-dir', join(root, name, 'data'), ...more);
}

function summary({ stdout }: CliResult) {
  return JSON.parse(stdout.trim().split('\n').at(-1) as string);
}

test('files of a folder are prepared and written with their facts, and what fails is counted', async () => {
  makeFolder('plain');
  const made = await datagen('plain');
  expect(made.stderr).not.toMatch(/error/i);
  expect(made.code).toBe(0);
  expect(summary(made).splits.train).toMatchObject({
    planned: 12,
    written: 11,
    rejected: { 'no-face': 1 },
    shards: 3,
  });
  const shards = ['00000', '00001', '00002'].map((i) =>
    readFileSync(join(root, 'plain', 'data', `test_folder_words-train-${i}-of-00003`), 'latin1'),
  );
  expect(shards.join('')).toContain('ANN SAYS 2');
});

test('a file that was replaced, removed or brought makes only its shard anew', async () => {
  const folder = makeFolder('changes');
  writeFileSync(
    join(folder, 'list.csv'),
    ['ann', 'bob', 'cy'].flatMap((p) => [0, 1, 2, 3].map((i) => `${p}-${i}.txt`)).join('\n'),
  );
  rmSync(join(folder, 'bob-1.txt'));
  const first = await datagen('changes');
  expect(summary(first).splits.train).toMatchObject({
    written: 10,
    rejected: { 'no-face': 1, 'missing-file': 1 },
  });

  const again = await datagen('changes');
  expect(summary(again).preflight.splits[0]).toMatchObject({ finished: 3 });

  writeFileSync(join(folder, 'bob-1.txt'), 'bob is back');
  const back = await datagen('changes');
  expect(summary(back).splits.train).toMatchObject({ written: 11, rejected: { 'no-face': 1 } });

  writeFileSync(join(folder, 'ann-3.txt'), 'ann says 9');
  utimesSync(join(folder, 'ann-3.txt'), new Date(), new Date(Date.now() + 5000));
  await datagen('changes');
  const all = ['00000', '00001', '00002']
    .map((i) =>
      readFileSync(join(root, 'changes', 'data', `test_folder_words-train-${i}-of-00003`), 'latin1'),
    )
    .join('');
  expect(all).toContain('ANN SAYS 9');
  expect(all).not.toContain('ANN SAYS 3');
  expect(all).toContain('BOB IS BACK');
});

test('a person who is forgotten is in no shard and in no kept picture any more', async () => {
  makeFolder('forget');
  await datagen('forget');
  const data = join(root, 'forget', 'data');
  const struck = await t2t('forget', 'forget', data, 'test_folder_words', '--identity', 'bob');
  expect(struck.code).toBe(0);
  expect(summary(struck)).toMatchObject({ struck: ['bob'], erasedPrepared: 4 });
  const all = ['00000', '00001', '00002']
    .map((i) => readFileSync(join(data, `test_folder_words-train-${i}-of-00003`), 'latin1'))
    .join('');
  expect(all).not.toContain('BOB');
  expect(all).toContain('CY SAYS 1');
  const later = await datagen('forget');
  expect(summary(later).splits.train).toMatchObject({ written: 7, rejected: { 'no-face': 1, struck: 4 } });
  // Nor in another data folder over the same raw data.
  const elsewhere = await t2t(
    'forget',
    'datagen',
    'test_folder_words',
    '--data-dir',
    join(root, 'forget', 'data2'),
  );
  expect(summary(elsewhere).splits.train).toMatchObject({ written: 7, rejected: { struck: 4 } });
  const odd = await t2t('forget', 'forget', data, 'test_folder_words', '--identity', 'bob\nidentity ann');
  expect(odd.code).toBe(2);
  const nobody = await t2t('forget', 'forget', data, 'test_folder_words');
  expect(nobody.code).toBe(2);
});
