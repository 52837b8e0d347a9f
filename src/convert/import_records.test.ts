import {
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
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { sharedData } from '../../fixtures/shared_data.js';
import { readLedger } from '../datagen/ledger.js';
import { finishedManifest } from '../datagen/manifest.js';
import { problemIn } from '../datagen/manifest_problem.js';
import { verifyData } from '../datagen/verify.js';
import { inspectSplit } from '../explore/inspect.js';
import { type Features, featuresToJson, float32, int64, optional, text } from '../io/features.js';
import { readRecords } from '../io/tfrecord_reader.js';
import '../problems/all.js';
import { withOptions } from '../problems/problem.js';
import { type ImportOptions, importRecords } from './import_records.js';
import { inferFeatures } from './infer_features.js';
import { recordFiles } from './record_files.js';
import { SMALL_FEATURES, writeSmallFile } from './small_split.test.helper.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sources = join(folder, 'sources');
const plain = join(sources, 'a.tfrecord');
const zipped = join(sources, 'b.tfrecord.gz');
beforeAll(() => {
  mkdirSync(sources);
  writeSmallFile(plain, 11);
  writeSmallFile(join(folder, 'b'), 8, 11);
  writeFileSync(zipped, gzipSync(readFileSync(join(folder, 'b'))));
});

function options(more: Partial<ImportOptions> & Pick<ImportOptions, 'dataDir'>): ImportOptions {
  return { files: [plain, zipped], name: 'small', features: SMALL_FEATURES, ...more };
}

async function payloads(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files)
    for await (const { data } of readRecords(file)) found.push(Buffer.from(data).toString('base64'));
  return found;
}

function shardsOf(dataDir: string, name = 'small', split = 'train'): string[] {
  const isShard = (file: string): boolean => file.startsWith(`${name}-${split}-`) && !file.endsWith('.idx');
  return readdirSync(dataDir)
    .filter(isShard)
    .sort()
    .map((file) => join(dataDir, file));
}

test('plain and gzip files become checked shards, every record as it was and in order', async () => {
  const dataDir = join(folder, 'whole');
  const summary = await importRecords(options({ dataDir, shards: 3 }));
  expect(summary).toMatchObject({ ok: true, files: 2, planned: 19, written: 19, shards: 3, rejected: {} });
  expect(await payloads(shardsOf(dataDir))).toEqual(await payloads([plain, zipped]));
  expect(await verifyData(dataDir, 'small')).toMatchObject({ ok: true, files: 3, records: 19 });
  const { notes, features } = finishedManifest(dataDir, 'small', 'train');
  expect(features).toEqual(featuresToJson(SMALL_FEATURES));
  expect(notes[0]).toMatch(/^11 records of a\.tfrecord, SHA-256 [0-9a-f]{64}$/);
});

test('what was imported is opened by its name, though no Problem is registered under it', async () => {
  const dataDir = join(folder, 'whole');
  const problem = problemIn(dataDir, 'small');
  expect(problem.features).toEqual(SMALL_FEATURES);
  expect(withOptions(problem, {}).name).toBe('small');
  expect(() => problem.plan('train', undefined, { seed: 0, note() {} })).toThrow(/no Problem small is known/);
  expect(problemIn(dataDir, 'fec_tiny').dataset.name).toBe('fec_tiny');
  expect(() => problemIn(dataDir, 'nothing')).toThrow(/there is no Problem "nothing"/);
  const { examples } = await inspectSplit(dataDir, 'small', 'train', 2);
  expect(examples[1]?.values.get('label')).toBe(1);
});

test('a second run keeps what is finished, and makes what is missing with the same bytes', async () => {
  const dataDir = join(folder, 'again');
  await importRecords(options({ dataDir, shards: 3 }));
  expect(differences(join(folder, 'whole'), dataDir)).toEqual([]);
  const [first, second] = shardsOf(dataDir) as [string, string];
  utimesSync(first, new Date(0), new Date(0));
  rmSync(second);
  await importRecords(options({ dataDir, shards: 3 }));
  expect(statSync(first).mtimeMs).toBe(0);
  expect(differences(join(folder, 'whole'), dataDir)).toEqual([]);
});

