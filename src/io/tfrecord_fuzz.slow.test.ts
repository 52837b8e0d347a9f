import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryExample } from './arbitrary_example.test.helper.js';
import { maskedCrc32c } from './crc32c.js';
import { UserError } from './errors.js';
import { createExampleEncoder } from './example.js';
import { createExampleParser, parseAnyExample } from './example_parser.js';
import type { Features } from './features.js';
import { mutate } from './mutate.test.helper.js';
import { seededRandom } from './random.js';
import { formatIndex, frameRecord, type IndexEntry, IndexScan } from './tfrecord.js';
import { RecordError, recordsInBuffer } from './tfrecord_reader.js';

/** How many damaged records, files and indices the tests below read, 1,000,000 together, and how many heads that lie. */
const MUTATIONS = { examples: 350_000, files: 350_000, indices: 300_000, heads: 100_000 };

const samples = fc
  .sample(arbitraryExample, { numRuns: 400, seed: 7 })
  .map(({ features, values }) => ({
    features,
    record: createExampleEncoder(features).encode(values as never),
  }))
  .filter(({ record }) => record.length > 2);

test(`${MUTATIONS.examples} damaged examples are examples or clear errors`, () => {
  const random = seededRandom('example fuzz');
  const counts = { taken: 0, refused: 0 };
  for (let i = 0; i < MUTATIONS.examples; i++) {
    const { features, record } = samples[random.below(samples.length)]!;
    const damaged = mutate(record, random);
    for (const parse of [parseAnyExample, createParser(features)]) {
      if (isRefused(() => parse(damaged))) counts.refused++;
      else counts.taken++;
    }
  }
  // Both must happen a lot, or the mutations test nothing.
  expect(counts.taken).toBeGreaterThan(MUTATIONS.examples / 20);
  expect(counts.refused).toBeGreaterThan(MUTATIONS.examples / 20);
});

test(`${MUTATIONS.files} damaged files give their records up to the damage, and name the record it is in`, () => {
  const random = seededRandom('frame fuzz');
  const payloads = [3, 0, 40, 1].map((size, i) => new Uint8Array(size).fill(i + 1));
  const frames = payloads.map(frameRecord);
  const file = Buffer.concat(frames);
  const starts = frames.map((_, i) => frames.slice(0, i).reduce((sum, frame) => sum + frame.length, 0));
  for (let i = 0; i < MUTATIONS.files; i++) {
    const damaged = mutate(file, random);
    let first = 0;
    while (first < damaged.length && first < file.length && damaged[first] === file[first]) first++;
    const whole = starts.filter((start, record) => start + frames[record]!.length <= first).length;
    let read = 0;
    try {
      for (const { data } of recordsInBuffer(damaged, { file: 'fuzzed' })) {
        if (read < whole) expect(Buffer.compare(data, payloads[read]!)).toBe(0);
        read++;
      }
    } catch (error) {
      expect(error).toBeInstanceOf(RecordError);
      expect((error as RecordError).record).toBe(read);
    }
    expect(read).toBeGreaterThanOrEqual(whole);
  }
});

test(`${MUTATIONS.heads} files of random bytes with right length checksums are read or refused without taking memory`, () => {
  const random = seededRandom('lying lengths');
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < MUTATIONS.heads; i++) {
    const file = Buffer.from(Uint8Array.from({ length: 12 + random.below(60) }, () => random.below(256)));
    file.writeUInt32LE(random.below(2 ** (1 + random.below(32))), 0);
    if (random.below(4) > 0) file.writeUInt32LE(0, 4);
    file.writeUInt32LE(maskedCrc32c(file.subarray(0, 8)), 8);
    expect(isRefused(() => [...recordsInBuffer(file, { verify: false })])).toBe(
      file.readBigUInt64LE(0) + 16n !== BigInt(file.length),
    );
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 28);
});

test(`${MUTATIONS.indices} damaged indices are frames without gaps or clear errors, the same in whatever pieces they come`, () => {
  const random = seededRandom('index fuzz');
  const lengths = Array.from({ length: 12 }, (_, i) => 16 + 10 ** (i % 6) * i);
  let offset = 0;
  const entries = lengths.map((length) => {
    offset += length;
    return { offset: offset - length, length };
  });
  const index = Buffer.from(formatIndex(entries));
  let taken = 0;
  for (let i = 0; i < MUTATIONS.indices; i++) {
    const damaged = mutate(index, random);
    const whole = scanned([damaged]);
    const at = random.below(damaged.length + 1);
    expect(scanned([damaged.subarray(0, at), damaged.subarray(at)])).toEqual(whole);
    if (typeof whole === 'string') continue;
    taken++;
    let end = 0;
    for (const entry of whole) {
      if (entry.offset !== end || entry.length < 16) throw new Error(`no frame: ${JSON.stringify(entry)}`);
      end += entry.length;
    }
  }
  expect(taken).toBeGreaterThan(MUTATIONS.indices / 100);
});

/** The entries of an index, or what was wrong with it. */
function scanned(pieces: readonly Uint8Array[]): IndexEntry[] | string {
  const entries: IndexEntry[] = [];
  try {
    const scan = new IndexScan('fuzzed', (offset, length) => entries.push({ offset, length }));
    for (const piece of pieces) scan.take(piece);
    scan.finish();
    return entries;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** Parsers by features, since making one costs more than a parse. */
const parsers = new Map<Features, (record: Uint8Array) => unknown>();
function createParser(features: Features): (record: Uint8Array) => unknown {
  const known = parsers.get(features) ?? createExampleParser(features).parse;
  parsers.set(features, known);
  return known;
}

function isRefused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}
