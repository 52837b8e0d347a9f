/** `datagen fec --align` from photographs on the disk to finished shards, against the sum of its parts on as many threads. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderPhotograph } from '../fixtures/face_drawing.js';
import { openFetched } from '../src/datagen/input_records.js';
import { rawDirOf } from '../src/datagen/raw_data.js';
import { FEC_FILES } from '../src/datasets/fec/fec.js';
import type { ListedPhotograph, PartSeconds } from './faces_parts.js';
import { type BenchFigure, figure, median } from './harness.js';

const CLI = fileURLToPath(new URL('../bin/t2t-ts.js', import.meta.url));
const PARTS = fileURLToPath(new URL('./faces_parts.js', import.meta.url));
const RUNS = 5;
/** Different pictures that are drawn; the photographs are copies of them whose files differ. */
const DRAWN = 20;
const PHOTOGRAPHS = 100;
/** Faces in each of ten photographs: 1.6 on average, as in FEC. */
const FACES_AS_IN_FEC = [1, 1, 2, 1, 3, 1, 2, 1, 1, 3];

interface Corpus {
  readonly folder: string;
  readonly list: string;
  readonly faces: number;
}

export async function* datagenFigures(): AsyncGenerator<BenchFigure, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-faces-'));
  try {
    const corpus = await makeCorpus(folder);
    const ours: number[] = [];
    const cores: number[] = [];
    const cpu = { ours: [] as number[], theirs: [] as number[] };
    const withOpening: number[] = [];
    const partsAlone: number[] = [];
    // One untimed run of both, then in turns.
    for (let run = -1; run < RUNS; run++) {
      const first = run % 2 === 0 ? datagen(corpus) : undefined;
      const made = partsOf(corpus);
      const { open, decode, detect, align, encode } = made.seconds;
      const whole = first ?? datagen(corpus);
      if (run < 0) continue;
      const parts = decode + detect + align + encode;
      ours.push(corpus.faces / whole.seconds);
      cores.push(whole.cores);
      cpu.ours.push(corpus.faces / whole.cpuSeconds);
      cpu.theirs.push(corpus.faces / made.cpuSeconds);
      withOpening.push(corpus.faces / (open + parts));
      partsAlone.push(corpus.faces / parts);
    }
    const against = (theirs: readonly number[], mine: readonly number[] = ours) => ({
      ours: median(mine),
      theirs: median(theirs),
      n: RUNS,
    });
    yield figure('faces/datagen', 'its parts and their opening', 'faces/s', against(withOpening));
    // The nets are opened once a run, which is much of this short one and nothing of a long one.
    yield figure('faces/datagen, short run', 'its parts without opening', 'faces/s', against(partsAlone));
    // What others do on the same cores counts little here.
    yield figure(
      'faces/datagen, work',
      'its parts and their opening',
      'faces/CPU-s',
      against(cpu.theirs, cpu.ours),
    );
    yield figure('faces/datagen, busy', 'one core', 'cores', {
      ours: median(cores),
      theirs: 1,
      n: RUNS,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Photographs with the fates and files that a download would have left, and a train CSV that uses each face once. */
async function makeCorpus(folder: string): Promise<Corpus> {
  const manual = join(folder, 'manual');
  mkdirSync(manual, { recursive: true });
  const drawn = await Promise.all(Array.from({ length: DRAWN }, (_, i) => drawPhotograph(i)));
  const { journal, store } = openFetched(rawDirOf(join(folder, 'tmp'), 'fec'));
  const list: ListedPhotograph[] = [];
  const faces: string[] = [];
  for (let i = 0; i < PHOTOGRAPHS; i++) {
    const { jpeg, boxes } = drawn[i % DRAWN] as (typeof drawn)[number];
    const url = `http://farm${1 + (i % 9)}.staticflickr.com/${i}/${1_000_000 + i}_abcdef_b.jpg`;
    // Decoders read no farther than the end of the picture: the same pixels, another file.
    const file = Buffer.concat([jpeg, Buffer.from(`photograph ${i}`)]);
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
    list.push({ path: store.path(sha256), boxes });
    for (const { left, right, top, bottom } of boxes)
      faces.push(`"${url}",${left},${right},${top},${bottom}`);
  }
  await journal.close();
  const whole = faces.length - (faces.length % 3);
  const rows = Array.from({ length: whole / 3 }, (_, i) =>
    [...faces.slice(i * 3, i * 3 + 3), 'ONE_CLASS_TRIPLET', 1, 3, 2, 3, 3, 3, 4, 3, 5, 3, 6, 1].join(','),
  );
  writeFileSync(join(manual, FEC_FILES.train), `${rows.join('\n')}\n`);
  writeFileSync(join(manual, FEC_FILES.test), '');
  const listFile = join(folder, 'list.json');
  writeFileSync(listFile, JSON.stringify(list));
  return { folder, list: listFile, faces: whole };
}

function drawPhotograph(i: number): ReturnType<typeof renderPhotograph> {
  return renderPhotograph({
    seed: `bench faces ${i}`,
    // Flickr's `_b` size, which nearly all of FEC's addresses name.
    width: 1024,
    height: 683,
    faces: Array.from({ length: FACES_AS_IN_FEC[i % FACES_AS_IN_FEC.length] as number }, (_, face) => ({
      identity: `bench ${i} ${face}`,
      expression: 'smile',
      centreX: 0.2 + face * 0.3,
      centreY: 0.4 + (i % 3) * 0.1,
      height: 0.3 + (i % 4) * 0.05,
    })),
  });
}

/** Seconds of the whole process with its start, and the cores that were busy on average while it made the data. */
function datagen({ folder, faces }: Corpus): {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly cores: number;
} {
  const data = join(folder, 'data');
  rmSync(data, { recursive: true, force: true });
  rmSync(join(rawDirOf(join(folder, 'tmp'), 'fec'), 'prepared'), { recursive: true, force: true });
  const start = performance.now();
  const made = runNode([
    CLI,
    'datagen',
    'fec',
    ...['--manual-dir', join(folder, 'manual'), '--tmp-dir', join(folder, 'tmp'), '--data-dir', data],
    ...['--split', 'train', '--option', 'dev_fraction=0', '--align', 'expression128', '--workers', '2'],
    '--json',
  ]) as { cpuSeconds: number; seconds: number; splits: { train: { written: number } } };
  const seconds = (performance.now() - start) / 1000;
  const { written } = made.splits.train;
  if (written * 3 < faces * 0.95) throw new Error(`of ${faces / 3} triplets only ${written} were written`);
  return { seconds, cpuSeconds: made.cpuSeconds, cores: made.cpuSeconds / made.seconds };
}

interface MeasuredParts {
  readonly seconds: PartSeconds;
  readonly faces: number;
  readonly cpuSeconds: number;
}

function partsOf({ list, faces }: Corpus): MeasuredParts {
  const made = runNode([PARTS, list]) as MeasuredParts;
  if (made.faces < faces * 0.95) throw new Error(`of ${faces} faces only ${made.faces} were found`);
  return made;
}

/** Runs a script of ours and gives the JSON on its last line. */
function runNode(words: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${words.join(' ')} failed: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').pop() as string);
}
