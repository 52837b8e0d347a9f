import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as peer from 'tfrecord';
import { afterAll, expect, test } from 'vitest';
import { witnessPath } from '../../fixtures/witness_path.js';
import { type ArbitraryExample, arbitraryExample, asAny } from './arbitrary_example.test.helper.js';
import { createExampleEncoder } from './example.js';
import { type AnyFeature, createExampleParser, parseAnyExample } from './example_parser.js';
import { bytes, float32, int64, text } from './features.js';
import { formatIndex, RecordWriter, type WrittenFile } from './tfrecord.js';
import { readRecords } from './tfrecord_reader.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-tfrecord-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each example has features of its own, so each gets its own encoder. */
function writeOurs(path: string, examples: readonly ArbitraryExample[]): WrittenFile {
  const writer = RecordWriter.create(path);
  for (const { features, values } of examples)
    writer.writeExample(createExampleEncoder(features), values as never);
  return writer.finish();
}

test('the tfrecord package reads what we write', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryExample, { maxLength: 4 }), async (examples) => {
      const path = join(folder, 'ours');
      writeOurs(path, examples);
      const reader = await peer.createReader(path);
      for (const { features, values } of examples) {
        const found = (await reader.readExample())?.toJSON().features?.feature ?? {};
        const expected = [...asAny(features, values)].map(([key, feature]) => [key, asPeer(feature)]);
        expect(found).toEqual(Object.fromEntries(expected));
      }
      expect(await reader.readExample()).toBeNull();
      await reader.close();
    }),
    { numRuns: 60 },
  );
});

test('we read what the tfrecord package writes', async () => {
  const features = { b: bytes([null]), i: int64([null]), f: float32([null]), t: text(), n: int64() };
  const values = fc.record({
    // Without an empty value: the package drops one at the end of a record.
    b: fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 4 }),
    i: fc.array(fc.maxSafeInteger(), { maxLength: 5 }),
    f: fc.array(fc.float(), { maxLength: 5 }),
    t: fc.string({ minLength: 1 }),
    n: fc.integer(),
  });
  const parser = createExampleParser(features);
  await fc.assert(
    fc.asyncProperty(fc.array(values, { maxLength: 4 }), async (examples) => {
      const path = join(folder, 'theirs');
      const writer = await peer.createWriter(path);
      for (const { b, i, f, t, n } of examples) {
        const builder = peer.createBuilder();
        builder.setBinaries('b', b);
        builder.setIntegers('i', i);
        builder.setFloats('f', f);
        builder.setBinary('t', Buffer.from(t));
        builder.setInteger('n', n);
        await writer.writeExample(builder.releaseExample());
      }
      await writer.close();
      const found: unknown[] = [];
      for await (const { data } of readRecords(path)) found.push(parser.parse(data));
      const zero = (value: number) => value + 0;
      expect(found).toEqual(
        examples.map((e) => ({ ...e, i: e.i.map(zero), n: zero(e.n), f: Float32Array.from(e.f) })),
      );
    }),
    { numRuns: 60 },
  );
});

const witness = witnessPath('tfrecord_witness.py');
const python = process.env.T2T_PYTHON ?? 'python3';
const examples = fc.sample(arbitraryExample, { numRuns: 200, seed: 20 });
const byTensorFlow = askWitness(['read', oursOnce()]);
const byTorchReader = askWitness(['torch', oursOnce(), join(folder, 'once.idx')]);
if (byTensorFlow === undefined)
  console.warn(`SKIPPED: ${python} has no tensorflow; set T2T_PYTHON to one that has`);
if (byTorchReader === undefined)
  console.warn(`SKIPPED: ${python} has no tfrecord package; set T2T_PYTHON to one that has`);

