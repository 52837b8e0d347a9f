import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateData } from '../../src/datagen/generate.js';
import { seededRandom } from '../io/random.js';
import { readIndex } from '../io/tfrecord.js';
import { RecordError, readRecords } from '../io/tfrecord_reader.js';
import '../problems/all.js';
import { problem } from '../problems/registry.js';
import { finishedManifest } from './manifest.js';
import { verifyData } from './verify.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-verify-'));
const good = join(folder, 'good');
const data = join(folder, 'data');
const SHARD = 'fec_tiny-test-00000-of-00002';

beforeAll(async () => {
  await generateData(problem('fec_tiny'), {
    dataDir: good,
    tmpDir: join(folder, 'tmp'),
    splits: ['test'],
    shards: 2,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A fresh copy, spoiled, verified. */
async function verifySpoiled(spoil: () => void) {
  rmSync(data, { recursive: true, force: true });
  cpSync(good, data, { recursive: true });
  spoil();
  return verifyData(data, 'fec_tiny');
}

test('a whole folder verifies, and says how much was read', async () => {
  expect(await verifyData(good)).toEqual({ ok: true, files: 2, records: 40, errors: [] });
});

test('one flipped bit anywhere in a shard: verify and the reader name the file and the record', async () => {
  const path = join(data, SHARD);
  const bytes = readFileSync(join(good, SHARD));
  const index = readIndex(join(good, `${SHARD}.idx`), bytes.length);
  const random = seededRandom('bits');
  for (let i = 0; i < 300; i++) {
    // The framing and the first bytes of a record more often than its pictures.
    const entry = index[random.below(index.length)]!;
    const within = i % 2 === 0 ? random.below(Math.min(200, entry.length)) : random.below(entry.length);
    const at = i % 10 === 1 ? entry.offset + entry.length - 1 - random.below(4) : entry.offset + within;
    const record = index.findIndex(({ offset, length }) => at >= offset && at < offset + length);
    const report = await verifySpoiled(() => {
      const spoiled = Buffer.from(bytes);
      spoiled[at]! ^= 1 << random.below(8);
      writeFileSync(path, spoiled);
    });
    expect(report.ok).toBe(false);
    expect(report.errors).toEqual([
      { file: SHARD, record, offset: index[record]!.offset, error: expect.any(String) },
    ]);
    const read = async () => {
      for await (const { data: payload } of readRecords(path)) expect(payload.length).toBeGreaterThan(0);
    };
    const error = await read().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject({ file: path, record });
  }
});

test('two damaged records are both named', async () => {
  const bytes = readFileSync(join(good, SHARD));
  const index = readIndex(join(good, `${SHARD}.idx`));
  const report = await verifySpoiled(() => {
    const spoiled = Buffer.from(bytes);
    for (const record of [3, 11]) spoiled[index[record]!.offset + 40]! ^= 1;
    writeFileSync(join(data, SHARD), spoiled);
  });
  expect(report.errors.map(({ record }) => record)).toEqual([3, 11]);
});

test.each([
  ['a missing shard', () => rmSync(join(data, SHARD)), SHARD, /missing/],
  ['a cut shard', () => truncateSync(join(data, SHARD), 5000), SHARD, /./],
  [
    'a shard cut between two records',
    () => truncateSync(join(data, SHARD), readIndex(join(good, `${SHARD}.idx`))[5]!.offset),
    SHARD,
    /./,
  ],
  ['an empty shard', () => truncateSync(join(data, SHARD), 0), SHARD, /./],
  ['a missing index', () => rmSync(join(data, `${SHARD}.idx`)), `${SHARD}.idx`, /missing/],
  ['a changed index', () => writeFileSync(join(data, `${SHARD}.idx`), '0 5\n'), `${SHARD}.idx`, /SHA-256/],
  ['swapped shards', () => swap('fec_tiny-test-00000-of-00002', 'fec_tiny-test-00001-of-00002'), SHARD, /./],
  [
    'a stray shard',
    () => cpSync(join(data, SHARD), join(data, 'fec_tiny-test-00002-of-00003')),
    'fec_tiny-test-00002-of-00003',
    /does not list/,
  ],
  [
    'a missing ledger',
    () => rmSync(join(data, 'fec_tiny.test.ledger'), { recursive: true }),
    'fec_tiny.test.ledger/00000-of-00002.jsonl',
    /ledger/,
  ],
  [
    'a manifest that is no JSON',
    () => writeFileSync(join(data, 'fec_tiny.test.manifest.json'), '{'),
    'fec_tiny.test.manifest.json',
    /can't be read/,
  ],
  [
    'a manifest of an unfinished split',
    () => edit('"complete": true', '"complete": false'),
    'fec_tiny.test.manifest.json',
    /not finished/,
  ],
  [
    'a manifest whose counts do not add up',
    () => edit('"written": 40', '"written": 41'),
    'fec_tiny.test.manifest.json',
    /planned/,
  ],
])('%s is named', async (_, spoil, file, error) => {
  const report = await verifySpoiled(spoil);
  expect(report.ok).toBe(false);
  const named = report.errors.find((each) => each.file === file);
  expect(named, JSON.stringify(report.errors)).toBeDefined();
  expect(named!.error).toMatch(error);
});

test('a reader is refused a split that is missing or not finished', async () => {
  expect(finishedManifest(good, 'fec_tiny', 'test').written).toBe(40);
  expect(() => finishedManifest(good, 'fec_tiny', 'train')).toThrow(/there is no train split/);
  await verifySpoiled(() => edit('"complete": true', '"complete": false'));
  expect(() => finishedManifest(data, 'fec_tiny', 'test')).toThrow(/not finished/);
});

test('a folder without anything to verify is an error, not a success', async () => {
  await expect(verifyData(folder)).rejects.toThrow(/nothing to verify/);
  expect(readdirSync(folder).length).toBeGreaterThan(0);
});

function swap(one: string, other: string): void {
  renameSync(join(data, one), join(data, 'x'));
  renameSync(join(data, other), join(data, one));
  renameSync(join(data, 'x'), join(data, other));
}

function edit(from: string, to: string): void {
  const path = join(data, 'fec_tiny.test.manifest.json');
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`the manifest does not hold ${from}`);
  writeFileSync(path, text.replace(from, to));
}
