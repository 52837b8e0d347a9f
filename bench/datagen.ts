/**
 * The whole of `datagen` against a bare loop of sharp over the same faces: photographs are on the disk already, and
 * finished, verified shards come out. Both are processes of their own, timed with their start.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderPhotograph } from '../fixtures/face_drawing.js';
import { openFetched } from '../src/datagen/input_records.js';
import { rawDirOf } from '../src/datagen/raw_data.js';
import { FEC_FILES } from '../src/datasets/fec/fec.js';
import { DEFAULT_CROP, type FractionBox, squareAround } from '../src/faces/crop.js';
import { alternate, type BenchFigure, type BenchMissing, figure, median } from './harness.js';

const CLI = fileURLToPath(new URL('../bin/t2t-ts.js', import.meta.url));
const BARE_LOOP = fileURLToPath(new URL('./bare_sharp_loop.js', import.meta.url));
/** Flickr's `_b` size, which nearly all of FEC's addresses name. */
const [WIDTH, HEIGHT] = [1024, 683];
const DRAWN = 50;
/** Faces in each of ten photographs: 1.6 on average, as in FEC (126,761 faces in 81,260 images of its train file). */
const FACES_AS_IN_FEC = [1, 1, 2, 1, 3, 1, 2, 1, 1, 3];
const AGAINST = 'bare sharp loop';

