import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeEveryProblem } from '../../fixtures/every_problem.js';
import { witnessPath } from '../../fixtures/witness_path.js';
import { createExampleParser } from '../io/example_parser.js';
import { type Feature, type Features, featuresFromJson } from '../io/features.js';
import { exampleSchema } from '../io/json_schema.js';
import { pythonReader } from '../io/python_reader.js';
import { tfdsVersion } from '../io/tfds_features.js';
import { readRecords } from '../io/tfrecord_reader.js';
import { SPLITS, type Split } from '../problems/problem.js';
import { problemNames } from '../problems/registry.js';
import { finishedManifest, readManifest } from './manifest.js';
import { makeUnusualSplit } from './unusual_split.test.helper.js';

/** Shards of every Problem, read by the programs that training jobs use, compared value by value with what we read. */

const python = process.env.T2T_PYTHON ?? 'python3';
const lacks = (modules: string): string[] => {
  const program = `import importlib.util as u\nprint(*(m for m in "${modules}".split() if u.find_spec(m) is None))`;
  const { stdout, status } = spawnSync(python, ['-c', program], { encoding: 'utf8', timeout: 120_000 });
  return status === 0 ? stdout.split(/\s+/).filter((name) => name !== '') : modules.split(' ');
};
const missing = {
  tensorflow: lacks('tensorflow tensorflow_datasets'),
  tfrecord: lacks('tfrecord numpy'),
  jsonschema: lacks('jsonschema numpy'),
};
for (const [mode, modules] of Object.entries(missing))
  if (modules.length > 0)
    console.warn(`SKIPPED (${mode}): ${python} has no ${modules.join(', ')}; set T2T_PYTHON`);

type Digests = Readonly<Record<string, string | null>>;

interface Reading {
  readonly reader: string;
  readonly name: string;
  readonly split: Split;
  readonly examples: readonly Digests[];
}

interface Job {
  readonly name: string;
  readonly version: string;
  readonly dataDir: string;
  readonly module: string;
  readonly features: Features;
  readonly splits: readonly Split[];
}

const root = mkdtempSync(join(tmpdir(), 't2t-other-readers-'));
/** Signs that a shell or a glob takes for its own. */
const dataDir = join(root, 'data [1] & more');
const jobs: Job[] = [];
/** What we read ourselves: by name and split, in the order of the records. */
const ours = new Map<string, Digests[]>();
const asJson = new Map<string, object[]>();

