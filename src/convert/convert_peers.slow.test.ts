import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as peer from 'tfrecord';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateData } from '../datagen/generate.js';
import { finishedManifest } from '../datagen/manifest.js';
import { createExampleParser } from '../io/example_parser.js';
import { type Feature, type Features, featuresFromJson } from '../io/features.js';
import { readRecords } from '../io/tfrecord_reader.js';
import '../problems/all.js';
import {
  readParquet,
  readWebdataset,
  type Values,
  valuesOfSample,
} from '../io/read_converted.test.helper.js';
import { problem } from '../problems/registry.js';
import { convertData } from './convert.js';
import { readFeatureSpec } from './feature_spec.js';
import { CONVERSION_FORMATS, type ConversionFormat } from './formats.js';
import { importRecords } from './import_records.js';
import { inferFeatures } from './infer_features.js';
import { askWitness } from './python_witness.test.helper.js';
import { recordFiles } from './record_files.js';
import { makeSmallSplit } from './small_split.test.helper.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-convert-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WITNESS = 'converted_examples.py';
const TINY = ['fec_tiny', 'vggface2_tiny', 'eeg_tiny'];
const NAMES = [...TINY, 'small'];
const dataDir = join(folder, 'data');

beforeAll(async () => {
  for (const name of TINY)
    await generateData(problem(name), {
      dataDir,
      tmpDir: join(folder, 'tmp'),
      splits: ['train'],
      limit: 12,
      shards: 2,
    });
  await makeSmallSplit(folder, { count: 30, shards: 2 });
  for (const name of NAMES)
    for (const to of CONVERSION_FORMATS)
      await convertData({
        dataDir,
        problem: name,
        to,
        outDir: join(folder, 'out', to),
        shards: 3,
        workers: 2,
      });
}, 240_000);

function filesOf(name: string, to: ConversionFormat): string[] {
  const outDir = join(folder, 'out', to);
  const isOurs = (file: string): boolean =>
    file.startsWith(`${name}-train-`) && /\.(tar|parquet)$/.test(file);
  return readdirSync(outDir)
    .filter(isOurs)
    .sort()
    .map((file) => join(outDir, file));
}

async function sourceOf(name: string, from = dataDir): Promise<{ features: Features; values: Values[] }> {
  const { features: json, shards } = finishedManifest(from, name, 'train');
  const features = featuresFromJson(json, name);
  const parser = createExampleParser(features);
  const values: Values[] = [];
  for (const { file } of shards)
    for await (const { data } of readRecords(join(from, file)))
      values.push({ ...parser.parse(data) } as Values);
  return { features, values };
}

test.each(NAMES)('%s comes back from both formats exactly', async (name) => {
  const { features, values } = await sourceOf(name);
  expect(values.length).toBeGreaterThan(5);
  const samples = await Promise.all(
    filesOf(name, 'webdataset').map((file) => readWebdataset(file, features)),
  );
  expect(exactly(samples.flat())).toEqual(exactly(values));
  const rows = await Promise.all(filesOf(name, 'parquet').map((file) => readParquet(file, features)));
  expect(exactly(rows.flat())).toEqual(exactly(values));
});

test.for(NAMES)(
  'WebDataset reads every feature of every example of %s [needs Python’s webdataset]',
  async (name, context) => {
    const lines = askWitness(WITNESS, ['webdataset', ...filesOf(name, 'webdataset')]);
    if (lines === undefined) return context.skip();
    const { features, values } = await sourceOf(name);
    const found = lines.map(({ files }) => {
      const entries = Object.entries(files as Record<string, string>);
      return valuesOfSample(
        new Map(entries.map(([ending, file]) => [ending, Buffer.from(file, 'base64')])),
        features,
      );
    });
    expect(exactly(found)).toEqual(exactly(values));
  },
);

test('WebDataset’s own decoder opens the pictures [needs webdataset and Pillow]', (context) => {
  const lines = askWitness(WITNESS, ['pictures', ...filesOf('fec_tiny', 'webdataset')]);
  if (lines === undefined) return context.skip();
  const shape = [128, 128, 3];
  for (const line of lines)
    expect(line).toEqual({ 'image.a.jpg': shape, 'image.b.jpg': shape, 'image.c.jpg': shape });
});

test.for(NAMES)(
  'pyarrow reads every feature of every example of %s [needs pyarrow]',
  async (name, context) => {
    const rows = askWitness(WITNESS, ['parquet', ...filesOf(name, 'parquet')]);
    if (rows === undefined) return context.skip();
    const { features, values } = await sourceOf(name);
    expect(rows).toEqual(values.map((row) => asWitness(row, features)));
  },
);