test('other files or another number of shards are refused, and replace the split when that is asked for', async () => {
  const dataDir = join(folder, 'replaced');
  await importRecords(options({ dataDir, shards: 5 }));
  await expect(importRecords(options({ dataDir, shards: 3 }))).rejects.toThrow(/--overwrite/);
  await expect(importRecords(options({ dataDir, shards: 5, files: [plain] }))).rejects.toThrow(/other files/);
  await importRecords(options({ dataDir, shards: 3, overwrite: true }));
  expect(differences(join(folder, 'whole'), dataDir)).toEqual([]);
  const features = { label: int64() };
  await expect(importRecords(options({ dataDir, split: 'dev', features }))).rejects.toThrow(/other features/);
});

test('records that do not fit are named, or counted and left out', async () => {
  const features: Features = { ...SMALL_FEATURES, box: float32([4]) };
  const dataDir = join(folder, 'misfits');
  const refused = await importRecords(options({ dataDir, features }));
  expect(refused).toMatchObject({ ok: false, planned: 19, written: 0 });
  // Every third example has no box.
  expect(refused.errors.map(({ file, record }) => [file, record])).toEqual([
    ...[0, 3, 6, 9].map((record) => [plain, record]),
    ...[1, 4, 7].map((record) => [zipped, record]),
  ]);
  expect(refused.errors[0]).toMatchObject({ offset: 0, error: 'feature "box" is missing' });
  expect(readdirSync(folder)).not.toContain('misfits');
  const counted = await importRecords(options({ dataDir, features, onMismatch: 'reject', shards: 2 }));
  expect(counted).toMatchObject({ ok: true, planned: 19, written: 12, rejected: { 'malformed-row': 7 } });
  expect(await verifyData(dataDir)).toMatchObject({ ok: true, records: 12 });
  const { lines } = readLedger(join(dataDir, 'small.train.ledger', '00001-of-00002.jsonl'));
  expect(lines.filter(({ rejected }) => rejected !== undefined)).toMatchObject([
    { key: 'a.tfrecord:9', detail: 'feature "box" is missing' },
    { key: 'b.tfrecord.gz:1' },
    { key: 'b.tfrecord.gz:4' },
    { key: 'b.tfrecord.gz:7' },
  ]);
});

test('every damaged file is named with record and byte, and nothing is written', async () => {
  const flipped = join(folder, 'flipped.tfrecord');
  const bytes = readFileSync(plain);
  bytes[200] = (bytes[200] ?? 0) ^ 4;
  writeFileSync(flipped, bytes);
  const cut = join(folder, 'cut.tfrecord.gz');
  writeFileSync(cut, readFileSync(zipped).subarray(0, -20));
  const text = join(folder, 'text.tfrecord');
  writeFileSync(text, 'this is no TFRecord file at all\n');
  const dataDir = join(folder, 'damaged');
  const { ok, errors } = await importRecords(options({ dataDir, files: [flipped, plain, cut, text] }));
  expect(ok).toBe(false);
  expect(errors).toMatchObject([
    { file: flipped, record: 0, offset: 0, error: 'the checksum of the record data is wrong' },
    { file: cut, error: expect.stringMatching(/gzip|ends after/) },
    { file: text, record: 0, offset: 0, error: 'the checksum of the record length is wrong' },
  ]);
  expect(readdirSync(folder)).not.toContain('damaged');
});

test('names that are taken or none, and files that are missing or empty, are refused', async () => {
  const dataDir = join(folder, 'refused');
  await expect(importRecords(options({ dataDir, name: 'fec' }))).rejects.toThrow(/fec is a Problem already/);
  for (const name of ['../x', 'A', '', 'a-b'])
    await expect(importRecords(options({ dataDir, name }))).rejects.toThrow(/snake_case/);
  await expect(importRecords(options({ dataDir, files: [join(folder, 'none')] }))).rejects.toThrow(
    /no such file/,
  );
  const empty = join(folder, 'empty.tfrecord');
  writeFileSync(empty, '');
  await expect(importRecords(options({ dataDir, files: [empty] }))).rejects.toThrow(/no records/);
  await expect(inferFeatures(recordFiles([empty]))).rejects.toThrow(/no records/);
  expect(readdirSync(folder)).not.toContain('refused');
});

