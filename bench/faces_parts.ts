/**
 * The parts of which `datagen` with detection and alignment consists, each measured by itself: `node faces_parts.js LIST`, LIST being
 * a JSON array of {path, boxes}. Two worker threads share the photographs.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { alignmentOf } from '../src/faces/align.js';
import { DEFAULT_CROP, type FractionBox, pixelBox } from '../src/faces/crop.js';
import {
  decodeWindow,
  type PictureWindow,
  pointInWindow,
  wholeWindow,
  windowAround,
} from '../src/faces/decode_window.js';
import { openFaceDetector } from '../src/faces/detect.js';
import { type Face, moveLandmarks, type RgbImage } from '../src/faces/face.js';
import { faceAround, partOf } from '../src/faces/find_faces.js';
import { lookAt } from '../src/faces/open_picture.js';
import { DEFAULT_FACE_SPEC } from '../src/faces/prepare_faces.js';
import { resample } from '../src/faces/warp.js';

export interface ListedPhotograph {
  readonly path: string;
  readonly boxes: readonly FractionBox[];
}

/** Seconds; of two threads at once, so half of what both spent. */
export interface PartSeconds {
  /** The opening of the nets, once a thread. */
  readonly open: number;
  readonly decode: number;
  readonly detect: number;
  readonly align: number;
  readonly encode: number;
}

const THREADS = 2;

/** Photographs of which a part is done before the next part: few enough for their pixels to fit. */
const BATCH = 16;

/** As datagen looks at a face: at three times its box. */
const LOOK_AROUND = 3;

/** Side of the crops in pixels: that of expression128. */
const SIDE = 128;

if (isMainThread) {
  const list = process.argv[2] as string;
  const all = await Promise.all(Array.from({ length: THREADS }, (_, thread) => partsOn(list, thread)));
  const mean = (part: keyof PartSeconds): number =>
    all.reduce((sum, { seconds }) => sum + seconds[part], 0) / THREADS;
  const seconds: PartSeconds = {
    open: mean('open'),
    decode: mean('decode'),
    detect: mean('detect'),
    align: mean('align'),
    encode: mean('encode'),
  };
  const { user, system } = process.cpuUsage();
  const faces = all.reduce((sum, measured) => sum + measured.faces, 0);
  console.log(JSON.stringify({ seconds, faces, cpuSeconds: (user + system) / 1e6 }));
} else {
  const { list, thread } = workerData as { list: string; thread: number };
  const photographs = (JSON.parse(readFileSync(list, 'utf8')) as ListedPhotograph[]).filter(
    (_, i) => i % THREADS === thread,
  );
  const start = performance.now();
  await openFaceDetector();
  const open = (performance.now() - start) / 1000;
  const { seconds, faces } = await inParts(photographs);
  parentPort?.postMessage({ seconds: { open, ...seconds }, faces });
}

interface Measured<Seconds> {
  readonly seconds: Seconds;
  readonly faces: number;
}

function partsOn(list: string, thread: number): Promise<Measured<PartSeconds>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { list, thread } });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('a worker ended without a word')));
  });
}

async function inParts(
  photographs: readonly ListedPhotograph[],
): Promise<Measured<Omit<PartSeconds, 'open'>>> {
  const seconds = { decode: 0, detect: 0, align: 0, encode: 0 };
  const timed = async <T, R>(
    part: keyof typeof seconds,
    items: readonly T[],
    work: (item: T) => Promise<R> | R,
  ): Promise<R[]> => {
    const results: R[] = [];
    const start = performance.now();
    for (const item of items) results.push(await work(item));
    seconds[part] += (performance.now() - start) / 1000;
    return results;
  };
  let faces = 0;
  for (let at = 0; at < photographs.length; at += BATCH) {
    const batch = photographs.slice(at, at + BATCH);
    const windows = await timed('decode', batch, ({ path }) => decodeWhole(readFileSync(path)));
    const seen = windows.flatMap((window, i) => batch[i]!.boxes.map((box) => ({ window, box })));
    const found = await timed('detect', seen, ({ window, box }) => findFace(window, box));
    const whole = seen.flatMap(({ window }, i) => {
      const face = found[i];
      return face === undefined ? [] : [{ window, face }];
    });
    const crops = await timed('align', whole, ({ window, face }) => alignFace(window, face));
    await timed('encode', crops, encode);
    faces += crops.length;
  }
  return { seconds, faces };
}

async function decodeWhole(file: Uint8Array): Promise<PictureWindow> {
  const { maxPixels } = DEFAULT_CROP;
  const look = await lookAt(file, maxPixels);
  if ('failure' in look) throw new Error(look.detail);
  const window = await decodeWindow(file, look, wholeWindow(look), { maxPixels, maxWindowPixels: maxPixels });
  if ('failure' in window) throw new Error(window.detail);
  return window;
}

async function findFace(window: PictureWindow, box: FractionBox): Promise<Face | undefined> {
  const inPixels = pixelBox(box, window.image.width, window.image.height);
  const around = windowAround(inPixels, LOOK_AROUND, window.image);
  return (await faceAround(partOf(window, around), inPixels, DEFAULT_FACE_SPEC.minOverlap))?.face;
}

function alignFace(window: PictureWindow, face: Face): RgbImage {
  const landmarks = moveLandmarks(face.landmarks, (point) => pointInWindow(point, window));
  return resample(window.image, alignmentOf(landmarks, 'expression128'), SIDE, [0, 0, 0]);
}

function encode({ width, height, data }: RgbImage): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: DEFAULT_CROP.quality, optimiseCoding: false })
    .toBuffer();
}
