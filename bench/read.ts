/** Splits read in random order, stored, parsed and decoded: ours against tf.data and against WebDataset over the same records. */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '../src/problems/problem.js';
import { openExamples } from '../src/reading/examples.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { type PythonLines, startPython } from './python_lines.js';
import { type ReadCorpus, writeTriplets, writeWindows } from './read_corpus.js';
import { type PeerKind, type PeerWork, READ_PEERS } from './read_peers.js';
import { BenchTriplets, BenchWindows } from './read_problems.js';

/** Items that are put together, for us and for the peers: each hands out batches, as a training loop asks for them. */
const BATCH = 32;

interface Comparison {
  readonly bench: string;
  readonly problem: Problem;
  readonly corpus: ReadCorpus;
  readonly work: PeerWork;
  /** Times that the corpus is gone through in a run, so that one takes some tenths of a second. */
  readonly epochs: number;
  readonly peers: readonly PeerKind[];
}

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-read-'));
  try {
    const triplets = await writeTriplets(join(folder, 'triplets'));
    const windows = await writeWindows(join(folder, 'windows'));
    const [faces, eeg] = [new BenchTriplets(), new BenchWindows()];
    const both = ['tf.data', 'webdataset'] as const;
    const comparisons: readonly Comparison[] = [
      {
        bench: 'read/triplets-records',
        problem: faces,
        corpus: triplets,
        work: 'records',
        epochs: 8,
        peers: both,
      },
      {
        bench: 'read/triplets-parsed',
        problem: faces,
        corpus: triplets,
        work: 'parsed',
        epochs: 8,
        peers: ['tf.data'],
      },
      {
        bench: 'read/triplets-decoded',
        problem: faces,
        corpus: triplets,
        work: 'decoded',
        epochs: 1,
        peers: both,
      },
      {
        bench: 'read/windows-records',
        problem: eeg,
        corpus: windows,
        work: 'records',
        epochs: 4,
        peers: both,
      },
      {
        bench: 'read/windows-decoded',
        problem: eeg,
        corpus: windows,
        work: 'decoded',
        epochs: 4,
        peers: both,
      },
    ];
    for (const peer of both) yield* against(peer, comparisons);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* against(
  peer: PeerKind,
  comparisons: readonly Comparison[],
): AsyncGenerator<BenchFigure | BenchMissing> {
  const python = startPython(['-c', READ_PEERS[peer]], { errors: 'ignore' });
  try {
    if ((await python.answer()) !== 'ready') {
      yield { bench: 'read', missing: peer, reason: 'set T2T_PYTHON to a Python that has it' };
      return;
    }
    for (const comparison of comparisons)
      if (comparison.peers.includes(peer)) yield* compare(peer, python, comparison);
  } finally {
    python.process.kill();
  }
}

async function* compare(
  peer: PeerKind,
  python: PythonLines,
  { bench, problem, corpus, work, epochs }: Comparison,
): AsyncGenerator<BenchFigure> {
  const examples = await openExamples(problem, 'train', {
    dataDir: corpus.dataDir,
    workers: availableParallelism(),
    imports: [new URL('./read_problems.js', import.meta.url).href],
  });
  const batches: AsyncIterable<unknown> = {
    records: () => examples.raw().repeat(epochs).batch(BATCH).prefetch(2),
    parsed: () => examples.parsed().repeat(epochs).batch(BATCH).prefetch(2),
    decoded: () => examples.repeat(epochs).batch(BATCH).prefetch(2),
  }[work]();
  const total = corpus.records * epochs;
  try {
    const medians = await alternate({
      ours: async () => {
        let records = 0;
        for await (const batch of batches) records += sizeOf(batch);
        return checked(records, total);
      },
      theirs: async () => {
        python.ask(
          JSON.stringify({
            work,
            epochs,
            batch: BATCH,
            kind: corpus.kind,
            glob: corpus.glob,
            tars: corpus.tars,
          }),
        );
        return checked(Number(await python.answer()), total);
      },
    });
    yield figure(bench, peer, 'records/s', medians);
  } finally {
    await examples.close();
  }
}

/** A decoded batch has texts, one an example; the others are lists. */
function sizeOf(batch: unknown): number {
  const list = Array.isArray(batch) ? batch : (batch as { key: readonly string[] }).key;
  return list.length;
}

/** A reader that leaves some out must not look fast. */
function checked(records: number, wanted: number): number {
  if (records !== wanted) throw new Error(`${records} records of ${wanted}`);
  return records;
}
