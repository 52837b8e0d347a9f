import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { UserError } from './errors.js';
import { createExampleEncoder } from './example.js';
import { bytes, int64 } from './features.js';
import { formatIndex, frameRecord, RecordWriter, readIndex } from './tfrecord.js';
import { recordsInBuffer } from './tfrecord_reader.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-tfrecord-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `file-${files++}`);

test('a frame is the one that TensorFlow wrote for the same bytes', () => {
  // The first record of magenta's tfrecord_iterator_test.tfrecord.
  const expected = '0b000000000000008615f50468656c6c6f20776f726c64007ed86d';
  expect(Buffer.from(frameRecord(Buffer.from('hello world'))).toString('hex')).toBe(expected);
});

test('a file holds its records in order, and its summary is true', () => {
  const sizes = fc.oneof(
    fc.nat(40),
    fc.constantFrom(0, 1, 2 ** 19, 2 ** 20 - 17, 2 ** 20 - 16, 2 ** 20 - 15, 3_000_000),
  );
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 8 }), (lengths) => {
      const payloads = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const path = newPath();
      const writer = RecordWriter.create(path);
      for (const payload of payloads) writer.write(payload);
      const { records, bytes, sha256, index } = writer.finish();
      const content = readFileSync(path);
      expect(content.equals(Buffer.concat(payloads.map(frameRecord)))).toBe(true);
      expect({ records, bytes }).toEqual({ records: payloads.length, bytes: content.length });
      expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
      const found = [...recordsInBuffer(content)];
      expect(index).toEqual(found.map(({ offset, data }) => ({ offset, length: data.length + 16 })));
    }),
    { numRuns: 40 },
  );
});

test('an example encoded into the file is the same as one written afterwards', () => {
  const encoder = createExampleEncoder({ image: bytes(), n: int64() });
  const examples = [10, 1_048_000, 5, 2_500_000, 0].map((size, n) => ({
    image: new Uint8Array(size).fill(n),
    n,
  }));
  const [direct, copied] = [newPath(), newPath()];
  const writers = { direct: RecordWriter.create(direct), copied: RecordWriter.create(copied) };
  for (const values of examples) {
    writers.direct.writeExample(encoder, values);
    writers.copied.write(encoder.encode(values));
  }
  expect(writers.direct.finish()).toEqual(writers.copied.finish());
  expect(readFileSync(direct).equals(readFileSync(copied))).toBe(true);
});

test('a refused example leaves no trace in the file', () => {
  const encoder = createExampleEncoder({ n: int64() });
  const path = newPath();
  const writer = RecordWriter.create(path);
  writer.writeExample(encoder, { n: 1 });
  expect(() => writer.writeExample(encoder, { n: 0.5 })).toThrow(UserError);
  writer.writeExample(encoder, { n: 2 });
  expect(writer.finish().records).toBe(2);
  const expected = [1, 2].map((n) => frameRecord(encoder.encode({ n })));
  expect(readFileSync(path).equals(Buffer.concat(expected))).toBe(true);
});

test('a writer that is given up removes its file, at any time and more than once', () => {
  for (const finishes of [false, true]) {
    const path = newPath();
    const writer = RecordWriter.create(path);
    writer.write(new Uint8Array(3_000_000));
    if (finishes) writer.finish();
    expect(existsSync(path)).toBe(true);
    writer.abort();
    writer.abort();
    expect(existsSync(path)).toBe(false);
  }
});

test('a finished writer takes no more records', () => {
  const writer = RecordWriter.create(newPath());
  writer.finish();
  expect(() => {
    writer.write(new Uint8Array(2_000_000));
    writer.finish();
  }).toThrow('finished or given up');
});

test('a folder that is not there is named', () => {
  const path = join(folder, 'nowhere', 'file');
  expect(() => RecordWriter.create(path)).toThrow(`the file can't be written (ENOENT) (${path})`);
});

test('an index is a line of offset and length for each record, and reads back', () => {
  const writer = RecordWriter.create(newPath());
  for (const size of [0, 5, 2_000_000]) writer.write(new Uint8Array(size));
  const { index, bytes } = writer.finish();
  expect(formatIndex(index)).toBe('0 16\n16 21\n37 2000016\n');
  const path = newPath();
  writeFileSync(path, formatIndex(index));
  expect(readIndex(path, bytes)).toEqual(index);
  writeFileSync(path, '');
  expect(readIndex(path, 0)).toEqual([]);
});

test.each([
  ['a last line that is cut off', '0 16\n16 2', 'line 2'],
  ['a line that is empty', '0 16\n\n16 21\n', 'line 2'],
  ['words', '0 16\nsixteen 21\n', 'line 2'],
  ['negative numbers', '0 16\n16 -21\n', 'line 2'],
  ['three columns', '0 16 16\n', 'line 1'],
  ['a gap', '0 16\n17 21\n', 'line 2'],
  ['a record shorter than its framing', '0 16\n16 15\n', 'line 2'],
  ['a record beyond the end of its shard', '0 16\n16 22\n', 'ends at byte 38, its shard at 37'],
  ['fewer records than its shard', '0 16\n', 'ends at byte 16, its shard at 37'],
])('an index with %s is refused, and the line named', (_, content, message) => {
  const path = newPath();
  writeFileSync(path, content);
  expect(() => readIndex(path, 37)).toThrow(UserError);
  expect(() => readIndex(path, 37)).toThrow(message);
  expect(() => readIndex(path, 37)).toThrow(path);
});
