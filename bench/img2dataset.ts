/**
 * `datagen` from URLs to shards against img2dataset: the same URLs of one nginx, the same size, TFRecord, two processes
 * or workers; and how near to a reference resize the pictures of both are.
 */

import { type ChildProcess, execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { renderPhotograph } from '../fixtures/face_drawing.js';
import { parseAnyExample } from '../src/io/example_parser.js';
import { readRecords } from '../src/io/tfrecord_reader.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { environment, freePort, startNginx, stop } from './nginx.js';

const run = promisify(execFile);
const BENCH = 'download/urls-to-shards';
const PEER = 'img2dataset';
const PICTURES = 2400;
const DRAWN = 40;
const SIZE = 128;
const CLI = fileURLToPath(new URL('../bin/t2t-ts.js', import.meta.url));
const PROBLEM = fileURLToPath(new URL('./whole_pictures_problem.js', import.meta.url));

export async function* againstImg2dataset(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const python = process.env.T2T_PYTHON ?? 'python3';
  const reason = await run(python, ['-c', 'import img2dataset, tensorflow_io']).then(
    () => undefined,
    () =>
      `${python} can't import img2dataset with tensorflow and tensorflow_io (T2T_PYTHON names another Python)`,
  );
  if (reason !== undefined) {
    yield { bench: BENCH, missing: PEER, reason };
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-img2dataset-'));
  let server: ChildProcess | undefined;
  try {
    const pictures = await drawPictures(join(folder, 'www'));
    const port = await freePort();
    server = await startNginx(folder, port, pictures[0]?.name as string);
    const urls = pictures.map(({ name }) => `http://127.0.0.1:${port}/${name}`);
    const contenders = { python, folder };
    // One picture costs each its start and nothing else: taken off, the rates are those of long runs.
    const starts = await alternate({
      ours: async () => 1 + 0 * (await runOurs(contenders, urls.slice(0, 1))),
      theirs: async () => 1 + 0 * (await runTheirs(contenders, urls.slice(0, 1))),
    });
    const whole = await alternate({
      ours: () => runOurs(contenders, urls),
      theirs: () => runTheirs(contenders, urls),
    });
    yield figure(BENCH, PEER, 'pictures/s', whole);
    const steady = (rate: number, startRate: number): number => PICTURES / (PICTURES / rate - 1 / startRate);
    yield figure(`${BENCH}-without-start`, PEER, 'pictures/s', {
      ours: steady(whole.ours, starts.ours),
      theirs: steady(whole.theirs, starts.theirs),
      n: whole.n,
    });
    for (const kernel of ['lanczos3', 'area'] as const) {
      const originals = new Map(pictures.slice(0, DRAWN).map(({ name, bytes }) => [name, bytes]));
      yield figure(`download/psnr-${kernel}`, PEER, 'dB', {
        ours: await meanPsnr(await picturesIn(join(folder, 'ours', 'data'), 'image'), originals, kernel),
        theirs: await meanPsnr(await picturesIn(join(folder, 'theirs'), 'jpg'), originals, kernel),
        n: DRAWN,
      });
    }
  } finally {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Contenders {
  readonly python: string;
  readonly folder: string;
}

/** Different files all (a comment in the JPEG), of Flickr's `_b` size. */
async function drawPictures(www: string): Promise<{ name: string; bytes: Buffer }[]> {
  mkdirSync(www, { recursive: true });
  const drawn = await Promise.all(
    Array.from({ length: DRAWN }, (_, i) =>
      renderPhotograph({
        seed: `urls ${i}`,
        width: 1024,
        height: 683,
        faces: [{ identity: `urls ${i}`, expression: 'smile', centreX: 0.5, centreY: 0.5, height: 0.6 }],
      }),
    ),
  );
  return Array.from({ length: PICTURES }, (_, i) => {
    const { jpeg } = drawn[i % DRAWN] as (typeof drawn)[number];
    const comment = Buffer.from(`picture ${i}`);
    const segment = Buffer.from([0xff, 0xfe, 0, comment.length + 2]);
    const bytes = Buffer.concat([jpeg.subarray(0, 2), segment, comment, jpeg.subarray(2)]);
    const name = `${i}.jpg`;
    writeFileSync(join(www, name), bytes);
    return { name, bytes };
  });
}

async function runOurs({ folder }: Contenders, urls: readonly string[]): Promise<number> {
  const out = join(folder, 'ours');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  writeFileSync(join(out, 'urls.csv'), `url\n${urls.join('\n')}\n`);
  const { stdout } = await run(process.execPath, [
    CLI,
    'datagen',
    'bench_whole_pictures',
    ...[
      '--import',
      PROBLEM,
      '--manual-dir',
      out,
      '--data-dir',
      join(out, 'data'),
      '--tmp-dir',
      join(out, 'tmp'),
    ],
    ...[
      '--allow-private-hosts',
      '--workers',
      '2',
      '--fetch',
      'maxPerHost=64',
      '--fetch',
      'maxPerDomain=64',
      '--json',
    ],
  ]);
  const { splits } = JSON.parse(stdout.trimEnd().split('\n').pop() as string);
  return counted(splits.train.written, urls.length, 'ours');
}

async function runTheirs({ python, folder }: Contenders, urls: readonly string[]): Promise<number> {
  const out = join(folder, 'theirs');
  rmSync(out, { recursive: true, force: true });
  const list = join(folder, 'urls.txt');
  writeFileSync(list, `${urls.join('\n')}\n`);
  const options = {
    url_list: list,
    output_folder: out,
    output_format: 'tfrecord',
    image_size: SIZE,
    resize_mode: 'center_crop',
    encode_quality: 92,
    processes_count: 2,
    thread_count: 32,
    // A shard a process at least, or one of them would idle.
    number_sample_per_shard: Math.ceil(urls.length / 4),
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  await run(python, ['-c', 'import img2dataset; img2dataset.main()', ...words], {
    maxBuffer: 1 << 26,
    env: environment(),
  });
  return counted((await picturesIn(out, 'jpg')).size, urls.length, PEER);
}

function counted(pictures: number, wanted: number, side: string): number {
  if (pictures !== wanted) throw new Error(`${side}: ${pictures} of ${wanted} pictures were written`);
  return pictures;
}

/** Pictures by file name, out of all TFRecord files of a folder. */
async function picturesIn(folder: string, feature: string): Promise<Map<string, Uint8Array>> {
  const pictures = new Map<string, Uint8Array>();
  for (const file of readdirSync(folder).filter((name) => /\.tfrecord$|-of-\d+$/.test(name))) {
    for await (const { data } of readRecords(join(folder, file))) {
      const values = parseAnyExample(data);
      const url = Buffer.from(values.get('url')?.values[0] as Uint8Array).toString();
      pictures.set(url.slice(url.lastIndexOf('/') + 1), values.get(feature)?.values[0] as Uint8Array);
    }
  }
  return pictures;
}

/** Mean PSNR in dB against the centred square of the original, resized by the kernel. */
async function meanPsnr(
  pictures: ReadonlyMap<string, Uint8Array>,
  originals: ReadonlyMap<string, Buffer>,
  kernel: 'lanczos3' | 'area',
): Promise<number> {
  let sum = 0;
  for (const [name, original] of originals) {
    const { data, info } = await sharp(original).raw().toBuffer({ resolveWithObject: true });
    const reference =
      kernel === 'area'
        ? areaResize(data, info.width, info.height)
        : await lanczosResize(original, info.width, info.height);
    const ours = await sharp(pictures.get(name) as Uint8Array)
      .raw()
      .toBuffer();
    let squares = 0;
    for (let i = 0; i < reference.length; i++)
      squares += ((ours[i] as number) - (reference[i] as number)) ** 2;
    sum += 10 * Math.log10(255 ** 2 / (squares / reference.length));
  }
  return sum / originals.size;
}

/** Of the whole decoded picture: nothing is shrunk while decoding. */
function lanczosResize(original: Buffer, width: number, height: number): Promise<Buffer> {
  const side = Math.min(width, height);
  return sharp(original)
    .extract({
      left: Math.round((width - side) / 2),
      top: Math.round((height - side) / 2),
      width: side,
      height: side,
    })
    .resize(SIZE, SIZE, { fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer();
}

/** Every pixel the mean of the area that it covers, in double precision. */
function areaResize(data: Buffer, width: number, height: number): Float64Array {
  const side = Math.min(width, height);
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  const scale = side / SIZE;
  const result = new Float64Array(SIZE * SIZE * 3);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const [x0, x1, y0, y1] = [
        left + x * scale,
        left + (x + 1) * scale,
        top + y * scale,
        top + (y + 1) * scale,
      ];
      for (let v = Math.floor(y0); v < Math.min(height, Math.ceil(y1)); v++) {
        const rows = Math.min(v + 1, y1) - Math.max(v, y0);
        for (let u = Math.floor(x0); u < Math.min(width, Math.ceil(x1)); u++) {
          const share = (rows * (Math.min(u + 1, x1) - Math.max(u, x0))) / scale ** 2;
          for (let c = 0; c < 3; c++)
            result[(y * SIZE + x) * 3 + c]! += share * (data[(v * width + u) * 3 + c] as number);
        }
      }
    }
  }
  return result;
}
