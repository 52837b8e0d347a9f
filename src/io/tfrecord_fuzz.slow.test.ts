import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryExample } from './arbitrary_example.test.helper.js';
import { maskedCrc32c } from './crc32c.js';
import { UserError } from './errors.js';
import { createExampleEncoder } from './example.js';
import { createExampleParser, parseAnyExample } from './example_parser.js';
import type { Features } from './features.js';
import { seededRandom } from './random.js';
import { frameRecord } from './tfrecord.js';
import { RecordError, recordsInBuffer } from './tfrecord_reader.js';

/** How many damaged records each test below reads. */
const MUTATIONS = 200_000;

const samples = fc
  .sample(arbitraryExample, { numRuns: 400, seed: 7 })
  .map(({ features, values }) => ({
    features,
    record: createExampleEncoder(features).encode(values as never),
  }))
  .filter(({ record }) => record.length > 2);

test(`${MUTATIONS} damaged examples are examples or clear errors`, () => {
  const random = seededRandom('example fuzz');
  const counts = { taken: 0, refused: 0 };
  for (let i = 0; i < MUTATIONS; i++) {
    const { features, record } = samples[random.below(samples.length)]!;
    const damaged = mutate(record, random);
    for (const parse of [parseAnyExample, createParser(features)]) {
      if (isRefused(() => parse(damaged))) counts.refused++;
      else counts.taken++;
    }
  }
  // Both must happen a lot, or the mutations test nothing.
  expect(counts.taken).toBeGreaterThan(MUTATIONS / 20);
  expect(counts.refused).toBeGreaterThan(MUTATIONS / 20);
});

test(`${MUTATIONS} damaged files give their records up to the damage, and name the record it is in`, () => {
  const random = seededRandom('frame fuzz');
  const payloads = [3, 0, 40, 1].map((size, i) => new Uint8Array(size).fill(i + 1));
  const frames = payloads.map(frameRecord);
  const file = Buffer.concat(frames);
  const starts = frames.map((_, i) => frames.slice(0, i).reduce((sum, frame) => sum + frame.length, 0));
  for (let i = 0; i < MUTATIONS; i++) {
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

test(`${MUTATIONS} files of random bytes with right length checksums are read or refused without taking memory`, () => {
  const random = seededRandom('lying lengths');
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < MUTATIONS; i++) {
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

/** Parsers by features, since making one costs more than a parse. */
const parsers = new Map<Features, (record: Uint8Array) => unknown>();
function createParser(features: Features): (record: Uint8Array) => unknown {
  const known = parsers.get(features) ?? createExampleParser(features).parse;
  parsers.set(features, known);
  return known;
}

/** One to three of: a byte changed, a bit flipped, a stretch removed, repeated, moved in from elsewhere, or an end cut. */
function mutate(record: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(record);
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 1; times--) {
    const at = random.below(bytes.length);
    const length = 1 + random.below(Math.min(16, bytes.length - at));
    const stretch = bytes.slice(at, at + length);
    const to = random.below(bytes.length);
    switch (random.below(6)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), stretch, bytes.subarray(to)]);
        break;
      case 4:
        bytes.set(stretch.subarray(0, bytes.length - to), to);
        break;
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return bytes;
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
