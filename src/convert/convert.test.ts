import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { UserError } from '../io/errors.js';
import { readParquet, readSamples, readWebdataset } from '../io/read_converted.test.helper.js';
import { type ConvertOptions, convertData } from './convert.js';
import { CONVERSION_FORMATS } from './formats.js';
import { HOSTILE_KEYS, makeSmallSplit, SMALL_FEATURES, smallValues } from './small_split.test.helper.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-convert-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COUNT = 23;
let dataDir: string;
beforeAll(async () => {
  dataDir = await makeSmallSplit(folder, { count: COUNT, shards: 4 });
});

function options(more: Partial<ConvertOptions> & Pick<ConvertOptions, 'to' | 'outDir'>): ConvertOptions {
  return { dataDir, problem: 'small', workers: 2, ...more };
}

const expected = Array.from({ length: COUNT }, (_, i) => smallValues(i));

test.each(CONVERSION_FORMATS)('every feature of every record comes back from %s, in order', async (to) => {
  const outDir = join(folder, `whole-${to}`);
  const { splits } = await convertData(options({ to, outDir }));
  expect(splits.train).toMatchObject({ records: COUNT, files: 4, made: 4 });
  const read = to === 'parquet' ? readParquet : readWebdataset;
  const files = readdirSync(outDir)
    .filter((name) => /\.(tar|parquet)$/.test(name))
    .sort();
  const found = await Promise.all(files.map((file) => read(join(outDir, file), SMALL_FEATURES)));
  expect(found.flat()).toEqual(expected);
});

test('samples have names of their own, however hostile or alike their keys are', async () => {
  const names: string[] = [];
  for (const file of readdirSync(join(folder, 'whole-webdataset')).filter((name) => name.endsWith('.tar')))
    names.push(...(await readSamples(readFileSync(join(folder, 'whole-webdataset', file)))).keys());
  expect(new Set(names).size).toBe(COUNT);
  expect(HOSTILE_KEYS.length).toBeLessThan(COUNT);
  for (const name of names) expect(name).toMatch(/^\d{9}(-[A-Za-z0-9_-]{1,60})?$/);
});

test.each(CONVERSION_FORMATS)('%s has the same bytes with one worker as with three', async (to) => {
  const outDir = join(folder, `one-${to}`);
  await convertData(options({ to, outDir, workers: 1 }));
  const other = join(folder, `three-${to}`);
  await convertData(options({ to, outDir: other, workers: 3 }));
  expect(differences(outDir, other)).toEqual([]);
});

