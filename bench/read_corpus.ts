/** The two splits of `bench read`, as shards and as WebDataset's tars of the same content. */

import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import { writeFinishedSplit } from '../fixtures/finished_split.js';
import { encodeNpy } from '../src/io/npy.js';
import { seededRandom } from '../src/io/random.js';
import { BenchTriplets, BenchWindows } from './read_problems.js';

export interface ReadCorpus {
  readonly kind: 'triplets' | 'windows';
  readonly dataDir: string;
  readonly records: number;
  /** Finds the shards. */
  readonly glob: string;
  readonly tars: readonly string[];
}

const SHARDS = 4;

/** 2,000 triplets of 22 KB. */
export async function writeTriplets(dataDir: string): Promise<ReadCorpus> {
  const records = 2000;
  const pictures = await drawPictures(240);
  const picture = (i: number, which: number) => pictures[(3 * i + which + (i >> 6)) % pictures.length]!;
  writeFinishedSplit({
    problem: new BenchTriplets(),
    split: 'train',
    dataDir,
    examples: records,
    shards: SHARDS,
    example: (i) => ({
      key: `train:${i}`,
      'image/a': picture(i, 0),
      'image/b': picture(i, 1),
      'image/c': picture(i, 2),
      triplet_code: 1 + (i % 3),
    }),
  });
  const tars = await writeTars(dataDir, records, (i) => ({
    'a.jpg': picture(i, 0),
    'b.jpg': picture(i, 1),
    'c.jpg': picture(i, 2),
    cls: Buffer.from(String(1 + (i % 3))),
  }));
  return {
    kind: 'triplets',
    dataDir,
    records,
    glob: join(dataDir, 'bench_triplets-train-?????-of-?????'),
    tars,
  };
}

/** 800 windows of 164 KB. */
export async function writeWindows(dataDir: string): Promise<ReadCorpus> {
  const records = 800;
  const random = seededRandom('bench windows');
  const windows = Array.from({ length: 32 }, () =>
    Float32Array.from({ length: 64 * 640 }, () => 100 * (random.next() - 0.5)),
  );
  const window = (i: number) => windows[i % windows.length]!;
  writeFinishedSplit({
    problem: new BenchWindows(),
    split: 'train',
    dataDir,
    examples: records,
    shards: SHARDS,
    example: (i) => ({ key: `train:${i}`, eeg: window(i), label: i % 4 }),
  });
  const tars = await writeTars(dataDir, records, (i) => ({
    'eeg.npy': encodeNpy(window(i), [64, 640]),
    cls: Buffer.from(String(i % 4)),
  }));
  return {
    kind: 'windows',
    dataDir,
    records,
    glob: join(dataDir, 'bench_windows-train-?????-of-?????'),
    tars,
  };
}

/** Soft shapes with grain, which take as many bytes as photographs of faces; encoded as crops are. */
function drawPictures(count: number): Promise<Buffer[]> {
  const random = seededRandom('bench pictures');
  const sizes = { width: 128, height: 128 };
  return Promise.all(
    Array.from({ length: count }, async () => {
      const coarse = Buffer.from(Array.from({ length: 16 * 16 * 3 }, () => random.below(256)));
      const soft = await sharp(coarse, { raw: { width: 16, height: 16, channels: 3 } })
        .resize({ ...sizes, kernel: 'cubic' })
        .raw()
        .toBuffer();
      const grainy = soft.map((value) => Math.max(0, Math.min(255, value + random.below(16) - 8)));
      return sharp(grainy, { raw: { ...sizes, channels: 3 } })
        .jpeg({ quality: 92, optimiseCoding: false })
        .toBuffer();
    }),
  );
}

async function writeTars(
  folder: string,
  records: number,
  filesOf: (i: number) => Readonly<Record<string, Uint8Array>>,
): Promise<string[]> {
  const paths: string[] = [];
  for (let shard = 0; shard < SHARDS; shard++) {
    const path = join(folder, `shard-${shard}.tar`);
    const tar = pack();
    const written = pipeline(tar, createWriteStream(path));
    for (let i = shard; i < records; i += SHARDS)
      for (const [ending, bytes] of Object.entries(filesOf(i)))
        tar.entry({ name: `${String(i).padStart(6, '0')}.${ending}` }, Buffer.from(bytes));
    tar.finalize();
    await written;
    paths.push(path);
  }
  return paths;
}
