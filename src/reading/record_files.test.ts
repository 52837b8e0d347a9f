import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { writeFinishedSplit } from '../../fixtures/finished_split.js';
import { NumberedProblem, numbered } from '../../fixtures/numbered_problem.js';
import { recordsInBuffer } from '../io/tfrecord_reader.js';
import { openSplit } from './open_split.js';
import { RecordFiles } from './record_files.js';

const RECORDS = 400;
const folder = mkdtempSync(join(tmpdir(), 't2t-record-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const problem = new NumberedProblem();
writeFinishedSplit({
  problem,
  split: 'train',
  dataDir: folder,
  examples: RECORDS,
  shards: 90,
  // Some are longer than what lies between neighbours may be, and some than a run may be.
  example: (i) => ({
    ...numbered(i),
    blob: new Uint8Array(i % 50 === 7 ? 1_100_000 : i % 9 === 0 ? 9000 : 30).fill(i),
  }),
});
const split = await openSplit(problem, 'train', folder);
const stored = split.shards.flatMap(({ path }) =>
  [...recordsInBuffer(readFileSync(path))].map(({ data }) => Buffer.from(data)),
);

/** Reads that are all made here, and reads of which but the first are made side by side. */
const COLD_READS_MS = [Number.POSITIVE_INFINITY, -1e9];

test.each(COLD_READS_MS)(
  'any records in any order are those of the files, cold reads being of %i ms',
  async (coldReadMs) => {
    const files = new RecordFiles(split, { coldReadMs });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(RECORDS - 1), { maxLength: 40 }), async (records) => {
        const data = await files.read(records);
        expect(data).toHaveLength(records.length);
        const visited: Buffer[] = [];
        await files.visit(records, (slot, bytes) => {
          visited[slot] = Buffer.from(bytes);
        });
        for (const [i, record] of records.entries()) {
          expect(Buffer.compare(data[i]!, stored[record]!)).toBe(0);
          expect(Buffer.compare(visited[i]!, stored[record]!)).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
    files.close();
  },
);

test.each(COLD_READS_MS)('visits that wait may overlap, cold reads being of %i ms', async (coldReadMs) => {
  const files = new RecordFiles(split, { coldReadMs });
  const visit = async (first: number): Promise<void> => {
    const records = Array.from({ length: 30 }, (_, i) => first + i);
    await files.visit(records, async (slot, bytes) => {
      await sleep(slot % 3);
      expect(Buffer.compare(bytes, stored[first + slot]!)).toBe(0);
    });
  };
  await Promise.all([0, 10, 100, 200, 300].map(visit));
  files.close();
});

test.skipIf(process.platform !== 'linux').each(COLD_READS_MS)(
  'of 90 files 64 stay open, and none when it is closed, cold reads being of %i ms [needs /proc]',
  async (coldReadMs) => {
    const files = new RecordFiles(split, { coldReadMs });
    for (let turn = 0; turn < 2; turn++)
      for (let from = 0; from < RECORDS; from += 50)
        await files.read(Array.from({ length: 50 }, (_, i) => from + i));
    expect(openShards()).toBeLessThanOrEqual(64);
    expect(openShards()).toBeGreaterThan(32);
    files.close();
    expect(openShards()).toBe(0);
  },
);

test.skipIf(process.platform !== 'linux')(
  'closing waits for what is being read, and reopens nothing [needs /proc]',
  async () => {
    const files = new RecordFiles(split, { coldReadMs: -1e9 });
    const reading = files.read(Array.from({ length: RECORDS }, (_, i) => i));
    files.close();
    await Promise.allSettled([reading]);
    await expect(files.read([3])).rejects.toThrow(/the reader is closed/);
    expect(openShards()).toBe(0);
  },
);

function openShards(): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith(folder);
    } catch {
      return false; // The descriptor of the listing itself.
    }
  }).length;
}
