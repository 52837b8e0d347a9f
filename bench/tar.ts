/** Random access into a tar.gz: indexing against plain gunzip, reading by the index against streaming the archive. */

import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { jpegLike, writeManyFiles } from '../fixtures/tar_archives.js';
import { readTar } from '../src/io/tar.js';
import { IndexedTar, indexTar, tarIndexCost } from '../src/io/tar_index.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';

/** 165 MB: a five-hundredth of VGGFace2's train archive by count, with images of its mean size there. */
const FILES = 15_000;
const FILE_BYTES = 11 * 1024;

/** Members read by the index in one run. Streaming reads one: it takes as long as a thousand of these. */
const READS = 1000;

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-tar-'));
  const archive = join(folder, 'faces.tar.gz');
  const index = join(folder, 'faces.index');
  try {
    // Two hundred different ones, far enough from each other that gzip sees each for the first time.
    const different = Array.from({ length: 200 }, (_, i) => jpegLike(i, FILE_BYTES));
    const contents = (i: number): Buffer => different[(i * 7919) % different.length] as Buffer;
    const names = await writeManyFiles(archive, { count: FILES, contents, level: 6 });
    yield* indexing(archive, index);
    yield await readingAtRandom(archive, index, names);
    yield await readingInOrder(archive, index);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* indexing(archive: string, index: string): AsyncGenerator<BenchFigure | BenchMissing> {
  const megabytes = statSync(archive).size / 1e6;
  const ours = async (): Promise<number> => {
    await indexTar(archive, index);
    return megabytes;
  };
  const before = (): void => rmSync(index, { force: true });
  const zlib = async (): Promise<number> => {
    const gunzip = createGunzip({ chunkSize: 256 * 1024 });
    createReadStream(archive, { highWaterMark: 256 * 1024 }).pipe(gunzip);
    let bytes = 0;
    for await (const chunk of gunzip) bytes += (chunk as Buffer).length;
    if (bytes < FILES * FILE_BYTES) throw new Error(`${bytes} bytes came out`);
    return megabytes;
  };
  yield figure('tar/index', 'zlib.createGunzip', 'MB/s', await alternate({ before, ours, theirs: zlib }));
  const gunzip = (): number => {
    execFileSync('gunzip', ['-t', archive]);
    return megabytes;
  };
  try {
    execFileSync('gunzip', ['--version'], { stdio: 'ignore' });
  } catch {
    yield { bench: 'tar/index', missing: 'gunzip', reason: 'there is no such program' };
    return;
  }
  yield figure('tar/index', 'gunzip -t', 'MB/s', await alternate({ before, ours, theirs: gunzip }));
  // How good the estimate is that users see beforehand: as a rate, so that more than 1 promises too little.
  const estimated = (): number => megabytes / tarIndexCost(archive).seconds;
  const estimates = Array.from({ length: 5 }, estimated).sort((a, b) => a - b);
  const medians = await alternate({ before, ours, theirs: ours });
  yield figure('tar/index-estimate', 'what was estimated', 'MB/s', {
    ...medians,
    theirs: estimates[2] as number,
  });
}

/** 10,000 reads by the index take as long as ten runs of this; 10,000 times streaming is not waited for, but one is. */
async function readingAtRandom(
  archive: string,
  index: string,
  names: readonly string[],
): Promise<BenchFigure> {
  const tar = IndexedTar.open(archive, index);
  let next = 0;
  // A prime step through all names, far ahead each time: no read profits from the one before.
  const some = (): string => names[(next++ * 6007) % names.length] as string;
  const medians = await alternate({
    ours: async () => {
      for (let i = 0; i < READS; i++) checked(await tar.read(some()));
      return READS;
    },
    theirs: async () => {
      const wanted = some();
      for await (const entry of readTar(archive, { limits: { maxEntries: FILES } }))
        if (entry.name === wanted) {
          checked(await buffer(entry.open()));
          break;
        }
      return 1;
    },
  });
  tar.close();
  return figure('tar/read-random', 'streaming to the member', 'members/s', medians);
}

async function readingInOrder(archive: string, index: string): Promise<BenchFigure> {
  const tar = IndexedTar.open(archive, index);
  const medians = await alternate({
    ours: async () => {
      for (const name of tar.names()) checked(await tar.read(name));
      return FILES;
    },
    theirs: async () => {
      for await (const entry of readTar(archive, { limits: { maxEntries: FILES } }))
        checked(await buffer(entry.open()));
      return FILES;
    },
  });
  tar.close();
  return figure('tar/read-in-order', 'streaming all', 'members/s', medians);
}

function checked(contents: Uint8Array | undefined): void {
  if (contents?.length !== FILE_BYTES) throw new Error(`read ${contents?.length} bytes of ${FILE_BYTES}`);
}
