import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSmallSplit } from '../../fixtures/small_split.js';
import { generateData } from '../datagen/generate.js';
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
  expect(raw.unit).toBe('µV');
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
