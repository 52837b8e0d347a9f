/** What a face costs on the disk and to read: as JPEG, PNG and bare pixels, against the integer lists of tensor2tensor. */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { DEFAULT_CROP } from '../src/faces/crop.js';
import { encodePicture } from '../src/faces/encode_picture.js';
import { findFaces } from '../src/faces/find_faces.js';
import { DEFAULT_FACE_SPEC, prepareFaces } from '../src/faces/prepare_faces.js';
import { createExampleEncoder } from '../src/io/example.js';
import { createExampleParser } from '../src/io/example_parser.js';
import { type ImageEncoding, image, int64 } from '../src/io/features.js';
import { RecordWriter } from '../src/io/tfrecord.js';
import { readRecordBatches } from '../src/io/tfrecord_reader.js';
import { ImageDecoder } from '../src/reading/image_decoder.js';
import { realPhotographs } from './faces_photographs.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { startPython } from './python_lines.js';

const SIDE = 128;
const PIXEL_BYTES = SIDE * SIDE * 3;

/** Records a file; the crops are repeated. */
const RECORDS = 256;

/** A way of storing the crops, and how they are read again. */
interface Form {
  readonly name: string;
  readonly path: string;
  /** Reads and decodes the whole file; gives the number of pictures. */
  readonly read: () => Promise<number>;
  /** What Python makes pixels of: `parse_single_example`'s type and the decoder. */
  readonly python: 'list' | 'raw' | 'picture';
}

/** Jpeg at the quality that is usual for learning, and at our default. */
const OURS: readonly { readonly encoding: ImageEncoding; readonly quality: number; readonly name: string }[] =
  [
    { name: 'jpeg-95', encoding: 'jpeg', quality: 95 },
    { name: `jpeg-${DEFAULT_CROP.quality}`, encoding: 'jpeg', quality: DEFAULT_CROP.quality },
    { name: 'png', encoding: 'png', quality: 0 },
    { name: 'raw', encoding: 'raw', quality: 0 },
  ];

const PEER = 'tensor2tensor’s integers';

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const photographs = await photographFiles();
  if (photographs === undefined) {
    yield {
      bench: 'image_bytes',
      missing: 'photographs',
      reason: 'neither shared data nor face-api is there',
    };
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-image-bytes-'));
  try {
    const crops = await cropsOf(photographs);
    const decoder = await ImageDecoder.open();
    const lists = writeLists(crops, folder);
    const forms: Form[] = [];
    for (const { name, ...encoding } of OURS) {
      const files = await Promise.all(crops.map((pixels) => encoded(pixels, encoding)));
      forms.push(writeImages(files, { folder, name, encoding: encoding.encoding, decoder }));
    }
    const perMegabyte = ({ path }: Form): number => RECORDS / (statSync(path).size / 1e6);
    for (const form of forms) {
      const sizes = { ours: perMegabyte(form), theirs: perMegabyte(lists), n: 1 };
      yield figure(`image_bytes/size-${form.name}`, PEER, 'pictures/MB', sizes);
    }
    for (const form of forms) {
      const rates = await alternate({ ours: form.read, theirs: lists.read });
      yield figure(`image_bytes/read-${form.name}`, PEER, 'pictures/s', rates);
    }
    yield* inTensorFlow(forms, lists);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The shared photographs, or those that a development dependency brings with it. */
async function photographFiles(): Promise<Uint8Array[] | undefined> {
  const real = await realPhotographs();
  if (real !== undefined) return real.map(({ jpeg }) => jpeg);
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
    return [1, 2, 3, 4, 5, 6].map((i) => readFileSync(join(folder, 'demo', `sample${i}.jpg`)));
  } catch {
    return undefined;
  }
}

/** The pixels of every face that is not enlarged by its crop: an enlarged one is smoother than faces are. */
async function cropsOf(photographs: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const spec = { ...DEFAULT_FACE_SPEC, encoding: 'raw', size: SIDE, find: false } as const;
  const crops: Uint8Array[] = [];
  for (const photograph of photographs) {
    const found = await findFaces(photograph, { maxPixels: DEFAULT_CROP.maxPixels });
    if ('failure' in found) continue;
    const boxes = found.faces.map(({ box }) => ({ box })).filter(({ box }) => box.width >= SIDE);
    for (const outcome of await prepareFaces(photograph, boxes, spec))
      if (outcome.ok) crops.push(outcome.bytes);
  }
  return crops;
}

function encoded(
  pixels: Uint8Array,
  encoding: { readonly encoding: ImageEncoding; readonly quality: number },
): Promise<Uint8Array> {
  return encodePicture(sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }), encoding);
}

