import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSmallSplit } from '../../fixtures/small_split.js';
import { generateData } from '../datagen/generate.js';
import { writeManifest } from '../datagen/manifest.js';
import { float32, image, int64, text } from '../io/features.js';
import '../problems/all.js';
import { withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { type DataStats, dataStats } from './data_stats.js';
import type { NumberStats } from './feature_stats.js';
import { checksOf } from './stats_checks.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-stats-'));
const dataDir = join(folder, 'data');
let stats: DataStats;
const progress: number[][] = [];
beforeAll(async () => {
  await generateData(withOptions(problem('fec_tiny'), { find_face: false }), {
    dataDir,
    tmpDir: join(folder, 'tmp'),
  });
  const onProgress = (done: number, total: number) => progress.push([done, total]);
  stats = await dataStats(dataDir, 'fec_tiny', { workers: 1, onProgress });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('statistics are the same to the last bit whatever the number of workers', async () => {
  expect(JSON.stringify(await dataStats(dataDir, 'fec_tiny', { workers: 3 }))).toBe(JSON.stringify(stats));
});

test('all records of a split are counted, and each class of its labels', () => {
  const { splits, shared } = stats;
  const train = splits.train!;
  expect(train.records).toBe(train.written);
  expect(train.keys).toMatchObject({ all: train.written, distinct: train.written });
  const codes = (train.features.triplet_code as NumberStats).values!;
  expect(codes.most.reduce((sum, [, times]) => sum + times, 0)).toBe(train.written);
  expect(train.labels).toEqual(['triplet_code', 'type']);
  expect(train.agreement!.most.reduce((sum, [, times]) => sum + times, 0)).toBe(train.written);
  expect(train.contents!.all).toBe(3 * train.written);
  expect(shared.map(({ keys, contents }) => [keys, contents])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

test('progress goes shard by shard up to all the bytes there are', () => {
  expect(progress).toHaveLength(5);
  expect(progress.at(-1)![0]).toBe(progress.at(-1)![1]);
});

test('a limit takes the first records of each split, across shards', async () => {
  const { splits } = await dataStats(dataDir, 'fec_tiny', { splits: ['train'], limit: 50 });
  expect(Object.keys(splits)).toEqual(['train']);
  expect(splits.train).toMatchObject({ records: 50, keys: { all: 50 } });
});

async function jpeg(colour: string): Promise<Uint8Array> {
  const picture = sharp({ create: { width: 8, height: 6, channels: 3, background: colour } });
  return picture
    .composite([
      { input: Buffer.from('<svg width="8" height="6"><rect width="3" height="2" fill="#0f0"/></svg>') },
    ])
    .jpeg()
    .toBuffer();
}

const features = {
  key: text(),
  image: image(),
  'eeg/raw': float32([2, 4]),
  'eeg/channels': text([2]),
  targets: int64(),
};

test('faults are found: NaN, infinity, flat channels, damaged and plain pictures, repeats, leaks', async () => {
  const dir = mkdtempSync(join(folder, 'faults-'));
  const red = await jpeg('#f00');
  const plain = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#00f' } })
    .png()
    .toBuffer();
  const example = (key: string, bytes: Uint8Array, raw: number[]) => ({
    key,
    image: bytes,
    'eeg/raw': raw,
    'eeg/channels': ['Cz', 'Pz'],
    targets: 1,
  });
  writeSmallSplit(dir, {
    problem: 'faulty',
    split: 'train',
    features,
    shards: 2,
    examples: [
      example('a', red, [1, 2, 3, 4, 7, 7, 7, 7]),
      example('b', plain, [Number.NaN, 2, 3, 4, 1, 2, 3, 4]),
      example('a', Buffer.from('no picture'), [1, 2, 3, Infinity, 1, 2, 3, 5]),
    ],
  });
  writeSmallSplit(dir, {
    problem: 'faulty',
    split: 'test',
    features,
    examples: [example('c', red, [9, 8, 7, 6, 5, 4, 3, 2])],
  });
  const faulty = await dataStats(dir, 'faulty');
  expect(
    checksOf(faulty)
      .filter(({ isWell }) => !isWell)
      .map(({ sentence }) => sentence),
  ).toEqual([
    '1 record of train has a key that another has',
    'train and test share 1 picture or window',
    'image of train: 1 picture can’t be decoded',
    'image of train: 1 picture of one colour all over',
    'eeg/raw of train: 1 value not a number (NaN)',
    'eeg/raw of train: 1 value infinite',
    'eeg/raw of train: channels stand still through windows, 1 time in all (Pz)',
  ]);
  const raw = faulty.splits.train!.features['eeg/raw'] as NumberStats;
  // Only of registered Problems is it known what the numbers of `eeg/raw` are.
  expect(raw.unit).toBe('the files’ own units');
  expect(raw.channels.map(({ name, count, least, greatest }) => [name, count, least, greatest])).toEqual([
    ['Cz', 10, 1, 4],
    ['Pz', 12, 1, 7],
  ]);
});

test('a damaged shard is an error that names it, and no thread is left behind', async () => {
  const dir = mkdtempSync(join(folder, 'damaged-'));
  const examples = Array.from({ length: 4 }, (_, i) => ({ key: `${i}` }));
  const manifest = writeSmallSplit(dir, {
    problem: 'damaged',
    split: 'train',
    features: { key: text() },
    shards: 4,
    examples,
  });
  truncateSync(join(dir, manifest.shards[1]!.file), 5);
  await expect(dataStats(dir, 'damaged', { workers: 2 })).rejects.toThrow(/damaged-train-00001-of-00004/);
});

test('a split that is not there is refused, with the command that makes it', async () => {
  await expect(dataStats(dataDir, 'fec')).rejects.toThrow(/no finished split of fec .*t2t-ts datagen fec/);
});

/** Two shards of two records, of different sizes. */
function fourRecords(): { readonly dir: string; readonly paths: readonly string[] } {
  const dir = mkdtempSync(join(folder, 'four-'));
  const { shards } = writeSmallSplit(dir, {
    problem: 'four',
    split: 'train',
    features: { key: text() },
    shards: 2,
    examples: [{ key: '0' }, { key: 'more' }, { key: '2' }, { key: '3' }],
  });
  return { dir, paths: shards.map(({ file }) => join(dir, file)) };
}

test('shards that are not the manifest’s are refused, and named', async () => {
  const cut = fourRecords();
  truncateSync(cut.paths[1]!, readFileSync(cut.paths[1]!).length / 2);
  await expect(dataStats(cut.dir, 'four')).rejects.toThrow(
    /bytes, where the manifest says .*four-train-00001/,
  );
  const copied = fourRecords();
  copyFileSync(copied.paths[1]!, copied.paths[0]!);
  await expect(dataStats(copied.dir, 'four')).rejects.toThrow(
    /bytes, where the manifest says .*four-train-00000/,
  );
  const indexed = fourRecords();
  copyFileSync(`${indexed.paths[1]}.idx`, `${indexed.paths[0]}.idx`);
  await expect(dataStats(indexed.dir, 'four')).rejects.toThrow(/index .*four-train-00000/);
});

test('a shard of another number of records is refused, also where its size is right', async () => {
  const dir = mkdtempSync(join(folder, 'number-'));
  const split = (keys: readonly string[]) =>
    writeSmallSplit(dir, {
      problem: 'number',
      split: 'train',
      features: { key: text() },
      examples: keys.map((key) => ({ key })),
    });
  const one = split(['a'.repeat(100)]);
  const path = join(dir, one.shards[0]!.file);
  const index = readFileSync(`${path}.idx`);
  // As long as the one: two keys and, for the second, what a record has besides its key.
  const besides = one.bytes - 100;
  for (const length of [100 - besides, 101 - besides, 102 - besides, 103 - besides]) {
    const two = split(['b'.repeat(Math.floor(length / 2)), 'c'.repeat(Math.ceil(length / 2))]);
    if (two.bytes !== one.bytes) continue;
    writeFileSync(`${path}.idx`, index);
    writeManifest(dir, one);
    await expect(dataStats(dir, 'number')).rejects.toThrow(/more than 1 records, where the manifest says 1/);
    return;
  }
  throw new Error('no two records of that size');
});

test('a split that is not finished is said to be so, and one asked for twice is counted once', async () => {
  const { dir } = fourRecords();
  const other = { problem: 'four', split: 'dev', features: { key: text() } } as const;
  writeManifest(dir, { ...writeSmallSplit(dir, { ...other, examples: [{ key: 'x' }] }), complete: false });
  const counted = await dataStats(dir, 'four');
  expect(counted.unfinished).toEqual(['dev']);
  expect(checksOf(counted)[0]).toEqual({
    isWell: false,
    sentence: 'the dev split is not finished: nothing of it is counted',
  });
  const twice = await dataStats(dir, 'four', { splits: ['train', 'train'] });
  expect([twice.splits.train?.records, twice.shared, twice.unfinished]).toEqual([4, [], []]);
});

test('only what was looked at is said to be well', async () => {
  const { dir } = fourRecords();
  const sentences = async (problem: string, limit?: number) =>
    checksOf(await dataStats(dir, problem, limit === undefined ? {} : { limit })).map(
      ({ sentence }) => sentence,
    );
  expect(await sentences('four')).toEqual(['no key is there twice']);
  expect(await sentences('four', 3)).toEqual(['no key is there twice, among the first 3 records']);
  for (const split of ['train', 'dev'] as const)
    writeSmallSplit(dir, { problem: 'plain', split, features: { n: int64() }, examples: [{ n: 1 }] });
  expect(await sentences('plain')).toEqual([]);
});

test('a list of a hundred thousand numbers is one channel', async () => {
  const dir = mkdtempSync(join(folder, 'long-'));
  writeSmallSplit(dir, {
    problem: 'long',
    split: 'train',
    features: { long: float32([100_000]), short: float32([512]) },
    examples: [{ long: new Float32Array(100_000).fill(2), short: new Float32Array(512) }],
  });
  const { long, short } = (await dataStats(dir, 'long')).splits.train!.features;
  expect((long as NumberStats).channels).toMatchObject([{ name: '', count: 100_000, least: 2 }]);
  expect((short as NumberStats).channels).toHaveLength(512);
});

test('quantiles lie within the numbers', async () => {
  const dir = mkdtempSync(join(folder, 'quantiles-'));
  const examples = [1.7, 1.7, 900].map((value) => ({ value }));
  writeSmallSplit(dir, { problem: 'few', split: 'train', features: { value: float32() }, examples });
  const { quantiles, channels } = (await dataStats(dir, 'few')).splits.train!.features.value as NumberStats;
  for (const each of quantiles!) {
    expect(each).toBeGreaterThanOrEqual(channels[0]!.least!);
    expect(each).toBeLessThanOrEqual(channels[0]!.greatest!);
  }
});

test('photographs that look alike are refused before anything is counted where there are no hashes', async () => {
  const { dir, paths } = fourRecords();
  const bytes = readFileSync(paths[0]!);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(paths[0]!, bytes);
  await expect(dataStats(dir, 'four', { near: true })).rejects.toThrow(/holds no hashes/);
});
