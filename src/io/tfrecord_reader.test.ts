import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { maskedCrc32c } from './crc32c.js';
import { type AnyFeature, MalformedExampleError, parseAnyExample } from './example_parser.js';
import { FRAMING_BYTES, frameRecord } from './tfrecord.js';
import {
  RecordError,
  readRecordAt,
  readRecordBatches,
  readRecords,
  recordsInBuffer,
  type TfRecord,
} from './tfrecord_reader.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-tfrecord-reader-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fileOf = (content: Uint8Array): string => {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, content);
  return path;
};

const payloads = ['first', '', 'third record'].map((text) => Buffer.from(text));
const frames = payloads.map((payload) => frameRecord(payload));
const small = Buffer.concat(frames);

test('records of any sizes come back, from a file, from gzip and from memory', async () => {
  const sizes = fc.oneof(
    fc.nat(40),
    fc.constantFrom(0, 2 ** 18, 2 ** 20 - 28, 2 ** 20 - 16, 2 ** 20, 2_500_000),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { maxLength: 8 }), async (lengths) => {
      const written = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const content = Buffer.concat(written.map(frameRecord));
      let offset = 0;
      const expected = written.map((data, index) => {
        const place = { index, offset, data };
        offset += data.length + FRAMING_BYTES;
        return place;
      });
      const plain = await all(readRecords(fileOf(content)));
      const zipped = await all(readRecords(fileOf(gzipSync(content, { level: 1 }))));
      for (const found of [plain, zipped, [...recordsInBuffer(content)]]) expectSame(found, expected);
    }),
    { numRuns: 25 },
  );
});

test('a record read stays as it was while the rest of the file is read', async () => {
  const many = Array.from({ length: 300 }, (_, i) => Buffer.alloc(20_000, i));
  const records = await all(readRecords(fileOf(Buffer.concat(many.map((data) => frameRecord(data))))));
  expect(records.every(({ data, index }) => many[index]!.equals(data))).toBe(true);
  expect(records).toHaveLength(300);
});

test('gzip of several members is one file', async () => {
  const members = frames.map((frame) => gzipSync(frame));
  const cut = [gzipSync(small.subarray(0, 7)), gzipSync(small.subarray(7))];
  for (const content of [Buffer.concat(members), Buffer.concat(cut)]) {
    const records = await all(readRecords(fileOf(content)));
    expect(records.map(({ data }) => Buffer.from(data))).toEqual(payloads);
  }
});

test('a record whose length looks like the magic of gzip is read as a record', async () => {
  const payload = Buffer.alloc(0x08_8b1f, 5);
  const content = frameRecord(payload);
  expect([...content.subarray(0, 3)]).toEqual([0x1f, 0x8b, 8]);
  const [record] = await all(readRecords(fileOf(content)));
  expect(payload.equals(record!.data)).toBe(true);
});

test('an empty file has no records', async () => {
  expect(await all(readRecords(fileOf(new Uint8Array(0))))).toEqual([]);
  expect([...recordsInBuffer(new Uint8Array(0))]).toEqual([]);
});

test('whichever bit of a file is flipped, its name and the record are told', async () => {
  const path = fileOf(small);
  for (let bit = 0; bit < small.length * 8; bit++) {
    const damaged = Buffer.from(small);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, damaged);
    const record = recordAt(bit >> 3);
    const expected = { file: path, record, offset: offsetOf(record) };
    const { records, error } = await outcome(readRecords(path));
    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject(expected);
    expect(String(error)).toContain(`${path}, record ${record} at byte ${expected.offset}`);
    expect(records).toBe(record);
    expect(syncOutcome(damaged, path)).toMatchObject(expected);
  }
});

test('wherever a file is cut off, its name and the record are told, but between records, where nobody can know', async () => {
  const path = fileOf(small);
  for (let length = 0; length < small.length; length++) {
    writeFileSync(path, small.subarray(0, length));
    const record = recordAt(length);
    const { records, error } = await outcome(readRecords(path));
    expect(records).toBe(record);
    if (length === offsetOf(record)) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ fault: 'truncated', file: path, record, offset: offsetOf(record) });
  }
});

