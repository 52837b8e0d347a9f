import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { createExampleParser } from '../io/example_parser.js';
import { featuresFromJson } from '../io/features.js';
import { readRecords } from '../io/tfrecord_reader.js';
import '../problems/all.js';
import { withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { manifestPath } from './data_files.js';
import { finishData } from './finish.js';
import { forget } from './forget.js';
import { type GenerateOptions, generateData } from './generate.js';
import { finishedManifest } from './manifest.js';
import { writeTfdsMetadata } from './tfds_metadata.js';
import { makeUnusualSplit } from './unusual_split.test.helper.js';

const root = mkdtempSync(join(tmpdir(), 't2t-tfds-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Info {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly citation: string;
  readonly redistributionInfo: { readonly license: string };
  readonly splits: readonly {
    readonly name: string;
    readonly filepathTemplate: string;
    readonly shardLengths: readonly string[];
    readonly numBytes: string;
  }[];
}

const readInfo = (...path: string[]): Info =>
  JSON.parse(readFileSync(join(...path, 'dataset_info.json'), 'utf8'));
const splitsIn = (...path: string[]): string[] => readInfo(...path).splits.map(({ name }) => name);
/** Names of files and folders, without those of the splits themselves. */
const described = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/manifest|-of-|ledger/.test(name))
    .sort();

test('one Problem is described at the top of its folder and by its name, with the counts of its manifests', () => {
  const folder = join(root, 'one');
  const train = makeUnusualSplit(folder, 'alpha');
  makeUnusualSplit(folder, 'alpha', { split: 'dev', shards: [2] });
  expect(described(folder)).toEqual([
    'alpha',
    'alpha/2.0.0',
    'alpha/2.0.0/dataset_info.json',
    'alpha/2.0.0/features.json',
    'dataset_info.json',
    'features.json',
  ]);
  const info = readInfo(folder);
  expect(info).toMatchObject({ name: 'alpha', version: '2.0.0', citation: 'Made for a test.' });
  expect(info.description).toContain('train: 4 planned, 4 written.');
  expect(info.redistributionInfo.license).toBe(
    'CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)',
  );
  expect(info.splits[0]).toEqual({
    name: 'train',
    filepathTemplate: '{DATASET}-{SPLIT}-{SHARD_X_OF_Y}',
    shardLengths: ['3', '0', '1'],
    // Without the 16 bytes around each record, as TFDS counts.
    numBytes: String(train.bytes - 4 * 16),
  });
  expect(readInfo(folder, 'alpha', '2.0.0').splits.map(({ filepathTemplate }) => filepathTemplate)).toEqual([
    '../../{DATASET}-{SPLIT}-{SHARD_X_OF_Y}',
    '../../{DATASET}-{SPLIT}-{SHARD_X_OF_Y}',
  ]);
});

test('of two Problems each is described by its name alone, and what is right is not written again', () => {
  const folder = join(root, 'two');
  makeUnusualSplit(folder, 'alpha');
  makeUnusualSplit(folder, 'beta', { version: '1.2.3' });
  expect(described(folder).filter((name) => name.endsWith('info.json'))).toEqual([
    'alpha/2.0.0/dataset_info.json',
    'beta/1.2.3/dataset_info.json',
  ]);
  const times = described(folder).map((name) => statSync(join(folder, name), { bigint: true }).mtimeNs);
  writeTfdsMetadata(folder);
  expect(described(folder).map((name) => statSync(join(folder, name), { bigint: true }).mtimeNs)).toEqual(
    times,
  );
  rmSync(manifestPath(folder, 'beta', 'train'));
  writeTfdsMetadata(folder);
  expect(described(folder)).toContain('dataset_info.json');
  expect(described(folder)).not.toContain('beta');
});

test('splits that are not finished, damaged, empty or of other features or versions are left out', () => {
  const folder = join(root, 'left out');
  makeUnusualSplit(folder, 'alpha', { isComplete: false });
  expect(described(folder)).toEqual([]);
  makeUnusualSplit(folder, 'alpha', { split: 'test', shards: [0] });
  expect(described(folder)).toEqual([]);
  makeUnusualSplit(folder, 'alpha', { split: 'dev', version: '3.0.0' });
  expect(splitsIn(folder, 'alpha', '3.0.0')).toEqual(['dev']);
  expect(readInfo(folder).description).toMatch(/test: 0 planned, 0 written\. Left out here/);
  // The first split decides: what was described under the other version goes.
  makeUnusualSplit(folder, 'alpha');
  expect(splitsIn(folder, 'alpha', '2.0.0')).toEqual(['train']);
  expect(existsSync(join(folder, 'alpha', '3.0.0'))).toBe(false);
  writeFileSync(manifestPath(folder, 'alpha', 'train'), '{"format": "t2t-ts mani');
  writeTfdsMetadata(folder);
  expect(splitsIn(folder)).toEqual(['dev']);
});

test('processes that open and finish splits in one folder at the same time leave it described as it then is', async () => {
  const folder = join(root, 'at once');
  mkdirSync(folder);
  const helper = new URL('./unusual_split.test.helper.js', import.meta.url).href;
  const run = (name: string) =>
    promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `const { makeUnusualSplit } = await import(${JSON.stringify(helper)});
      for (let i = 0; i < 40; i++)
        makeUnusualSplit(${JSON.stringify(folder)}, '${name}', { shards: [1], isComplete: i % 2 === 1 });`,
    ]);
  // Two of them say the same of one Problem, as tasks do.
  await Promise.all(['alpha', 'beta', 'beta', 'gamma'].map(run));
  expect(described(folder).filter((name) => name.includes('.json'))).toEqual(
    ['alpha', 'beta', 'gamma'].flatMap((name) => [
      join(name, '2.0.0', 'dataset_info.json'),
      join(name, '2.0.0', 'features.json'),
    ]),
  );
}, 60_000);