interface Corpus {
  readonly folder: string;
  readonly list: string;
  readonly faces: number;
  readonly triplets: number;
}

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-datagen-'));
  try {
    const asInFec = await makeCorpus(join(folder, 'fec'), {
      photographs: 1500,
      faces: FACES_AS_IN_FEC,
      uses: 1,
    });
    const inFlight = bestConcurrency(asInFec);
    yield* distinctFaces('datagen/distinct-faces', asInFec, inFlight);
    const alone = await makeCorpus(join(folder, 'alone'), { photographs: 2400, faces: [1], uses: 1 });
    yield* distinctFaces('datagen/one-face-a-photograph', alone, inFlight);

    const tenfold = await makeCorpus(join(folder, 'tenfold'), {
      photographs: 300,
      faces: FACES_AS_IN_FEC,
      uses: 10,
    });
    const repeated = await alternate({
      before: () => removeMade(tenfold),
      ours: () => {
        datagenAndVerify(tenfold);
        return tenfold.triplets;
      },
      theirs: () => bareLoop(tenfold, inFlight) / 3,
    });
    yield figure('datagen/faces-in-ten-triplets', `${AGAINST}, once a use`, 'triplets/s', repeated);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* distinctFaces(name: string, corpus: Corpus, inFlight: number): AsyncGenerator<BenchFigure> {
  const cores: number[] = [];
  const medians = await alternate({
    before: () => removeMade(corpus),
    ours: () => {
      cores.push(datagenAndVerify(corpus));
      return corpus.faces;
    },
    theirs: () => bareLoop(corpus, inFlight),
  });
  yield figure(name, AGAINST, 'faces/s', medians);
  const busy = Number(median(cores).toFixed(2));
  yield {
    bench: `${name}/cores`,
    ratio: busy,
    against: 'one core',
    ours: busy,
    theirs: 1,
    unit: 'cores',
    n: medians.n,
  };
}

/**
 * Photographs with so many faces each in turn, different files all (a comment in the JPEG), with the fates and files that a download
 * would have left, and a train CSV that uses every face `uses` times.
 */
async function makeCorpus(
  folder: string,
  {
    photographs,
    faces: perPhotograph,
    uses,
  }: { photographs: number; faces: readonly number[]; uses: number },
): Promise<Corpus> {
  const manual = join(folder, 'manual');
  mkdirSync(manual, { recursive: true });
  const { journal, store } = openFetched(rawDirOf(join(folder, 'tmp'), 'fec'));
  const drawn = await Promise.all(
    Array.from({ length: DRAWN }, (_, i) =>
      renderPhotograph({
        seed: `bench ${i}`,
        width: WIDTH,
        height: HEIGHT,
        faces: Array.from({ length: perPhotograph[i % perPhotograph.length] as number }, (_, face) => ({
          identity: `bench ${i} ${face}`,
          expression: 'smile',
          centreX: 0.2 + face * 0.3,
          centreY: 0.4 + (i % 3) * 0.1,
          height: 0.3 + (i % 4) * 0.05,
        })),
      }),
    ),
  );
  const faces: { path: string; url: string; box: FractionBox }[] = [];
  for (let i = 0; i < photographs; i++) {
    const { jpeg, boxes } = drawn[i % DRAWN] as (typeof drawn)[number];
    const url = `http://farm${1 + (i % 9)}.staticflickr.com/${i % 8000}/${1_000_000 + i}_abcdef_b.jpg`;
    const file = withComment(jpeg, `photograph ${i}`);
    const { sha256 } = store.put(file);
    journal.set({
      url,
      status: 'ok',
      sha256,
      bytes: file.length,
      format: 'jpeg',
      finalUrl: url,
      attempts: 1,
      at: new Date(0).toISOString(),
    });
    for (const box of boxes) faces.push({ path: store.path(sha256), url, box });
  }
  await journal.close();
  writeFileSync(join(manual, FEC_FILES.train), trainRows(faces, uses));
  writeFileSync(join(manual, FEC_FILES.test), '');
  const squares = faces.map(({ path, box }) => ({
    path,
    ...squareAround(box, WIDTH, HEIGHT, DEFAULT_CROP.margin),
  }));
  const list = join(folder, 'list.json');
  writeFileSync(list, JSON.stringify(Array.from({ length: uses }, () => squares).flat()));
  return { folder, list, faces: faces.length, triplets: Math.floor(faces.length / 3) * uses };
}

/** Every face `uses` times, in triplets of three neighbours at another distance each time. */
function trainRows(faces: readonly { url: string; box: FractionBox }[], uses: number): string {
  const rows: string[] = [];
  for (let use = 0; use < uses; use++) {
    for (let i = 0; i + 2 < faces.length; i += 3) {
      const three = [i, i + 1, i + 2].map((at, place) => faces[(at + place * 3 * use) % faces.length]);
      const columns = three.flatMap((face) => {
        const { url, box } = face as { url: string; box: FractionBox };
        return [`"${url}"`, box.left, box.right, box.top, box.bottom];
      });
      rows.push([...columns, 'ONE_CLASS_TRIPLET', 1, 3, 2, 3, 3, 3, 4, 3, 5, 3, 6, 1].join(','));
    }
  }
  return `${rows.join('\n')}\n`;
}

/** A JPEG with a comment segment after its first marker: the same picture in a file with another hash. */
function withComment(jpeg: Uint8Array, comment: string): Buffer {
  const text = Buffer.from(comment);
  const segment = Buffer.from([0xff, 0xfe, (text.length + 2) >> 8, (text.length + 2) & 0xff]);
  return Buffer.concat([jpeg.subarray(0, 2), segment, text, jpeg.subarray(2)]);
}

function removeMade(corpus: Corpus): void {
  rmSync(join(corpus.folder, 'data'), { recursive: true, force: true });
  rmSync(join(rawDirOf(join(corpus.folder, 'tmp'), 'fec'), 'prepared'), { recursive: true, force: true });
}

/** Gives the number of cores that were busy on average while datagen ran. */
function datagenAndVerify({ folder, triplets }: Corpus): number {
  const data = join(folder, 'data');
  const made = runNode([
    CLI,
    'datagen',
    'fec',
    ...['--manual-dir', join(folder, 'manual'), '--tmp-dir', join(folder, 'tmp'), '--data-dir', data],
    // The loop that this is measured against looks for no faces; `bench faces` measures that.
    ...['--split', 'train', '--option', 'dev_fraction=0', '--option', 'find_face=false', '--json'],
  ]);
  const verified = runNode([CLI, 'verify', data, '--json']);
  if (verified.ok !== true || verified.records !== triplets)
    throw new Error(`of ${triplets} triplets ${verified.records} were written and verified`);
  return Number((Number(made.cpuSeconds) / Number(made.seconds)).toFixed(2));
}

function bareLoop(corpus: Corpus, inFlight: number): number {
  return Number(runNode([BARE_LOOP, corpus.list, String(inFlight)]).faces);
}

function bestConcurrency(corpus: Corpus): number {
  const candidates = [2, 3, 4, 6, 8].map((inFlight) => {
    const start = performance.now();
    bareLoop(corpus, inFlight);
    return { inFlight, ms: performance.now() - start };
  });
  return candidates.sort((a, b) => a.ms - b.ms)[0]!.inFlight;
}

/** Runs a script of ours and gives the JSON on its last line. */
function runNode(words: readonly string[]): Record<string, unknown> {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${words.join(' ')} failed: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').pop() as string) as Record<string, unknown>;
}