/** Every byte of the picture a number of an int64 list, as tensor2tensor stores pictures that it does not encode. */
function writeLists(crops: readonly Uint8Array[], folder: string): Form {
  const features = { image: int64([SIDE, SIDE, 3]) };
  const path = join(folder, 'lists');
  const encoder = createExampleEncoder(features);
  const writer = RecordWriter.create(path);
  for (let i = 0; i < RECORDS; i++)
    writer.writeExample(encoder, { image: crops[i % crops.length] as Uint8Array });
  writer.finish();
  const parser = createExampleParser(features);
  const read = async (): Promise<number> =>
    readAll(path, (data) => Uint8Array.from(parser.parse(data).image as number[]));
  return { name: 'lists', path, read, python: 'list' };
}

function writeImages(
  files: readonly Uint8Array[],
  of: {
    readonly folder: string;
    readonly name: string;
    readonly encoding: ImageEncoding;
    readonly decoder: ImageDecoder;
  },
): Form {
  const features = { image: image({ encoding: of.encoding, height: SIDE, width: SIDE, channels: 3 }) };
  const format = features.image.image;
  if (format === undefined) throw new Error('an image has a format');
  const path = join(of.folder, of.name);
  const encoder = createExampleEncoder(features);
  const writer = RecordWriter.create(path);
  for (let i = 0; i < RECORDS; i++)
    writer.writeExample(encoder, { image: files[i % files.length] as Uint8Array });
  writer.finish();
  const parser = createExampleParser(features);
  const read = async (): Promise<number> =>
    readAll(path, async (data) => (await of.decoder.decode(parser.parse(data).image, format)).data);
  return { name: of.name, path, read, python: of.encoding === 'raw' ? 'raw' : 'picture' };
}

/** Who decodes something else must not look fast. */
async function readAll(
  path: string,
  pixelsOf: (data: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<number> {
  let pictures = 0;
  for await (const records of readRecordBatches(path))
    for (const { data } of records) {
      const pixels = await pixelsOf(data);
      if (pixels.length !== PIXEL_BYTES) throw new Error(`${pixels.length} bytes of pixels in ${path}`);
      pictures += 1;
    }
  if (pictures !== RECORDS) throw new Error(`${pictures} pictures in ${path}`);
  return pictures;
}

/** The same files read by TensorFlow: what the stored form is worth to a training job in Python. */
async function* inTensorFlow(
  forms: readonly Form[],
  lists: Form,
): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const python = startPython(['-c', READ_BY_TENSORFLOW], { errors: 'ignore' });
  try {
    if ((await python.answer()) !== 'ready') {
      yield {
        bench: 'image_bytes/tf-read',
        missing: 'TensorFlow',
        reason: 'set T2T_PYTHON to a Python that has it',
      };
      return;
    }
    const read = async ({ path, python: kind }: Form): Promise<number> => {
      python.ask(JSON.stringify({ path, kind, side: SIDE }));
      const pictures = Number(await python.answer());
      if (pictures !== RECORDS) throw new Error(`TensorFlow read ${pictures} pictures from ${path}`);
      return pictures;
    };
    for (const form of forms) {
      const rates = await alternate({ ours: () => read(form), theirs: () => read(lists) });
      yield figure(`image_bytes/tf-read-${form.name}`, PEER, 'pictures/s', rates);
    }
  } finally {
    python.process.kill();
  }
}

const READ_BY_TENSORFLOW = `
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
try:
    import tensorflow as tf
except ImportError:
    print("absent", flush=True)
    sys.exit()
print("ready", flush=True)
for line in sys.stdin:
    job = json.loads(line)
    shape = [job["side"], job["side"], 3]
    is_list = job["kind"] == "list"
    spec = tf.io.FixedLenFeature(shape, tf.int64) if is_list else tf.io.FixedLenFeature([], tf.string)
    def pixels(record):
        image = tf.io.parse_single_example(record, {"image": spec})["image"]
        if is_list:
            return tf.cast(image, tf.uint8)
        if job["kind"] == "raw":
            return tf.reshape(tf.io.decode_raw(image, tf.uint8), shape)
        return tf.ensure_shape(tf.io.decode_image(image, channels=3, expand_animations=False), shape)
    dataset = tf.data.TFRecordDataset(job["path"]).map(pixels, num_parallel_calls=1)
    print(sum(1 for _ in dataset), flush=True)
`;
