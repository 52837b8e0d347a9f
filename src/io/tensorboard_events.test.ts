import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { afterAll, expect, test } from 'vitest';
import { UserError } from './errors.js';
import { EventWriter } from './tensorboard_events.js';
import {
  histogramOf,
  histogramSummary,
  hparamsStartSummary,
  imageSummary,
  scalarSummary,
  textSummary,
} from './tensorboard_summaries.js';
import { readRecords } from './tfrecord_reader.js';

const root = mkdtempSync(join(tmpdir(), 't2t-events-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(root, 'run-'));

/** What is written, of tensorflow/core/util/event.proto and its imports, for the independent decoder of protobufjs. */
const Event = protobuf
  .parse(`syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; } }
  message SessionLog { int32 status = 1; }
  message Summary { repeated Value value = 1; }
  message Value { string tag = 1; SummaryMetadata metadata = 9;
    oneof value { float simple_value = 2; Image image = 4; Histogram histo = 5; Tensor tensor = 8; } }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
  message Histogram { double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
    repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true]; }
  message SummaryMetadata { PluginData plugin_data = 1; }
  message PluginData { string plugin_name = 1; bytes content = 2; }
  message Tensor { int32 dtype = 1; Shape tensor_shape = 2; repeated bytes string_val = 8; }
  message Shape { repeated Dim dim = 2; }
  message Dim { int64 size = 1; }`)
  .root.lookupType('Event');

interface FoundEvent {
  readonly wallTime: number;
  /** Missing for 0. */
  readonly step?: string;
  readonly fileVersion?: string;
  readonly sessionLog?: { readonly status: number };
  readonly summary?: { readonly value: readonly Readonly<Record<string, unknown>>[] };
}

async function eventsOf(path: string): Promise<FoundEvent[]> {
  const events: FoundEvent[] = [];
  for await (const { data } of readRecords(path)) {
    // Bytes that the decoder does not know would be passed over: none may be.
    const event = Event.decode(data);
    expect(Event.encode(event).finish()).toHaveLength(data.length);
    events.push(Event.toObject(event, { longs: String, bytes: String }) as FoundEvent);
  }
  return events;
}

test('a file begins with its version and holds what was added, in order', async () => {
  const writer = new EventWriter(newFolder(), { now: () => 1_700_000_000_500 });
  writer.add(3, scalarSummary('loss/train', 0.5), scalarSummary('accuracy', 1));
  writer.add(2 ** 40, textSummary('notes', 'größer'));
  writer.close();
  const found = await eventsOf(writer.path);
  expect(found).toEqual([
    { wallTime: 1_700_000_000.5, fileVersion: 'brain.Event:2' },
    {
      wallTime: 1_700_000_000.5,
      step: '3',
      summary: {
        value: [
          { tag: 'loss/train', simpleValue: 0.5 },
          { tag: 'accuracy', simpleValue: 1 },
        ],
      },
    },
    {
      wallTime: 1_700_000_000.5,
      step: String(2 ** 40),
      summary: {
        value: [
          {
            tag: 'notes',
            metadata: { pluginData: { pluginName: 'text' } },
            tensor: {
              dtype: 7,
              tensorShape: { dim: [{ size: '1' }] },
              stringVal: [Buffer.from('größer').toString('base64')],
            },
          },
        ],
      },
    },
  ]);
});

test('any scalars, pictures and texts come back', async () => {
  const summary = fc.oneof(
    fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.float()).map(([tag, value]) => ({
      bytes: scalarSummary(tag, value),
      expected: { tag, simpleValue: value },
    })),
    fc
      .tuple(
        fc.string({ minLength: 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 5000 }),
      )
      .map(([tag, png, side]) => ({
        bytes: imageSummary(tag, { bytes: png, width: side, height: 2 * side, channels: 3 }),
        expected: {
          tag,
          image: {
            height: 2 * side,
            width: side,
            colorspace: 3,
            encodedImageString: Buffer.from(png).toString('base64'),
          },
        },
      })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.maxSafeInteger().map(Math.abs), summary), { maxLength: 20 }),
      async (added) => {
        const writer = new EventWriter(newFolder());
        for (const [step, { bytes }] of added) writer.add(step, bytes);
        writer.close();
        const [, ...found] = await eventsOf(writer.path);
        expect(found.map(({ step = '0', summary }) => [step, summary?.value])).toEqual(
          added.map(([step, { expected }]) => [String(step), [expected]]),
        );
      },
    ),
    { numRuns: 10 },
  );
});