beforeAll(async () => {
  await makeEveryProblem(dataDir);
  makeUnusualSplit(dataDir, 'unusual');
  for (const name of [...problemNames(), 'unusual']) jobs.push(await jobOf(name));
}, 600_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.skipIf(missing.tensorflow.length > 0)(
  'TensorFlow with the printed spec, and TFDS by folder and by name, read every example of every Problem as we do [needs TensorFlow and TFDS]',
  async () => {
    const readings = await askWitness('tensorflow');
    const splits = jobs.flatMap((job) => job.splits.map((split) => ({ ...job, split })));
    for (const { name, split, splits: all } of splits) {
      const expected = ours.get(`${name} ${split}`) as Digests[];
      expect(examplesIn(readings, 'tensorflow', name, split)).toEqual(expected);
      // TFDS takes records from several shards in turns.
      expect(byKey(examplesIn(readings, 'tfds', name, split))).toEqual(byKey(expected));
      if (split !== all[0]) continue;
      expect(byKey(examplesIn(readings, 'tfds.load', name, split))).toEqual(byKey(expected));
      const decoded = examplesIn(readings, 'pixels', name, split);
      expect(decoded.length).toBe(expected.length);
      expect(examplesIn(readings, 'tfds pixels', name, split)).toEqual(decoded);
    }
    expect(splits.length).toBeGreaterThan(2 * jobs.length);
  },
  600_000,
);

test.skipIf(missing.tfrecord.length > 0)(
  "the printed loader for PyTorch, and PyTorch's tfrecord package through our indexes, read them too [needs tfrecord]",
  async () => {
    const readings = await askWitness('tfrecord');
    for (const { name, splits } of jobs)
      for (const split of splits) {
        const expected = ours.get(`${name} ${split}`) as Digests[];
        expect(examplesIn(readings, 'records', name, split)).toEqual(expected);
        expect(examplesIn(readings, 'index', name, split)).toEqual(expected);
        // That package reads no index of a single line.
        const { shards } = finishedManifest(dataDir, name, split);
        if (shards.some(({ records }) => records < 2)) continue;
        expect(byKey(examplesIn(readings, 'indices', name, split))).toEqual(byKey(expected));
      }
    expect(readings.filter(({ reader }) => reader === 'indices').length).toBeGreaterThan(
      2 * problemNames().length,
    );
  },
  600_000,
);

test.skipIf(missing.jsonschema.length > 0)(
  'examples as JSON are valid by the printed schema, and spoilt ones are not [needs jsonschema]',
  async () => {
    const path = join(root, 'schemas.json');
    const asked = jobs.flatMap(({ name, features }) => {
      const examples = (asJson.get(name) as Record<string, unknown>[]).slice(0, name === 'unusual' ? 4 : 1);
      const [first] = examples;
      // The validator takes seconds for three long signals.
      if (JSON.stringify(first).length > 1e6) return [];
      const spoilt = [{ ...first, other: 1 }, { ...first, key: 1 }, { ...first, key: undefined }, []];
      return [{ name, schema: exampleSchema(name, features), examples: [...examples, ...spoilt] }];
    });
    expect(asked.length).toBeGreaterThan(10);
    writeFileSync(path, JSON.stringify(asked));
    const answers = (await runWitness('jsonschema', path)) as { name: string; errors: (string | null)[] }[];
    expect(answers.map(({ name }) => name)).toEqual(asked.map(({ name }) => name));
    for (const { errors } of answers) {
      expect(errors.slice(0, -4)).toEqual(errors.slice(0, -4).map(() => null));
      expect(errors.slice(-4).every((error) => error !== null)).toBe(true);
    }
  },
);

async function jobOf(name: string): Promise<Job> {
  const module = join(root, `${name}.py`);
  const manifests = SPLITS.flatMap((split) => readManifest(dataDir, name, split) ?? []);
  const [first] = manifests;
  if (first === undefined) throw new Error(`nothing was made of ${name}`);
  const features = featuresFromJson(first.features, name);
  const version = tfdsVersion(first.settings.version);
  writeFileSync(module, pythonReader({ name, version, features }));
  const parser = createExampleParser(features);
  const splits = manifests.filter(({ written }) => written > 0);
  for (const { settings, shards } of splits) {
    const digests: Digests[] = [];
    for (const { file } of shards)
      for await (const { data } of readRecords(join(dataDir, file))) {
        const values = parser.parse(data) as Readonly<Record<string, unknown>>;
        const entries = Object.entries(features);
        digests.push(Object.fromEntries(entries.map(([key, of]) => [key, digest(values[key], of)])));
        const json = Object.fromEntries(entries.map(([key]) => [key, jsonOf(values[key])]));
        asJson.set(name, [...(asJson.get(name) ?? []), json]);
      }
    ours.set(`${name} ${settings.split}`, digests);
  }
  return { name, version, dataDir, module, features, splits: splits.map(({ settings }) => settings.split) };
}

async function askWitness(mode: 'tensorflow' | 'tfrecord'): Promise<Reading[]> {
  const path = join(root, 'jobs.json');
  writeFileSync(path, JSON.stringify(jobs));
  return (await runWitness(mode, path)) as Reading[];
}

async function runWitness(mode: string, path: string): Promise<unknown[]> {
  const options = { timeout: 500_000, maxBuffer: 2 ** 28 };
  const { stdout } = await promisify(execFile)(
    python,
    [witnessPath('shards_witness.py'), mode, path],
    options,
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

function examplesIn(
  readings: readonly Reading[],
  reader: string,
  name: string,
  split: Split,
): readonly Digests[] {
  const found = readings.find((one) => one.reader === reader && one.name === name && one.split === split);
  expect(found, `${reader} of ${name} ${split}`).toBeDefined();
  return (found as Reading).examples;
}

function byKey(examples: readonly Digests[]): Digests[] {
  return [...examples].sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
}

/** As the witness's `digest` has it. */
function digest(value: unknown, { kind, shape }: Feature): string | null {
  if (value === undefined) return null;
  const items = (shape.length === 0 ? [value] : Array.from(value as ArrayLike<unknown>)) as unknown[];
  if (kind === 'float32') return sha256(new Uint8Array(Float32Array.from(items as number[]).buffer));
  if (kind === 'int64')
    return sha256(new Uint8Array(BigInt64Array.from((items as (number | bigint)[]).map(BigInt)).buffer));
  const all = items.map((item) => Buffer.from(item as string));
  if (shape.length === 0) return sha256(all[0] as Buffer);
  return sha256(
    Buffer.concat(
      all.flatMap((bytes) => [Buffer.from(BigInt64Array.of(BigInt(bytes.length)).buffer), bytes]),
    ),
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An example's value as JSON Schema describes it. */
function jsonOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return value.toString();
  if (ArrayBuffer.isView(value) || Array.isArray(value))
    return Array.from(value as unknown as ArrayLike<unknown>, jsonOf);
  return value;
}