test('a flipped bit in gzip is either found or harmless', async () => {
  const content = gzipSync(small);
  const path = fileOf(content);
  let found = 0;
  for (let bit = 0; bit < content.length * 8; bit++) {
    const damaged = Buffer.from(content);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, damaged);
    const { records, error } = await outcome(readRecords(path));
    if (error === undefined) expect(records).toBe(payloads.length);
    else {
      expect(error).toBeInstanceOf(RecordError);
      expect(error).toMatchObject({ file: path });
      found++;
    }
  }
  // All but some of the ten header bytes, which say when and where the file was packed.
  expect(found).toBeGreaterThan((content.length - 10) * 8 * 0.95);
});

test('gzip that is cut off is told, wherever', async () => {
  const content = gzipSync(small);
  for (let length = 3; length < content.length; length++) {
    const { error } = await outcome(readRecords(fileOf(content.subarray(0, length))));
    expect(error).toMatchObject({ fault: expect.stringMatching(/^(gzip|truncated|length-crc)$/) as string });
  }
});

test('a length that lies is refused before memory is taken for it', async () => {
  for (const [length, fault] of [
    [2n ** 62n, 'too-long'],
    [2n ** 28n + 1n, 'too-long'],
    [2n ** 28n, 'truncated'],
    [1000n, 'truncated'],
  ] as const) {
    const head = Buffer.alloc(12);
    head.writeBigUInt64LE(length);
    head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
    const content = Buffer.concat([small, head, Buffer.alloc(100)]);
    const before = process.memoryUsage().arrayBuffers;
    for (const path of [fileOf(content), fileOf(gzipSync(content))]) {
      const { records, error } = await outcome(readRecords(path));
      expect(records).toBe(3);
      expect(error).toMatchObject({ fault, record: 3, offset: small.length, file: path });
    }
    expect(syncOutcome(content, 'memory')).toMatchObject({ fault, record: 3 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  }
});

test('records longer than the limit are refused, and up to it taken', async () => {
  const path = fileOf(small);
  expect(await all(readRecords(path, { maxRecordBytes: 12 }))).toHaveLength(3);
  const { error } = await outcome(readRecords(path, { maxRecordBytes: 11 }));
  expect(error).toMatchObject({ fault: 'too-long', record: 2 });
});

test('where verification is off, the checksums of lengths are checked all the same', async () => {
  const data = Buffer.from(small);
  data[12]! ^= 1;
  expect(await all(readRecords(fileOf(data), { verify: false }))).toHaveLength(3);
  const length = Buffer.from(small);
  length[0]! ^= 1;
  const { error } = await outcome(readRecords(fileOf(length), { verify: false }));
  expect(error).toMatchObject({ fault: 'length-crc' });
});

test('the whole records before a damaged one are given first', async () => {
  const damaged = Buffer.from(small);
  damaged[small.length - 1]! ^= 1;
  const batches: TfRecord[][] = [];
  await expect(async () => {
    for await (const batch of readRecordBatches(fileOf(damaged))) batches.push(batch);
  }).rejects.toThrow(RecordError);
  expect(batches.flat().map(({ data }) => Buffer.from(data))).toEqual(payloads.slice(0, 2));
});

test('a file that is not there or is a folder is named', async () => {
  const missing = join(folder, 'missing');
  expect((await outcome(readRecords(missing))).error).toMatchObject({ fault: 'unreadable', file: missing });
  expect((await outcome(readRecords(folder))).error).toMatchObject({ fault: 'unreadable', file: folder });
});

test('a reader that is left early gives the file back', async () => {
  // So many that file descriptors run out or pile up visibly where one is kept open.
  const content = Buffer.concat(Array.from({ length: 200 }, () => frameRecord(Buffer.alloc(20_000, 1))));
  const paths = [fileOf(content), fileOf(gzipSync(content, { level: 1 }))];
  const before = openFiles();
  for (let i = 0; i < 20; i++)
    for (const path of paths)
      for await (const record of readRecords(path)) {
        expect(record.index).toBe(0);
        break;
      }
  await expect.poll(openFiles).toBeLessThanOrEqual(before + 1);
});

test('a record is read by its index entry, and a wrong entry is told', async () => {
  const path = fileOf(small);
  const handle = await open(path);
  try {
    const place = (record: number) => ({ file: path, record });
    for (const [record, payload] of payloads.entries()) {
      const entry = { offset: offsetOf(record), length: frames[record]!.length };
      const found = await readRecordAt(handle, entry, place(record));
      expect({ ...found, data: Buffer.from(found.data) }).toEqual({
        index: record,
        offset: entry.offset,
        data: payload,
      });
    }
    const wrong = [
      { offset: 0, length: frames[0]!.length + 1 },
      { offset: 0, length: frames[0]!.length - 1 },
      { offset: 1, length: frames[0]!.length },
      { offset: 0, length: 3 },
      { offset: small.length - 5, length: 21 },
      { offset: small.length + 5, length: 21 },
    ];
    for (const entry of wrong)
      await expect(readRecordAt(handle, entry, place(7))).rejects.toMatchObject({
        file: path,
        record: 7,
        offset: entry.offset,
      });
  } finally {
    await handle.close();
  }
});

interface ExpectedFile {
  readonly gzip: boolean;
  readonly records: number;
  readonly bad: number;
  readonly min: number;
  readonly max: number;
  /** Of the first record; `None` where it is no Example. */
  readonly features: Readonly<Record<string, AnyFeature['kind']>> | 'None';
}

const corpus = sharedData('tfrecord', 'expected.json');
const expectations =
  corpus === undefined ? {} : (JSON.parse(readFileSync(corpus, 'utf8')) as Record<string, ExpectedFile>);

describe.skipIf(corpus === undefined)(
  'files of TensorFlow and TFX (skipped where shared/data is absent)',
  () => {
    test('there are some', () => expect(Object.keys(expectations).length).toBeGreaterThan(0));

    test.each(Object.entries(expectations))('%s reads as expected.json says', async (name, expected) => {
      const path = sharedData('tfrecord', name)!;
      const records = await all(readRecords(path));
      const sizes = records.map(({ data }) => data.length);
      const isGzip = readFileSync(path).subarray(0, 2).equals(Buffer.of(0x1f, 0x8b));
      expect({
        gzip: isGzip,
        records: records.length,
        bad: 0,
        min: Math.min(...sizes),
        max: Math.max(...sizes),
      }).toEqual({
        gzip: expected.gzip,
        records: expected.records,
        bad: expected.bad,
        min: expected.min,
        max: expected.max,
      });
      if (expected.features === 'None')
        for (const { data } of records) expect(() => parseAnyExample(data)).toThrow(MalformedExampleError);
      else {
        const kinds = [...parseAnyExample(records[0]!.data)].map(([key, { kind }]) => [key, kind] as const);
        expect(Object.fromEntries(kinds)).toEqual(expected.features);
        for (const { data } of records) expect(parseAnyExample(data).size).toBeGreaterThan(0);
      }
      if (!expected.gzip)
        expect(records.at(-1)!.offset + sizes.at(-1)! + FRAMING_BYTES).toBe(statSync(path).size);
    });
  },
);

function recordAt(byte: number): number {
  let record = 0;
  while (record < frames.length && byte >= offsetOf(record + 1)) record++;
  return record;
}

function offsetOf(record: number): number {
  return frames.slice(0, record).reduce((sum, frame) => sum + frame.length, 0);
}

async function all(records: AsyncIterable<TfRecord>): Promise<TfRecord[]> {
  const found: TfRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

/** How many records came, and the error after them. */
async function outcome(records: AsyncIterable<TfRecord>): Promise<{ records: number; error?: unknown }> {
  let count = 0;
  try {
    for await (const { index } of records) expect(index).toBe(count++);
  } catch (error) {
    return { records: count, error };
  }
  return { records: count };
}

function syncOutcome(bytes: Uint8Array, file: string): unknown {
  try {
    return [...recordsInBuffer(bytes, { file })];
  } catch (error) {
    return error;
  }
}

/** Comparing megabytes with toEqual takes seconds. */
function expectSame(found: readonly TfRecord[], expected: readonly TfRecord[]): void {
  const places = (records: readonly TfRecord[]) =>
    records.map(({ index, offset, data }) => [index, offset, data.length]);
  expect(places(found)).toEqual(places(expected));
  expect(found.every(({ data }, i) => Buffer.compare(data, expected[i]!.data) === 0)).toBe(true);
}

/** Descriptors of files in this test's folder; 0 where the system has no /proc to tell. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
