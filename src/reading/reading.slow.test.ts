import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { headOf, sha256, writeFinishedManifest, writeFinishedSplit } from '../../fixtures/finished_split.js';
import { NumberedProblem, numbered } from '../../fixtures/numbered_problem.js';
import { indexName, shardName } from '../datagen/data_files.js';
import type { LedgerHead } from '../datagen/ledger.js';
import { createExampleEncoder } from '../io/example.js';
import { seededRandom } from '../io/random.js';
import { FRAMING_BYTES, frameRecord } from '../io/tfrecord.js';
import { writeFully } from '../io/write_fully.js';
import { openExamples } from './examples.js';
import { epochOrder } from './record_order.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-reading-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const problem = new NumberedProblem();

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

function runChild(
  name: string,
  words: readonly string[],
  started?: (child: ChildProcess) => void,
): Promise<Ended> {
  const path = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [path, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  started?.(child);
  let stdout = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout })));
}

test('killed at 20 random moments and resumed, with other numbers of threads: the same keys and draws', async () => {
  const dataDir = join(folder, 'kill');
  writeFinishedSplit({ problem, split: 'train', dataDir, examples: 5000, shards: 5, example: numbered });
  const [calmLog, log, state] = ['calm', 'log', 'state'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const startedMs = performance.now();
  expect(
    (await runChild('./read.test.child.js', [dataDir, join(folder, 'calm-state'), calmLog, '0'])).code,
  ).toBe(0);
  const wholeMs = performance.now() - startedMs;
  const undisturbed = readFileSync(calmLog, 'utf8');
  expect(undisturbed.split('\n')).toHaveLength(9000 + 1); // nine of ten records, twice
  const random = seededRandom('reader kills');
  let killed = 0;
  let ended = 0;
  for (let attempt = 0; killed < 20 && attempt < 100; attempt++) {
    const afterMs = random.next() * wholeMs;
    const words = [dataDir, state, log, String(random.below(3))];
    const { code, signal } = await runChild('./read.test.child.js', words, (child) => {
      setTimeout(() => child.kill('SIGKILL'), afterMs);
    });
    if (signal === 'SIGKILL') killed += 1;
    else {
      expect(code).toBe(0);
      expect(readFileSync(log, 'utf8')).toBe(undisturbed);
      ended += 1;
      rmSync(state);
    }
  }
  expect(killed).toBe(20);
  expect((await runChild('./read.test.child.js', [dataDir, state, log, '2'])).code).toBe(0);
  expect(readFileSync(log, 'utf8')).toBe(undisturbed);
  console.log(
    `killed ${killed} times, ended ${ended + 1} times: the sequence is that of the undisturbed run`,
  );
});

test.each([1, 4])(
  'for %i reader(s) an epoch’s order is uncorrelated to the plan, and has every record once',
  async (world) => {
    const records = 20_000;
    const dataDir = join(folder, 'shuffle');
    if (world === 1)
      writeFinishedSplit({
        problem,
        split: 'train',
        dataDir,
        examples: records,
        shards: 4,
        example: numbered,
      });
    const seen = new Uint8Array(records);
    for (let rank = 0; rank < world; rank++) {
      const examples = await openExamples(problem, 'train', { dataDir, workers: 0, rank, world });
      const order: number[] = [];
      for await (const { record } of examples.raw()) order.push(record);
      await examples.close();
      for (const record of order) seen[record]! += 1;
      const deviations = correlation(order);
      console.log(
        `reader ${rank} of ${world}: correlation of position and plan ${deviations.toFixed(2)} standard deviations of a random order's`,
      );
      expect(Math.abs(deviations)).toBeLessThan(4.5);
    }
    expect(seen.every((times) => times === 1)).toBe(true);
  },
);

/** Pearson's correlation of places and numbers, in standard deviations of that of a random order, 1 / √(n − 1). */
function correlation(order: readonly number[]): number {
  const n = order.length;
  const mean = order.reduce((sum, value) => sum + value, 0) / n;
  let [products, places, values] = [0, 0, 0];
  for (const [i, value] of order.entries()) {
    products += (i - (n - 1) / 2) * (value - mean);
    places += (i - (n - 1) / 2) ** 2;
    values += (value - mean) ** 2;
  }
  return (products / Math.sqrt(places * values)) * Math.sqrt(n - 1);
}

test('a reader with two threads over 50 GB stays under 300 MiB', async () => {
  const dataDir = join(folder, 'large');
  const wanted = 3000;
  const { bytes, records } = writeSparseSplit(dataDir, { shards: 10, shardBytes: 5e9, seed: 9, wanted });
  expect(bytes).toBeGreaterThan(5e10);
  const { code, stdout } = await runChild('./memory.test.child.js', [dataDir, '9', String(wanted)]);
  expect(code).toBe(0);
  const result = JSON.parse(stdout) as { records: number; distinct: number; length: number; peakMiB: number };
  expect(result).toMatchObject({ records: wanted, distinct: wanted, length: records });
  console.log(`${records} records, ${Math.round(bytes / 1e9)} GB: peak ${Math.round(result.peakMiB)} MiB`);
  expect(result.peakMiB).toBeLessThan(300);
});

/** A split of holes, but for the records that come first in the first epoch. */
function writeSparseSplit(
  dataDir: string,
  options: {
    readonly shards: number;
    readonly shardBytes: number;
    readonly seed: number;
    readonly wanted: number;
  },
): { bytes: number; records: number } {
  mkdirSync(dataDir);
  const { shards, shardBytes, seed, wanted } = options;
  const heads: LedgerHead[] = [];
  const places: { readonly shard: number; readonly offset: number; readonly length: number }[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const file = shardName(problem.name, 'train', shard, shards);
    let lines = '';
    let bytes = 0;
    const first = places.length;
    while (bytes < shardBytes) {
      // As triplets of JPEGs are long.
      const length = 20_000 + ((places.length * 7919) % 4001);
      lines += `${bytes} ${length}\n`;
      places.push({ shard, offset: bytes, length });
      bytes += length;
    }
    writeWhole(join(dataDir, indexName(file)), lines);
    const records = places.length - first;
    heads.push(
      headOf({
        shard: file,
        index: shard,
        of: shards,
        records,
        bytes,
        sha256: `${shard}`,
        indexSha256: sha256(lines),
      }),
    );
    const descriptor = openSync(join(dataDir, file), 'w');
    ftruncateSync(descriptor, bytes);
    closeSync(descriptor);
  }
  writeFinishedManifest({ problem, split: 'train', dataDir, heads });
  const order = epochOrder(places.length, { shuffle: 'global', seed, epoch: 0 });
  const encoder = createExampleEncoder(problem.features);
  for (let position = 0; position < wanted; position++) {
    const record = order(position);
    const { shard, offset, length } = places[record]!;
    const payload = length - FRAMING_BYTES;
    // With a blob of this size all lengths take as many bytes as with the final one.
    const nearly = encoder.encode({ ...numbered(record), blob: new Uint8Array(payload - 500) }).length;
    const blob = new Uint8Array(payload - 500 + (payload - nearly));
    const descriptor = openSync(join(dataDir, heads[shard]!.shard), 'r+');
    writeSync(descriptor, frameRecord(encoder.encode({ ...numbered(record), blob })), 0, length, offset);
    closeSync(descriptor);
  }
  return { bytes: heads.reduce((sum, head) => sum + head.bytes, 0), records: places.length };
}

function writeWhole(path: string, text: string): void {
  const descriptor = openSync(path, 'w');
  writeFully(descriptor, Buffer.from(text));
  closeSync(descriptor);
}