test('Hugging Face’s datasets finds splits and pictures in the folder [needs Python’s datasets]', async (context) => {
  const outDir = join(folder, 'hub', 'fec_tiny');
  await convertData({ dataDir, problem: 'fec_tiny', to: 'parquet', outDir, shards: 2 });
  const lines = askWitness(WITNESS, ['huggingface', outDir]);
  if (lines === undefined) return context.skip();
  const rows = (await sourceOf('fec_tiny')).values.length;
  const size = [128, 128];
  expect(lines).toEqual([{ train: [rows, ['image/a', 'image/b', 'image/c'], [size, size, size]] }]);
});

/** As the witness prints it. */
function asWitness(row: Values, features: Features): Values {
  const one = (value: unknown, { kind }: Feature): string => {
    if (kind === 'float32') return Buffer.from(Float32Array.of(value as number).buffer).toString('hex');
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
  };
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const feature = features[name] as Feature;
      if (feature.shape.length === 0) return [name, one(value, feature)];
      return [name, Array.from(value as ArrayLike<unknown>, (item) => one(item, feature))];
    }),
  );
}

/** Arrays as text: compared in a moment, and bit by bit. */
function exactly(rows: readonly Values[]): Values[] {
  const one = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(one);
    if (!ArrayBuffer.isView(value)) return value;
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  };
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, one(value)])),
  );
}

async function payloads(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files)
    for await (const { data } of readRecords(file)) found.push(Buffer.from(data).toString('base64'));
  return found;
}

async function importsAsItIs(path: string, name: string, records: number): Promise<void> {
  const { features } = await inferFeatures(recordFiles([path]));
  const own = join(folder, name);
  const summary = await importRecords({ files: [path], name, features, dataDir: own, shards: 3 });
  expect(summary).toMatchObject({ ok: true, written: records });
  const shards = readdirSync(own)
    .filter((file) => /-of-\d{5}$/.test(file))
    .sort();
  expect(await payloads(shards.map((file) => join(own, file)))).toEqual(await payloads([path]));
}

test('a file that TensorFlow wrote is imported byte for byte [needs TensorFlow]', async (context) => {
  const path = join(folder, 'by-tensorflow.tfrecord');
  const examples = Array.from({ length: 25 }, (_, i) => ({
    features: {
      image: ['bytes', [Buffer.alloc(i * 100, i).toString('base64')]],
      label: ['int64', [String(i - 12)]],
      window: ['float', ['0000c03f', '0000c0ff']],
      words: ['bytes', i % 2 === 0 ? [] : ['YQ==', 'Yg==']],
    },
  }));
  const input = `${examples.map((example) => JSON.stringify(example)).join('\n')}\n`;
  if (askWitness('tfrecord_witness.py', ['write', path], input) === undefined) return context.skip();
  await importsAsItIs(path, 'by_tensorflow', 25);
});

test('a file that PyTorch’s tfrecord package wrote is imported byte for byte [needs Python’s tfrecord]', async (context) => {
  const path = join(folder, 'by-torch.tfrecord');
  if (askWitness(WITNESS, ['tfrecord', path]) === undefined) return context.skip();
  await importsAsItIs(path, 'by_torch', 20);
});

test('what TensorFlow Datasets wrote is imported with its own features.json [needs tensorflow_datasets]', async (context) => {
  const own = join(folder, 'by-tfds');
  mkdirSync(own);
  if (askWitness(WITNESS, ['tfds', own]) === undefined) return context.skip();
  const features = readFeatureSpec(join(own, 'features.json'));
  const file = join(own, 'examples.tfrecord');
  const summary = await importRecords({ files: [file], name: 'by_tfds', features, dataDir: own });
  expect(summary).toMatchObject({ ok: true, written: 5, errors: [] });
  const values = (await sourceOf('by_tfds', own)).values[3] as Values;
  expect(Object.keys(values).sort()).toEqual(Object.keys(features).sort());
  expect(values).toMatchObject({ text: 'hé', 'objects/id': [0, 1, 2], 'nested/a': 3, votes: [0, 1, 2] });
  expect(values.y).toHaveLength(12);
});

test('a file that npm’s tfrecord package wrote is imported byte for byte', async () => {
  const path = join(folder, 'by-npm.tfrecord');
  const writer = await peer.createWriter(path);
  for (let i = 0; i < 20; i++) {
    const builder = peer.createBuilder();
    builder.setBinary(
      'image',
      Uint8Array.from({ length: i + 1 }, () => i),
    );
    builder.setIntegers('votes', [i, -i]);
    builder.setFloat('score', i / 7);
    await writer.writeExample(builder.releaseExample());
  }
  await writer.close();
  await importsAsItIs(path, 'by_npm', 20);
});