test('what others wrote under these names is left alone', () => {
  const folder = join(root, 'others');
  const theirs = JSON.stringify({
    name: 'mnist',
    splits: [{ filepathTemplate: '{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}' }],
  });
  for (const place of ['.', 'mnist/3.0.1']) {
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(join(folder, place, 'dataset_info.json'), theirs);
    writeFileSync(join(folder, place, 'features.json'), '{}');
  }
  makeUnusualSplit(folder, 'alpha');
  for (const place of ['.', 'mnist/3.0.1']) {
    expect(readFileSync(join(folder, place, 'dataset_info.json'), 'utf8')).toBe(theirs);
    expect(readFileSync(join(folder, place, 'features.json'), 'utf8')).toBe('{}');
  }
  expect(splitsIn(folder, 'alpha', '2.0.0')).toEqual(['train']);
});

test('while a split is made, by whichever way, nobody is told of it; then the counts are those of its manifest', async () => {
  const dataDir = join(root, 'made');
  const tiny = problem('eeg_tiny');
  const seen: boolean[] = [];
  const options = (more: Partial<GenerateOptions>): GenerateOptions => ({
    dataDir,
    tmpDir: join(root, 'tmp'),
    splits: ['train'],
    shards: 2,
    workers: 1,
    onEvent: (event) => {
      if (event.type === 'progress' && event.stage === 'shards')
        seen.push(existsSync(join(dataDir, 'dataset_info.json')));
    },
    ...more,
  });
  const counts = (): string[] => readInfo(dataDir).splits[0]?.shardLengths.map(String) ?? [];
  const manifestCounts = (): string[] =>
    finishedManifest(dataDir, 'eeg_tiny', 'train').shards.map(({ records }) => String(records));
  const features = (): string => readFileSync(join(dataDir, 'features.json'), 'utf8');

  for (const index of [0, 1]) await generateData(tiny, options({ task: { index, of: 2 } }));
  expect(existsSync(join(dataDir, 'dataset_info.json'))).toBe(false);
  finishData(dataDir, 'eeg_tiny');
  expect(counts()).toEqual(manifestCounts());
  expect(features()).toContain('"640"');

  await generateData(withOptions(tiny, { resample: 80 }), options({ overwrite: true }));
  expect(counts()).toEqual(manifestCounts());
  expect(features()).not.toContain('"640"');
  expect(features()).toContain('"320"');

  const before = counts();
  const subject = await subjectOfFirst(dataDir);
  const { remade } = await forget('eeg_tiny', { urls: [], identities: [subject] }, options({}));
  expect(remade.length).toBeGreaterThan(0);
  expect(counts()).toEqual(manifestCounts());
  expect(counts()).not.toEqual(before);
  expect(seen.length).toBeGreaterThan(4);
  expect(seen).not.toContain(true);
});

async function subjectOfFirst(dataDir: string): Promise<string> {
  const { features, shards } = finishedManifest(dataDir, 'eeg_tiny', 'train');
  const parser = createExampleParser(featuresFromJson(features, 'the manifest'));
  for await (const { data } of readRecords(join(dataDir, shards[0]?.file as string)))
    return (parser.parse(data) as unknown as { readonly subject: string }).subject;
  throw new Error('the first shard is empty');
}
