/** Records written and read: ours against the `tfrecord` package and against protobufjs with the same framing. */

import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createExampleEncoder } from '../src/io/example.js';
import { createExampleParser } from '../src/io/example_parser.js';
import { type ExampleValues, float32, image, int64 } from '../src/io/features.js';
import {
  closeFrame,
  FRAMING_BYTES,
  HEAD_BYTES,
  RecordWriter,
  type WriterOptions,
} from '../src/io/tfrecord.js';
import { readRecordBatches } from '../src/io/tfrecord_reader.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';

/** Contenders write as many records as take some tenths of a second each: rates, not totals, are compared. */
const IMAGE_RECORDS = { ours: 12_000, protobufjs: 12_000, tfrecord: 1500 };
const FLOAT_RECORDS = { ours: 3000, protobufjs: 1000, tfrecord: 300 };

/** Neither peer hashes its file or waits for the disk, so neither do we but where a figure says so. */
const BARE: WriterOptions = { digest: 'none', sync: 'none' };

const imageFeatures = {
  image: image(),
  height: int64(),
  width: int64(),
  triplet_code: int64(),
  'rating/all': int64([null]),
};
const floatFeatures = { eeg: float32([19, 512]), label: int64() };

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-tfrecord-'));
  try {
    const peers = {
      tfrecord: await import('tfrecord').catch(() => undefined),
      protobufjs: await import('protobufjs').catch(() => undefined),
    };
    for (const peer of ['tfrecord', 'protobufjs'] as const)
      if (peers[peer] === undefined)
        yield {
          bench: 'tfrecord',
          missing: peer,
          reason: 'it is a development dependency and not installed',
        };
    if (peers.tfrecord !== undefined) yield* againstTfrecord(peers.tfrecord, folder);
    if (peers.protobufjs !== undefined) yield* againstProtobufjs(peers.protobufjs, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* againstTfrecord(
  peer: typeof import('tfrecord'),
  folder: string,
): AsyncGenerator<BenchFigure> {
  const path = (name: string) => join(folder, name);
  const imagesToFile = async (count: number): Promise<number> => {
    const writer = await peer.createWriter(path('images-theirs'));
    for (let i = 0; i < count; i++) {
      const values = imageExamples[i % imageExamples.length]!;
      const builder = peer.createBuilder();
      builder.setBinary('image', values.image);
      for (const name of ['height', 'width', 'triplet_code'] as const)
        builder.setInteger(name, values[name] as number);
      builder.setIntegers('rating/all', values['rating/all'] as number[]);
      await writer.writeExample(builder.releaseExample());
    }
    await writer.close();
    return count;
  };
  const floatsToFile = async (count: number): Promise<number> => {
    const writer = await peer.createWriter(path('floats-theirs'));
    for (let i = 0; i < count; i++) {
      const builder = peer.createBuilder();
      builder.setFloats('eeg', floatLists[i % floatLists.length]!);
      builder.setInteger('label', i);
      await writer.writeExample(builder.releaseExample());
    }
    await writer.close();
    return count;
  };
  const images = await alternate({
    before: () => empty(folder),
    ours: () => writeImages(path('images'), IMAGE_RECORDS.ours),
    theirs: () => imagesToFile(IMAGE_RECORDS.tfrecord),
  });
  yield figure('tfrecord/write-images', 'tfrecord', 'records/s', images);
  // As datagen writes shards, hashed and synced; the peer does neither.
  const hashed = await alternate({
    before: () => empty(folder),
    ours: () => writeImages(path('images'), IMAGE_RECORDS.ours, {}),
    theirs: () => imagesToFile(IMAGE_RECORDS.tfrecord),
  });
  yield figure('tfrecord/write-shard', 'tfrecord', 'records/s', hashed);
  const floats = await alternate({
    before: () => empty(folder),
    ours: () => writeFloats(path('floats'), FLOAT_RECORDS.ours),
    theirs: () => floatsToFile(FLOAT_RECORDS.tfrecord),
  });
  yield figure('tfrecord/write-floats', 'tfrecord', 'records/s', floats);
  writeImages(path('images'), IMAGE_RECORDS.ours);
  await imagesToFile(IMAGE_RECORDS.tfrecord);
  const reading = await alternate({
    ours: () => readImages(path('images'), IMAGE_RECORDS.ours),
    theirs: async () => {
      const reader = await peer.createReader(path('images-theirs'));
      let bytes = 0;
      for (;;) {
        const example = await reader.readExample();
        if (example === null) break;
        bytes += example.features?.feature?.image?.bytesList?.value?.[0]?.length ?? 0;
      }
      return checkedBytes(bytes, IMAGE_RECORDS.tfrecord);
    },
  });
  yield figure('tfrecord/read-images', 'tfrecord', 'MB/s', reading);
}

async function* againstProtobufjs(
  peer: typeof import('protobufjs'),
  folder: string,
): AsyncGenerator<BenchFigure> {
  // A CommonJS module: what a bundler would give by name may stand under `default` only.
  const { parse } = 'parse' in peer ? peer : (peer as { default: typeof import('protobufjs') }).default;
  const Example = parse(EXAMPLE_PROTO).root.lookupType('tensorflow.Example');
  const encode = (features: Record<string, unknown>) =>
    Example.encode({ features: { feature: features } }).finish();
  // Checking values before encoding is left to the caller there ("verify"); ours never writes unchecked values.
  const verifyAndEncode = (features: Record<string, unknown>) => {
    const problem = Example.verify({ features: { feature: features } });
    if (problem !== null) throw new Error(problem);
    return encode(features);
  };
  const images = await alternate({
    runs: 9,
    before: () => empty(folder),
    ours: () => writeImages(join(folder, 'images'), IMAGE_RECORDS.ours),
    theirs: () =>
      writeFramed(join(folder, 'images-theirs'), IMAGE_RECORDS.protobufjs, (i) => {
        const values = imageExamples[i % imageExamples.length]!;
        return verifyAndEncode({
          image: { bytesList: { value: [values.image] } },
          height: { int64List: { value: [values.height] } },
          width: { int64List: { value: [values.width] } },
          triplet_code: { int64List: { value: [values.triplet_code] } },
          'rating/all': { int64List: { value: values['rating/all'] } },
        });
      }),
  });
  yield figure('tfrecord/write-images', 'protobufjs', 'records/s', images);
  // Typed arrays it encodes faster, as long as it meets nothing else, but `verify` and its types refuse them: a figure
  // of its own, and first.
  for (const [bench, lists, encoded] of [
    ['tfrecord/write-floats-typed', floatArrays, encode],
    ['tfrecord/write-floats', floatLists, verifyAndEncode],
  ] as const) {
    const floats = await alternate({
      before: () => empty(folder),
      ours: () => writeFloats(join(folder, 'floats'), FLOAT_RECORDS.ours),
      theirs: () =>
        writeFramed(join(folder, 'floats-theirs'), FLOAT_RECORDS.protobufjs, (i) =>
          encoded({
            eeg: { floatList: { value: lists[i % lists.length]! } },
            label: { int64List: { value: [i] } },
          }),
        ),
    });
    yield figure(bench, 'protobufjs', 'records/s', floats);
  }
}

/** Removes the files of the run before: freeing their pages would otherwise be timed, and as much as writing takes. */
function empty(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
}

/** Sixteen different ones of 10 KB: one alone would stay in the processor's cache. Random bytes are as good as a JPEG's. */
const imageExamples: readonly ExampleValues<typeof imageFeatures>[] = Array.from({ length: 16 }, (_, i) => ({
  image: new Uint8Array(randomBytes(10 * 1024)),
  height: 128,
  width: 128,
  triplet_code: 1 + (i % 3),
  'rating/all': [1, 2, 3, 3, 3, i],
}));

const floatArrays = Array.from({ length: 4 }, (_, k) =>
  Float32Array.from({ length: 19 * 512 }, (_, i) => Math.sin(i * 0.01 + k)),
);
/** What the peers ask for. */
const floatLists = floatArrays.map((array) => [...array]);

function writeImages(path: string, count: number, options: WriterOptions = BARE): number {
  const encoder = createExampleEncoder(imageFeatures);
  const writer = RecordWriter.create(path, options);
  for (let i = 0; i < count; i++) writer.writeExample(encoder, imageExamples[i % imageExamples.length]!);
  return writer.finish().records;
}

function writeFloats(path: string, count: number): number {
  const encoder = createExampleEncoder(floatFeatures);
  const writer = RecordWriter.create(path, BARE);
  for (let i = 0; i < count; i++)
    writer.writeExample(encoder, { eeg: floatArrays[i % floatArrays.length]!, label: i });
  return writer.finish().records;
}

async function readImages(path: string, count: number): Promise<number> {
  const parser = createExampleParser(imageFeatures);
  let bytes = 0;
  for await (const batch of readRecordBatches(path))
    for (const { data } of batch) bytes += parser.parse(data).image.length;
  return checkedBytes(bytes, count);
}

/** Megabytes of images, where all of them were read: a reader that stops early must not look fast. */
function checkedBytes(bytes: number, count: number): number {
  if (bytes !== count * 10 * 1024) throw new Error(`read ${bytes} bytes of ${count} images`);
  return bytes / 1e6;
}

/** The peer gets the best framing there is: our checksum, pieces of a megabyte, synchronous writes. */
function writeFramed(path: string, count: number, record: (i: number) => Uint8Array): number {
  const file = openSync(path, 'w');
  const chunk = Buffer.allocUnsafeSlow(1 << 20);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const payload = record(i);
    if (used + payload.length + FRAMING_BYTES > chunk.length) {
      writeSync(file, chunk, 0, used);
      used = 0;
    }
    chunk.set(payload, used + HEAD_BYTES);
    closeFrame(chunk, used, payload.length);
    used += payload.length + FRAMING_BYTES;
  }
  writeSync(file, chunk, 0, used);
  closeSync(file);
  return count;
}

/** tf.train.Example in proto3, field numbers from tensorflow/core/example/feature.proto and example.proto. */
const EXAMPLE_PROTO = `
  syntax = "proto3";
  package tensorflow;
  message BytesList { repeated bytes value = 1; }
  message FloatList { repeated float value = 1 [packed = true]; }
  message Int64List { repeated int64 value = 1 [packed = true]; }
  message Feature {
    oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; }
  }
  message Features { map<string, Feature> feature = 1; }
  message Example { Features features = 1; }
`;