test('features are told from records: kinds, counts, and what may be missing', async () => {
  const { features, records } = await inferFeatures(recordFiles([plain, zipped]));
  expect(records).toBe(19);
  // A matrix looks like a list, and pictures that are none like bytes.
  expect(features).toEqual({
    box: optional(float32([4])),
    'image/a': expect.objectContaining({ kind: 'bytes', shape: [], optional: false }),
    key: expect.objectContaining({ kind: 'bytes' }),
    label: int64(),
    parts: expect.objectContaining({ kind: 'bytes', shape: [null], optional: false }),
    votes: int64([null]),
    window: float32([80]),
  });
});

test('the command infers, imports, and tells damage by its exit code', async () => {
  const inferred = await runCli(['import', join(sources, '*.tfrecord*'), '--infer']);
  expect(inferred.code, inferred.stderr).toBe(0);
  const spec = join(folder, 'spec.json');
  writeFileSync(spec, inferred.stdout);
  const dataDir = join(folder, 'cli');
  const words = [
    'import',
    join(sources, '*.tfrecord*'),
    '--name',
    'mine',
    '--features',
    spec,
    '--data-dir',
    dataDir,
  ];
  const done = await runCli([...words, '--licence', 'CC0 1.0', '--json']);
  expect(done.json).toMatchObject({ ok: true, problem: 'mine', split: 'train', written: 19 });
  expect(finishedManifest(dataDir, 'mine', 'train').dataset.licence.name).toBe('CC0 1.0');
  const failed = await runCli([
    'import',
    spec,
    '--name',
    'mine',
    '--features',
    spec,
    '--data-dir',
    dataDir,
    '--json',
  ]);
  expect(failed.code).toBe(1);
  expect(failed.json).toMatchObject({ ok: false, errors: [{ file: spec, record: 0, offset: 0 }] });
  const unsaid = await runCli(['import', plain, '--name', 'mine']);
  expect(unsaid.code).toBe(2);
  expect(unsaid.stderr).toMatch(/needs --features.*--infer/);
});

const shared = sharedData('tfrecord');
test.skipIf(shared === undefined)(
  'files that TFX and others have written are imported as they are (shared data)',
  async () => {
    const root = shared as string;
    const known = JSON.parse(readFileSync(join(root, 'expected.json'), 'utf8')) as Record<
      string,
      { records: number; features: Record<string, string> | string }
    >;
    let imported = 0;
    for (const [file, { records, features }] of Object.entries(known)) {
      const path = join(root, file);
      const inferred = await inferFeatures(recordFiles([path])).catch((error: Error) => error);
      if (typeof features === 'string') {
        expect(inferred, file).toBeInstanceOf(Error);
        continue;
      }
      if (inferred instanceof Error) throw inferred;
      const dataDir = join(folder, `shared-${imported}`);
      const summary = await importRecords({
        files: [path],
        name: 'others',
        features: inferred.features,
        dataDir,
        shards: 2,
      });
      expect(summary, file).toMatchObject({ ok: true, written: records });
      expect(await payloads(shardsOf(dataDir, 'others'))).toEqual(await payloads([path]));
      expect(await verifyData(dataDir)).toMatchObject({ ok: true, records });
      imported += 1;
    }
    expect(imported).toBeGreaterThan(5);
  },
);

test('a feature that is text in one file stays text by hand', async () => {
  const dataDir = join(folder, 'by-hand');
  const summary = await importRecords(options({ dataDir, features: { key: text(), label: int64() } }));
  expect(summary).toMatchObject({ ok: true, written: 19 });
  expect(summary.notes).toHaveLength(5);
  expect(summary.notes).toContainEqual(
    expect.stringMatching(/^"box", in 12 of 19 records, is none of the features/),
  );
  expect(finishedManifest(dataDir, 'small', 'train').notes).toEqual(
    expect.arrayContaining([...summary.notes]),
  );
  // Features that nobody named are in the records still.
  expect(await payloads(shardsOf(dataDir))).toEqual(await payloads([plain, zipped]));
});
