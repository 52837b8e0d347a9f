/** Recordings that their publisher lists and does not give: counted, kept, asked for again, and made up for later. */

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeEegmmidbFiles } from '../../fixtures/eegmmidb_files.js';
import type { Fault } from '../../fixtures/faults.js';
import { type Physionet, physionetPath, startPhysionet } from '../../fixtures/physionet.js';
import { type CliResult, differences, filesOf, runCli } from '../../fixtures/run_cli.js';
import { readLedger } from './ledger.js';

const SLUG = 'eegmmidb';
const TRIALS = 3;
const DEAD: Fault = { kind: 'status', status: 404 };
/** Longer than a download waits for: refused at once, and worth asking again in a later run. */
const BUSY: Fault = { kind: 'status', status: 503, retryAfter: { seconds: 3600, as: 'seconds' } };

const folder = mkdtempSync(join(tmpdir(), 't2t-dead-files-'));
const calm = join(folder, 'calm');
const files = makeEegmmidbFiles({ subjects: [1, 2, 3], runs: [1, 4], trials: TRIALS });
const recordings = [...files.keys()].filter((name) => name.endsWith('R04.edf'));
const lost = recordings[1] as string;
const lostPath = physionetPath(SLUG, lost);
const faults = new Map<string, Fault>();
let server: Physionet;

beforeAll(async () => {
  server = await startPhysionet({ [SLUG]: files }, { faults });
  expect(trainOf(await run('calm'))).toMatchObject({ planned: 9, written: 9, rejected: {} });
});
afterEach(() => faults.clear());
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function from(name: string): string[] {
  return [
    '--json',
    ...['--mirror', server.mirror, '--allow-private-hosts', '--tmp-dir', join(folder, name, 'tmp')],
  ];
}

/** Seven shards: some hold windows of the recording that is lost, some do not. */
function run(name: string, ...more: string[]): Promise<CliResult> {
  const data = join(folder, name, 'data');
  const split = ['--split', 'train', '--option', 'dev_fraction=0', '--option', 'test_fraction=0'];
  const words = ['datagen', 'eeg_motor_imagery', '--shards', '7', '--workers', '1', ...split];
  return runCli([...words, '--data-dir', data, ...from(name), ...more]);
}

function trainOf(result: CliResult): unknown {
  expect(result.code, result.stderr).toBe(0);
  const { splits } = result.json as { splits: { train: unknown } };
  return splits.train;
}

function asksOf(path: string): number {
  return server.requests.filter(({ url }) => url.endsWith(path)).length;
}

interface Ledger {
  /** Another where the shard was made anew. */
  readonly identity: string;
  readonly keys: readonly string[];
  readonly rejects: readonly (readonly [reason: string, detail: string])[];
}

function ledgers(name: string): Map<string, Ledger> {
  const of = join(folder, name, 'data', 'eeg_motor_imagery.train.ledger');
  return new Map(
    readdirSync(of).map((file) => {
      const path = join(of, file);
      const { ino, mtimeMs } = statSync(path);
      const { lines } = readLedger(path);
      const rejects = lines.flatMap(({ rejected, detail }) =>
        rejected === undefined ? [] : [[rejected, detail ?? ''] as const],
      );
      return [file, { identity: `${ino} ${mtimeMs}`, keys: lines.map(({ key }) => key), rejects }];
    }),
  );
}

function rejectsOf(name: string): unknown[] {
  return [...ledgers(name).values()].flatMap(({ rejects }) => rejects);
}

/** Expects that just the shards with windows of the lost recording were made anew, and all are those of a calm run now. */
function expectMadeUpFor(name: string, before: ReadonlyMap<string, Ledger>): void {
  const remade = [...ledgers(name)].filter(([file, { identity }]) => identity !== before.get(file)?.identity);
  const touched = [...before].filter(([, { rejects }]) => rejects.length > 0);
  expect(remade.map(([file]) => file)).toEqual(touched.map(([file]) => file));
  expect(touched.length).toBeLessThan(before.size);
  expect(differences(join(calm, 'data'), join(folder, name, 'data'))).toEqual([]);
}

test('a recording that is gone is counted, asked for again with --retry alone, and then written into its shards', async () => {
  faults.set(lostPath, DEAD);
  const counted = { planned: 9, written: 6, rejected: { 'dead-url': TRIALS } };
  const first = await run('gone');
  expect(trainOf(first)).toMatchObject(counted);
  expect(first.stderr.split('could not be fetched')).toHaveLength(2);
  expect(first.stderr).toContain(`the first is ${lost}: HTTP 404`);
  expect(rejectsOf('gone')).toEqual(
    Array.from({ length: TRIALS }, () => ['dead-url', expect.stringContaining(`${lost}: HTTP 404`)]),
  );

  const asked = asksOf(lostPath);
  const before = ledgers('gone');
  const again = await run('gone');
  expect(trainOf(again)).toMatchObject(counted);
  expect(again.stderr).not.toContain('could not be fetched');
  expect(asksOf(lostPath)).toBe(asked);
  expect(ledgers('gone')).toEqual(before);

  faults.clear();
  expect(trainOf(await run('gone', '--retry', 'dead'))).toMatchObject({ written: 9, rejected: {} });
  expectMadeUpFor('gone', before);
});

test('a recording that a busy host refuses is asked for again by every run, and written once it comes', async () => {
  faults.set(lostPath, BUSY);
  expect(trainOf(await run('busy'))).toMatchObject({
    planned: 9,
    written: 6,
    rejected: { throttled: TRIALS },
  });
  const before = ledgers('busy');
  const asked = asksOf(lostPath);
  expect(trainOf(await run('busy'))).toMatchObject({ written: 6, rejected: { throttled: TRIALS } });
  expect(asksOf(lostPath)).toBeGreaterThan(asked);
  expect(ledgers('busy')).toEqual(before);
  faults.clear();
  expect(trainOf(await run('busy'))).toMatchObject({ written: 9, rejected: {} });
  expectMadeUpFor('busy', before);
});

test('a recording that `download` brings, past others that are gone, is seen by the next run', async () => {
  faults.set(lostPath, DEAD);
  expect(trainOf(await run('brought'))).toMatchObject({ rejected: { 'dead-url': TRIALS } });
  const before = ledgers('brought');
  faults.clear();
  faults.set(physionetPath(SLUG, 'S001/S001R01.edf'), DEAD);
  const download = await runCli(['download', SLUG, ...from('brought')]);
  expect(download.code).toBe(1);
  expect(download.stderr).toContain('HTTP 404');
  expect(trainOf(await run('brought'))).toMatchObject({ written: 9, rejected: {} });
  expectMadeUpFor('brought', before);
});

test('where no recording at all can be had the run ends with one sentence, and the next one goes on', async () => {
  for (const name of recordings) faults.set(physionetPath(SLUG, name), DEAD);
  const nothing = await run('nothing');
  expect(nothing.code).toBe(1);
  expect(nothing.stderr.match(/^t2t-ts:.*$/gm)).toEqual([
    expect.stringContaining('none of the files can be fetched that the examples are made of: HTTP 404'),
  ]);
  expect(
    [...filesOf(join(folder, 'nothing', 'data')).keys()].filter((file) => /-of-00007$/.test(file)),
  ).toEqual([]);
  faults.clear();
  expect(trainOf(await run('nothing'))).toMatchObject({ written: 9, rejected: {} });
  expect(differences(join(calm, 'data'), join(folder, 'nothing', 'data'))).toEqual([]);
});