test.skipIf(byTensorFlow === undefined)(
  'TensorFlow reads what we write, and its deterministic bytes are ours (skipped without it)',
  () => {
    const lines = byTensorFlow!;
    expect(lines).toHaveLength(examples.length);
    for (const [i, { features, values }] of examples.entries()) {
      const ours = Buffer.from(createExampleEncoder(features).encode(values as never)).toString('base64');
      expect(lines[i]!.record).toBe(ours);
      // Python's protobuf (upb) puts a key behind those that begin with it; C++ sorts as strings are sorted, and so do we.
      const keys = Object.keys(values);
      const isPlainOrder = !keys.some((a) => keys.some((b) => a !== b && a.startsWith(b)));
      if (isPlainOrder) expect(lines[i]!.deterministic).toBe(ours);
      else expect(lines[i]!.deterministic).toHaveLength(ours.length);
      expect(lines[i]!.features).toEqual(asWitness(asAny(features, values)));
    }
  },
);

test.skipIf(byTensorFlow === undefined)('we read what TensorFlow writes (skipped without it)', async () => {
  const path = join(folder, 'tensorflow');
  const input = examples.map(({ features, values }) =>
    JSON.stringify({ features: asWitness(asAny(features, values)) }),
  );
  execFileSync(python, [witness, 'write', path], {
    input: `${input.join('\n')}\n`,
    timeout: 120_000,
    stdio: 'pipe',
  });
  const found: unknown[] = [];
  for await (const { data } of readRecords(path)) found.push(asWitness(parseAnyExample(data)));
  expect(found).toEqual(examples.map(({ features, values }) => asWitness(asAny(features, values))));
});

test.skipIf(byTorchReader === undefined)(
  "PyTorch's tfrecord package reads records by our index (skipped without it)",
  () => {
    const lines = byTorchReader!;
    const ours = examples.map(({ features, values }) =>
      createExampleEncoder(features).encode(values as never),
    );
    expect(lines.map(({ record }) => record)).toEqual(
      ours.map((record) => Buffer.from(record).toString('base64')),
    );
  },
);

interface WitnessLine {
  readonly record: string;
  readonly deterministic?: string;
  readonly features?: Readonly<Record<string, readonly [kind: string, values: readonly string[]]>>;
}

function oursOnce(): string {
  const path = join(folder, 'once');
  if (!existsSync(path)) writeFileSync(`${path}.idx`, formatIndex(writeOurs(path, examples).index));
  return path;
}

/** Undefined where Python or the package is missing; a witness that fails otherwise is an error. */
function askWitness(args: readonly string[]): WitnessLine[] | undefined {
  try {
    const options = { timeout: 120_000, maxBuffer: 2 ** 28, encoding: 'utf8', stdio: 'pipe' } as const;
    const lines = execFileSync(python, [witness, ...args], options).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as WitnessLine);
  } catch (error) {
    const { status, code } = error as { status?: number; code?: string };
    if (status === 3 || code === 'ENOENT') return undefined;
    throw error;
  }
}

function asWitness(example: ReadonlyMap<string, AnyFeature>): WitnessLine['features'] {
  return Object.fromEntries(
    [...example].map(([key, { kind, values }]) => {
      if (kind === 'bytes')
        return [key, [kind, values.map((value) => Buffer.from(value).toString('base64'))]];
      if (kind === 'int64') return [key, [kind, values.map(String)]];
      return [
        key,
        [
          kind,
          Array.from(values, (value: number) => Buffer.from(Float32Array.of(value).buffer).toString('hex')),
        ],
      ];
    }),
  );
}

/** As protobuf's JSON has it: int64 as strings, bytes in base64, numbers that JSON lacks by name. */
function asPeer({ kind, values }: AnyFeature): object {
  // protobufjs 6 leaves out an empty list that ends a feature.
  const value = (list: readonly unknown[]) => (list.length === 0 ? {} : { value: list });
  if (kind === 'bytes')
    return { bytesList: value(values.map((item) => Buffer.from(item).toString('base64'))) };
  if (kind === 'int64') return { int64List: value(values.map(String)) };
  const named = (item: number) => (Number.isFinite(item) ? item : String(item));
  return { floatList: value(Array.from(values as Float32Array, named)) };
}
