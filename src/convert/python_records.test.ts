import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bytes, float32, int64, optional, text } from '../io/features.js';
import { pythonReader } from '../io/python_reader.js';
import { RecordWriter } from '../io/tfrecord.js';
import { encodeAnyExample } from './any_example.test.helper.js';
import { importRecords } from './import_records.js';
import { askWitness } from './python_witness.test.helper.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-python-records-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the printed loader reads records that hold more, less or nothing of a feature [needs tfrecord]', async (context) => {
  const path = join(folder, 'records');
  const writer = RecordWriter.create(path);
  const full = {
    word: { bytes: ['a'] },
    box: { float: [1, 2] },
    votes: { int64: [7] },
    parts: { bytes: ['b'] },
  };
  for (const record of [
    { ...full, more: { int64: [1] } },
    { votes: { int64: [] }, parts: { bytes: [] } },
    { ...full, word: {}, box: { float: [] }, more: {} },
  ])
    writer.write(encodeAnyExample(record));
  writer.finish();
  const features = {
    word: optional(text()),
    box: optional(float32([2])),
    votes: int64([null]),
    parts: bytes([null]),
  };
  const dataDir = join(folder, 'data');
  expect(await importRecords({ files: [path], name: 'theirs', features, dataDir })).toMatchObject({
    ok: true,
  });
  const module = join(folder, 'theirs.py');
  writeFileSync(module, pythonReader({ name: 'theirs', version: '1.0.0', features }));
  const jobs = join(folder, 'jobs.json');
  writeFileSync(
    jobs,
    JSON.stringify([{ name: 'theirs', version: '1.0.0', dataDir, module, features, splits: ['train'] }]),
  );
  const readings = askWitness('shards_witness.py', ['records', jobs]);
  context.skip(readings === undefined, 'Python lacks tfrecord');
  // The witness's digests: of bytes themselves, of numbers as they lie, of a list each with its length before.
  const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
  const nothing = sha256(new Uint8Array());
  const votes = sha256(new Uint8Array(BigInt64Array.of(7n).buffer));
  const parts = sha256(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 98]));
  const box = sha256(new Uint8Array(Float32Array.of(1, 2).buffer));
  expect(readings?.[0]?.examples).toEqual([
    { word: sha256(Buffer.from('a')), box, votes, parts },
    { word: null, box: null, votes: nothing, parts: nothing },
    { word: null, box: null, votes, parts },
  ]);
});