test('a histogram counts every finite value, each in a bucket that holds it', () => {
  fc.assert(
    fc.property(fc.array(fc.float()), fc.integer({ min: 1, max: 40 }), (values, buckets) => {
      const finite = values.filter(Number.isFinite);
      const found = histogramOf(values, buckets);
      if (finite.length === 0) return void expect(found).toBeUndefined();
      const { least, most, count, limits, counts } = found!;
      expect([least, most]).toEqual([Math.min(...finite), Math.max(...finite)]);
      expect(count).toBe(finite.length);
      expect(counts.reduce((sum, value) => sum + value, 0)).toBe(count);
      expect(limits).toHaveLength(buckets);
      for (let bucket = 1; bucket < buckets; bucket++)
        expect(limits[bucket]).toBeGreaterThanOrEqual(limits[bucket - 1]!);
      // Each value is counted below the limits that are above it.
      for (const [bucket, limit] of limits.slice(0, -1).entries()) {
        const below = counts.slice(0, bucket + 1).reduce((sum, value) => sum + value, 0);
        expect(below).toBe(finite.filter((value) => value < limit).length);
      }
    }),
  );
  const known = histogramOf([0, 1, 2, 3, 10], 5)!;
  expect(known).toMatchObject({
    sum: 16,
    sumOfSquares: 114,
    limits: [2, 4, 6, 8, 10],
    counts: [2, 2, 0, 0, 1],
  });
});

test('what was added is written when it has waited long enough, when it is much, and when asked', () => {
  let clock = 0;
  const writer = new EventWriter(newFolder(), { now: () => clock, flushAfterMs: 1000 });
  const size = () => statSync(writer.path).size;
  const head = size();
  writer.add(1, scalarSummary('a', 1));
  expect(size()).toBe(head);
  clock = 1000;
  writer.add(2, scalarSummary('a', 1));
  const afterTwo = size();
  expect(afterTwo).toBeGreaterThan(head);
  writer.add(3, scalarSummary('a', 1));
  expect(size()).toBe(afterTwo);
  writer.flush();
  expect(size() - afterTwo).toBe((afterTwo - head) / 2);
  writer.add(4, imageSummary('b', { bytes: new Uint8Array(2 << 20), width: 1, height: 1, channels: 3 }));
  expect(size()).toBeGreaterThan(2 << 20);
  writer.close();
  writer.close();
  expect(() => writer.add(5, scalarSummary('a', 1))).toThrow('closed already');
});

test('after a restart there is a new file, behind the old ones by name, that says where it goes on', async () => {
  const folder = newFolder();
  const first = new EventWriter(folder, { now: () => 2_000_000_000_000 });
  first.close();
  // The clock has been put back since.
  const second = new EventWriter(folder, { now: () => 1_000, resumedAt: 40 });
  second.close();
  const third = new EventWriter(folder, { now: () => 2_000_000_001_000, resumedAt: 50 });
  third.close();
  const names = [first, second, third].map(({ path }) => path);
  expect([...names].sort()).toEqual(names);
  expect(readdirSync(folder)).toHaveLength(3);
  expect((await eventsOf(second.path))[1]).toMatchObject({ step: '40', sessionLog: { status: 1 } });
});

test('a run of another folder is not touched, and one that can not be made is said', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), 'text');
  expect(() => new EventWriter(join(folder, 'file'))).toThrow(UserError);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('text');
});

test('values of hyper-parameters keep their type', async () => {
  const writer = new EventWriter(newFolder());
  writer.add(0, hparamsStartSummary({ hparams: { a: 0.5, b: 'x', c: true }, group: 'g', startedSeconds: 2 }));
  writer.add(0, histogramSummary('h', histogramOf([1])!));
  writer.close();
  const [, event] = await eventsOf(writer.path);
  const [value] = event!.summary!.value as [{ tag: string; metadata: { pluginData: { content: string } } }];
  expect(value.tag).toBe('_hparams_/session_start_info');
  const Data = protobuf
    .parse(`syntax = "proto3";
    message Data { int32 version = 1; Start session_start_info = 3; }
    message Start { map<string, Value> hparams = 1; string group_name = 4; double start_time_secs = 5; }
    message Value { oneof kind { double number_value = 2; string string_value = 3; bool bool_value = 4; } }`)
    .root.lookupType('Data');
  const content = Buffer.from(value.metadata.pluginData.content, 'base64');
  expect(Data.toObject(Data.decode(content))).toMatchObject({
    sessionStartInfo: {
      hparams: { a: { numberValue: 0.5 }, b: { stringValue: 'x' }, c: { boolValue: true } },
      groupName: 'g',
      startTimeSecs: 2,
    },
  });
});
