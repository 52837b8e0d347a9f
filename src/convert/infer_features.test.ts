import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import { featuresFromJson, featuresToJson, int64 } from '../io/features.js';
import { RecordWriter } from '../io/tfrecord.js';
import { type AnyValues, encodeAnyExample } from './any_example.test.helper.js';
import { inferFeatures } from './infer_features.js';
import { recordFiles } from './record_files.js';
import { surveyFiles } from './survey.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-infer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(records: readonly Readonly<Record<string, AnyValues>>[]): string {
  const path = join(folder, 'records');
  const writer = RecordWriter.create(path, { sync: 'none' });
  for (const record of records) writer.write(encodeAnyExample(record));
  writer.finish();
  return path;
}

const few = { maxLength: 3 };
/** A feature keeps its kind from record to record, but for one that is of no kind where it has no value. */
const feature = fc.constantFrom('int64', 'float', 'bytes').chain((kind) => {
  const list =
    kind === 'int64'
      ? fc.array(fc.nat(), few).map((int64): AnyValues => ({ int64 }))
      : kind === 'float'
        ? fc.array(fc.float(), few).map((float): AnyValues => ({ float }))
        : fc
            .array(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 9 })), few)
            .map((bytes): AnyValues => ({ bytes }));
  return fc.array(fc.option(fc.oneof(list, fc.constant<AnyValues>({}))), { minLength: 5, maxLength: 5 });
});
const name = fc.oneof(fc.string(), fc.constantFrom('constructor', 'toString', '__proto__', 'key'));
const examples = fc
  .tuple(fc.uniqueArray(fc.tuple(name, feature), { maxLength: 4, selector: ([key]) => key }), fc.nat(5))
  .map(([columns, count]) =>
    Array.from({ length: count }, (_, i) =>
      Object.fromEntries(columns.flatMap(([key, rows]) => (rows[i] == null ? [] : [[key, rows[i]]]))),
    ),
  );

test('what is inferred from records fits every one of them', async () => {
  await fc.assert(
    fc.asyncProperty(examples, async (records) => {
      const files = recordFiles([write(records)]);
      const names = new Set(records.flatMap((record) => Object.keys(record)));
      names.delete('__proto__');
      if (names.size === 0) {
        await expect(inferFeatures(files)).rejects.toThrow(/no record/);
        return;
      }
      const { features } = await inferFeatures(files);
      const spec = featuresFromJson(JSON.parse(JSON.stringify(featuresToJson(features))), 'a test');
      expect(new Set(Object.keys(spec))).toEqual(names);
      expect((await surveyFiles(files, spec, { onMismatch: 'error' })).errors).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('an empty list keeps the kind that it declares, and two kinds are refused though one holds nothing', async () => {
  const { features } = await inferFeatures(recordFiles([write([{ votes: { int64: [] } }])]));
  expect(features.votes).toEqual(int64([null]));
  const two = recordFiles([write([{ votes: { int64: [] } }, { votes: { float: [1] } }])]);
  await expect(inferFeatures(two)).rejects.toThrow(UserError);
});

test('features beyond the specification are counted, of damaged records none', async () => {
  const path = write([{ a: { int64: [1] }, b: {} }, { a: { int64: [2] }, toString: {} }, { b: {} }]);
  const spec = { a: { kind: 'int64', shape: [], optional: true } } as const;
  const { notes } = await surveyFiles(recordFiles([path]), spec, { onMismatch: 'error' });
  expect(notes).toEqual([
    expect.stringMatching(/^"b", in 2 of 3 records, /),
    expect.stringMatching(/^"toString", in 1 of 3 records, /),
  ]);
});