test.each([1, 7, 1000])('records are shared out evenly over %i files, and none is lost', async (shards) => {
  const outDir = join(folder, `shards-${shards}`);
  const { splits } = await convertData(options({ to: 'webdataset', outDir, shards }));
  const files = readdirSync(outDir)
    .filter((name) => name.endsWith('.tar'))
    .sort();
  expect(files).toHaveLength(Math.min(shards, COUNT));
  expect(splits.train?.files).toBe(files.length);
  const found = await Promise.all(files.map((file) => readWebdataset(join(outDir, file), SMALL_FEATURES)));
  const sizes = found.map(({ length }) => length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  expect(found.flat()).toEqual(expected);
});

test('the manifest says from what the files were made, and where each feature stands', async () => {
  const manifest = JSON.parse(
    readFileSync(join(folder, 'whole-webdataset', '__conversion__/small.train.webdataset.json'), 'utf8'),
  );
  expect(manifest).toMatchObject({ to: 'webdataset', problem: 'small', split: 'train', records: COUNT });
  expect(manifest.places).toEqual({
    key: 'json',
    'image/a': 'image.a.jpg',
    window: 'window.npy',
    box: 'json',
    votes: 'json',
    label: 'json',
    parts: 'parts.bin',
  });
  expect(manifest.source.shards).toHaveLength(4);
  expect(manifest.dataset.licence.name).toBe('unknown');
});

test('what is finished is not made again; what is missing, cut off or not in the journal is', async () => {
  const outDir = join(folder, 'again');
  await convertData(options({ to: 'webdataset', outDir }));
  const file = (i: number): string => join(outDir, `small-train-00000${i}.tar`);
  const old = new Date(0);
  for (let i = 0; i < 4; i++) utimesSync(file(i), old, old);
  rmSync(file(1));
  writeFileSync(file(2), 'cut off');
  const before = readFileSync(join(outDir, '__conversion__/small.train.webdataset.json'));
  const { splits } = await convertData(options({ to: 'webdataset', outDir }));
  expect(splits.train).toMatchObject({ files: 4, made: 2 });
  expect([0, 3].map((i) => statSync(file(i)).mtimeMs)).toEqual([0, 0]);
  expect(differences(join(folder, 'whole-webdataset'), outDir)).toEqual([]);
  // As a killed run leaves it: a journal whose last line is cut off, and no manifest.
  const { identity, files } = JSON.parse(before.toString());
  rmSync(join(outDir, '__conversion__/small.train.webdataset.json'));
  const journal = join(outDir, '__conversion__/small.train.webdataset.journal.jsonl');
  writeFileSync(journal, `${JSON.stringify({ identity })}\n${JSON.stringify(files[0])}\n`);
  appendFileSync(journal, JSON.stringify(files[1]).slice(0, 30));
  expect((await convertData(options({ to: 'webdataset', outDir }))).splits.train?.made).toBe(3);
  expect(differences(join(folder, 'whole-webdataset'), outDir)).toEqual([]);
});

test('another conversion in the folder is refused, and replaced when that is asked for', async () => {
  const outDir = join(folder, 'other');
  await convertData(options({ to: 'webdataset', outDir, shards: 9 }));
  await expect(convertData(options({ to: 'webdataset', outDir }))).rejects.toThrow(
    /another number of files .*--overwrite/,
  );
  await convertData(options({ to: 'webdataset', outDir, overwrite: true }));
  expect(differences(join(folder, 'whole-webdataset'), outDir)).toEqual([]);
  // A file of that name that somebody else has put there.
  const strange = join(folder, 'strange');
  mkdirSync(strange);
  writeFileSync(join(strange, 'small-train-000000.tar'), 'mine');
  await expect(convertData(options({ to: 'webdataset', outDir: strange }))).rejects.toThrow(
    /nothing says of what/,
  );
  expect(readFileSync(join(strange, 'small-train-000000.tar'), 'utf8')).toBe('mine');
});

test('a conversion that is to be replaced stays whole until the new one is, which the next run then finishes', async () => {
  const outDir = join(folder, 'kept');
  await convertData(options({ to: 'parquet', outDir, shards: 9 }));
  const before = join(folder, 'kept-before');
  cpSync(outDir, before, { recursive: true });
  const controller = new AbortController();
  const replace = { to: 'parquet', outDir, shards: 2, overwrite: true, workers: 1 } as const;
  const stopped = options({ ...replace, signal: controller.signal, onEvent: () => controller.abort() });
  await expect(convertData(stopped)).rejects.toThrow(/abort/i);
  // Nothing but the replacement has come.
  expect(differences(before, outDir).filter((name) => !name.includes('replacement'))).toEqual([]);
  expect((await convertData(options({ to: 'parquet', outDir, shards: 9 }))).splits.train?.made).toBe(0);
  await convertData(options(replace));
  const anew = join(folder, 'kept-anew');
  await convertData(options({ to: 'parquet', outDir: anew, shards: 2 }));
  expect(differences(anew, outDir)).toEqual([]);
});

test('a file whose bytes have changed since it was finished is made again', async () => {
  const outDir = join(folder, 'rotten');
  await convertData(options({ to: 'webdataset', outDir }));
  const file = join(outDir, 'small-train-000002.tar');
  const bytes = readFileSync(file);
  bytes[600] = (bytes[600] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect((await convertData(options({ to: 'webdataset', outDir }))).splits.train?.made).toBe(1);
  expect(differences(join(folder, 'whole-webdataset'), outDir)).toEqual([]);
});

test('a split that is named twice is converted once', async () => {
  const outDir = join(folder, 'twice');
  const seen: number[] = [];
  await convertData(
    options({
      to: 'webdataset',
      outDir,
      splits: ['train', 'train'],
      onEvent: (event) => seen.push(event.type === 'progress' ? (event.total ?? 0) : 0),
    }),
  );
  expect(new Set(seen)).toEqual(new Set([COUNT]));
});

test('both formats of several splits live in one folder', async () => {
  const own = join(folder, 'several');
  mkdirSync(own);
  await makeSmallSplit(own, { count: 5, shards: 1 });
  await makeSmallSplit(own, { count: 4, shards: 1, split: 'test' });
  const common = { dataDir: join(own, 'data'), outDir: join(own, 'out') };
  for (const to of CONVERSION_FORMATS) {
    const { splits } = await convertData(options({ ...common, to }));
    expect(Object.keys(splits)).toEqual(['train', 'test']);
  }
  expect(readdirSync(join(own, 'out')).sort()).toEqual([
    '__conversion__',
    'small-test-00000-of-00001.parquet',
    'small-test-000000.tar',
    'small-train-00000-of-00001.parquet',
    'small-train-000000.tar',
  ]);
  expect(readdirSync(join(own, 'out', '__conversion__')).sort()).toEqual([
    'small.test.parquet.json',
    'small.test.webdataset.json',
    'small.train.parquet.json',
    'small.train.webdataset.json',
  ]);
});

/** A copy of the data that a test may damage. */
async function ownData(name: string): Promise<string> {
  const own = join(folder, name);
  mkdirSync(own);
  return makeSmallSplit(own, { count: 20, shards: 2 });
}

test('a damaged record ends the conversion with its file, number and byte, and leaves no half of a file', async () => {
  const damaged = await ownData('damaged');
  const shard = join(damaged, 'small-train-00001-of-00002');
  const index = readFileSync(`${shard}.idx`, 'utf8').split('\n')[3]?.split(' ') ?? [];
  const bytes = readFileSync(shard);
  bytes[Number(index[0]) + 40] = (bytes[Number(index[0]) + 40] ?? 0) ^ 1;
  writeFileSync(shard, bytes);
  const outDir = join(folder, 'damaged-out');
  const failed = await convertData(options({ dataDir: damaged, to: 'parquet', outDir })).catch(
    (error) => error,
  );
  expect(failed).toBeInstanceOf(UserError);
  expect(failed.message).toContain(`${shard}, record 3 at byte ${index[0]}`);
  expect(readdirSync(outDir).filter((name) => name.endsWith('.tmp') || name.includes('00001-of'))).toEqual(
    [],
  );
});

test('a split that is not finished, a shard that is missing or an index of another shard is refused at once', async () => {
  const outDir = join(folder, 'refused-out');
  const convert = (from: string) => convertData(options({ dataDir: from, to: 'webdataset', outDir }));
  const missing = await ownData('missing');
  rmSync(join(missing, 'small-train-00000-of-00002'));
  await expect(convert(missing)).rejects.toThrow(/a shard is missing/);
  const other = await ownData('other-index');
  writeFileSync(join(other, 'small-train-00000-of-00002.idx'), '0 100\n');
  await expect(convert(other)).rejects.toThrow(/index of a shard is not the one in the manifest/);
  const open = await ownData('open');
  const path = join(open, 'small.train.manifest.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"complete": true', '"complete": false'));
  await expect(convert(open)).rejects.toThrow(/not finished/);
  await expect(convert(folder)).rejects.toThrow(/holds no split of small/);
  expect(existsSync(outDir)).toBe(false);
});

test('a run that is stopped leaves nothing half made, and is finished by the next', async () => {
  const outDir = join(folder, 'stopped');
  const controller = new AbortController();
  const run = convertData(
    options({
      to: 'webdataset',
      outDir,
      workers: 1,
      signal: controller.signal,
      onEvent: () => controller.abort(),
    }),
  );
  await expect(run).rejects.toThrow(/abort/i);
  const left = readdirSync(outDir, { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => name.endsWith('.tmp') || name.endsWith('.lock'))).toEqual([]);
  await convertData(options({ to: 'webdataset', outDir }));
  expect(differences(join(folder, 'whole-webdataset'), outDir)).toEqual([]);
});

test('the command says what it would do, does it, and ends with one JSON object', async () => {
  const outDir = join(folder, 'cli');
  const words = ['convert', dataDir, 'small', '--to', 'parquet', '--out', outDir, '--shards', '2', '--json'];
  const dry = await runCli([...words, '--dry-run']);
  expect(dry.json).toMatchObject({ dryRun: true, splits: { train: { records: COUNT, files: 2, made: 2 } } });
  expect(existsSync(outDir)).toBe(false);
  const wet = await runCli(words);
  expect(wet.json).toMatchObject({ problem: 'small', to: 'parquet', splits: { train: { made: 2 } } });
  const refused = await runCli(['convert', dataDir, 'small', '--to', 'arrayrecord', '--out', outDir]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/no library for JavaScript writes ArrayRecord files.*array_record/);
});
