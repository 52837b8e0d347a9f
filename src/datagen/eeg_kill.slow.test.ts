/** EEG from a PhysioNet with bad days: killed runs are taken up again, and every loss is counted or said in one sentence. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeEegmmidbFiles } from '../../fixtures/eegmmidb_files.js';
import { startFaultServer } from '../../fixtures/fault_server.js';
import type { Fault } from '../../fixtures/faults.js';
import { type CorpusFiles, physionetPath, startPhysionet, sumsOf } from '../../fixtures/physionet.js';
import { type CliResult, differences, filesOf, runCli } from '../../fixtures/run_cli.js';
import { seededRandom } from '../io/random.js';
import { rawDirOf } from './raw_data.js';

const KILLS = 16;
const SHARD = /-\d{5}-of-\d{5}$/;
const SLUG = 'eegmmidb';
const folder = mkdtempSync(join(tmpdir(), 't2t-eeg-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = makeEegmmidbFiles({ subjects: [1, 2, 3, 4, 5, 6], runs: [4, 8], trials: 4 });
const recordings = [...files.keys()].filter((name) => name.endsWith('.edf'));

interface Place {
  readonly mirror: string;
  readonly out: string;
}

function command(problem: string, { mirror, out }: Place): string[] {
  const isTriplets = problem.endsWith('_triplets');
  const counts = isTriplets ? ['examples=60', 'dev_examples=10', 'test_examples=10'] : [];
  return [
    ...['datagen', problem, '--json', '--workers', '2', '--shards', '3'],
    ...counts.flatMap((option) => ['--option', option]),
    ...['--mirror', mirror, '--allow-private-hosts'],
    ...['--data-dir', join(out, 'data'), '--tmp-dir', join(out, 'tmp')],
  ];
}

function pathOf(out: string, name: string): string {
  return join(rawDirOf(join(out, 'tmp'), SLUG), ...name.split('/'));
}

interface Splits {
  readonly [split: string]: {
    readonly planned: number;
    readonly written: number;
    readonly rejected: Readonly<Record<string, number>>;
  };
}

/** Counts of all splits together; each split must add up. */
function countsOf(result: CliResult): { planned: number; written: number; rejected: Record<string, number> } {
  expect(result.code, result.stderr).toBe(0);
  const sum = { planned: 0, written: 0, rejected: {} as Record<string, number> };
  for (const { planned, written, rejected } of Object.values(result.json?.splits as Splits)) {
    expect(written + Object.values(rejected).reduce((all, count) => all + count, 0)).toBe(planned);
    sum.planned += planned;
    sum.written += written;
    for (const [reason, count] of Object.entries(rejected))
      sum.rejected[reason] = (sum.rejected[reason] ?? 0) + count;
  }
  return sum;
}

/** A run that failed: one sentence, no stack trace, exit code 1. */
function failureOf(result: CliResult): string {
  expect(result.code, result.stderr).toBe(1);
  expect(result.stderr).not.toMatch(/\n\s+at /);
  const [line = '', ...more] = result.stderr
    .split('\n')
    .filter((each) => each.startsWith('t2t-ts:') || /^error/i.test(each));
  expect(more).toEqual([]);
  return line;
}

const calm = {
  eeg_motor_imagery: join(folder, 'calm'),
  eeg_motor_imagery_triplets: join(folder, 'calm-triplets'),
};
let wholeMs = 0;

beforeAll(async () => {
  const server = await startPhysionet({ [SLUG]: files });
  try {
    for (const [problem, out] of Object.entries(calm)) {
      const startedMs = performance.now();
      countsOf(await runCli(command(problem, { mirror: server.mirror, out })));
      wholeMs = performance.now() - startedMs;
    }
  } finally {
    await server.close();
  }
});

test(`triplets killed at ${KILLS} random moments and requests: the same bytes, no finished file is asked for again`, async () => {
  const faults = new Map<string, Fault>(
    recordings.map((name, i): [string, Fault] => [
      physionetPath(SLUG, name),
      i % 2 === 0 ? { kind: 'reset-mid-body', first: 2 } : { kind: 'status', status: 503, first: 1 },
    ]),
  );
  let killAtRequest = Number.POSITIVE_INFINITY;
  let killNow = (): void => {};
  const server = await startPhysionet(
    { [SLUG]: files },
    {
      faults,
      onRequest: () => {
        killAtRequest -= 1;
        if (killAtRequest === 0) killNow();
      },
    },
  );
  try {
    const out = join(folder, 'killed');
    const words = command('eeg_motor_imagery_triplets', { mirror: server.mirror, out });
    const random = seededRandom('eeg kills');
    let killed = 0;
    const askedAgain: string[] = [];
    for (let attempt = 0; killed < KILLS && attempt < KILLS * 4; attempt++) {
      // A run that had finished starts over: each stage gets its share of kills.
      if (attempt % 5 === 4) rmSync(join(out, 'data'), { recursive: true, force: true });
      if (attempt % 5 === 2)
        rmSync(join(rawDirOf(join(out, 'tmp'), SLUG), 'prepared'), { recursive: true, force: true });
      if (attempt % 5 === 3)
        for (const name of recordings.slice(0, 6)) rmSync(pathOf(out, name), { force: true });
      const here = recordings.filter((name) => existsSync(pathOf(out, name)));
      const before = server.requests.length;
      const afterMs = random.next() * wholeMs;
      // By turns at a moment and at a request: those of a download are all in a small part of the run's time.
      killAtRequest = attempt % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + random.below(20);
      const result = await runCli(words, {
        started: (child) => {
          killNow = () => child.kill('SIGKILL');
          setTimeout(killNow, attempt % 2 === 0 ? afterMs : 2 * wholeMs);
        },
      });
      if (result.signal === 'SIGKILL') killed += 1;
      else expect(result.code, result.stderr).toBe(0);
      const asked = server.requests.slice(before).map(({ url }) => url);
      askedAgain.push(...here.filter((name) => asked.some((url) => url.endsWith(physionetPath(SLUG, name)))));
    }
    killAtRequest = Number.POSITIVE_INFINITY;
    countsOf(await runCli(words));
    expect(killed).toBe(KILLS);
    expect(askedAgain).toEqual([]);
    expect(differences(join(calm.eeg_motor_imagery_triplets, 'data'), join(out, 'data'))).toEqual([]);
    expect((await runCli(['verify', join(out, 'data'), '--json'])).json).toMatchObject({ ok: true });
    console.log(`killed ${killed} times: bytes equal, no finished file asked for again`);
  } finally {
    await server.close();
  }
});

describe('a bad day of PhysioNet', () => {
  test('throttling, resets, cut and overlong answers and ignored ranges cost time, not windows', async () => {
    const kinds: Fault[] = [
      { kind: 'status', status: 429, retryAfter: { seconds: 1, as: 'seconds' }, first: 2 },
      { kind: 'status', status: 503, first: 1 },
      { kind: 'reset-before-headers', first: 2 },
      { kind: 'reset-mid-body', first: 3 },
      { kind: 'truncate', first: 1 },
      { kind: 'lie-length', first: 1 },
      { kind: 'overrun', first: 1 },
      { kind: 'cut-chunks', first: 1 },
      { kind: 'empty', first: 1 },
      { kind: 'no-ranges' },
      { kind: 'etag-changes' },
      { kind: 'no-validator' },
    ];
    const faults = new Map(recordings.map((name, i) => [physionetPath(SLUG, name), kinds[i] as Fault]));
    const server = await startPhysionet({ [SLUG]: files }, { faults });
    try {
      const out = join(folder, 'bad-day');
      const words = command('eeg_motor_imagery', { mirror: server.mirror, out });
      let result = await runCli(words);
      // What could not be had in one go is said, and the same command goes on.
      for (let again = 0; result.code !== 0 && again < 3; again++) {
        failureOf(result);
        result = await runCli(words);
      }
      expect(countsOf(result).rejected).toEqual({});
      expect(differences(join(calm.eeg_motor_imagery, 'data'), join(out, 'data'))).toEqual([]);
    } finally {
      await server.close();
    }
  });

  test.each([
    ['another recording than SHA256SUMS.txt says', (bytes: Uint8Array) => flipped(bytes)],
    ['half of a recording', (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)],
    ['a web page that asks to log in', () => Buffer.from('<!doctype html><title>Log in</title>')],
  ])(
    '%s is one clear error that names the file, and is never used; what is whole stays',
    async (name, spoil) => {
      const bad = recordings[3] as string;
      const served = new Map(files).set(bad, spoil(files.get(bad) as Uint8Array));
      const out = join(folder, name.replaceAll(' ', '-'));
      await withServer(served, sumsOf(files), async (mirror) => {
        const line = failureOf(await runCli(command('eeg_motor_imagery', { mirror, out })));
        expect(line).toContain(bad.split('/')[1]);
        expect(existsSync(pathOf(out, bad))).toBe(false);
        expect([...filesOf(join(out, 'data')).keys()].filter((each) => SHARD.test(each))).toEqual([]);
      });
      await withServer(files, sumsOf(files), async (mirror, asked) => {
        const whole = recordings.filter((each) => existsSync(pathOf(out, each)));
        expect(whole.length).toBeGreaterThan(0);
        countsOf(await runCli(command('eeg_motor_imagery', { mirror, out })));
        expect(
          asked().filter((url) => whole.some((each) => url.endsWith(physionetPath(SLUG, each)))),
        ).toEqual([]);
        expect(differences(join(calm.eeg_motor_imagery, 'data'), join(out, 'data'))).toEqual([]);
      });
    },
  );

  test('nothing where a recording should be costs its windows alone, and gives them back with --retry', async () => {
    const gone = recordings[3] as string;
    const served = new Map([...files].filter(([name]) => name !== gone));
    const out = join(folder, 'gone');
    await withServer(served, sumsOf(files), async (mirror) => {
      const { rejected } = countsOf(await runCli(command('eeg_motor_imagery', { mirror, out })));
      expect(rejected).toEqual({ 'dead-url': 4 });
    });
    await withServer(files, sumsOf(files), async (mirror, asked) => {
      countsOf(await runCli([...command('eeg_motor_imagery', { mirror, out }), '--retry', 'dead']));
      expect(asked().filter((url) => url.endsWith('.edf'))).toEqual([
        expect.stringContaining(physionetPath(SLUG, gone)),
      ]);
      expect(differences(join(calm.eeg_motor_imagery, 'data'), join(out, 'data'))).toEqual([]);
    });
  });

  test('a recording that was published damaged is counted window by window, with the reason', async () => {
    const [cut, header, other] = [recordings[1], recordings[4], recordings[7]] as [string, string, string];
    const published = new Map<string, Uint8Array>(files);
    const bytesOf = (name: string): Uint8Array => files.get(name) as Uint8Array;
    published.set(cut, bytesOf(cut).subarray(0, Math.floor(bytesOf(cut).length * 0.6)));
    published.set(header, bytesOf(header).subarray(0, 700));
    published.set(other, Buffer.from('x'.repeat(20_000)));
    await withServer(published, sumsOf(published), async (mirror) => {
      const out = join(folder, 'published-damaged');
      const { planned, written, rejected } = countsOf(
        await runCli(command('eeg_motor_imagery', { mirror, out })),
      );
      const {
        'unreadable-recording': unreadable = 0,
        'outside-recording': outside = 0,
        ...others
      } = rejected;
      expect(others).toEqual({});
      expect(planned).toBe(recordings.length * 4);
      expect(unreadable).toBeGreaterThanOrEqual(8);
      expect(unreadable + outside).toBeLessThanOrEqual(12);
      expect(written).toBeGreaterThanOrEqual(planned - 12);
    });
  });

  test('a recording that SHA256SUMS.txt does not list is not asked for, and without any list nothing is', async () => {
    const unlisted = recordings[2] as string;
    const listed = new Map([...files].filter(([name]) => name !== unlisted));
    await withServer(files, sumsOf(listed), async (mirror, asked) => {
      const out = join(folder, 'unlisted');
      const { planned } = countsOf(await runCli(command('eeg_motor_imagery', { mirror, out })));
      expect(planned).toBe((recordings.length - 1) * 4);
      expect(asked().filter((url) => url.endsWith(physionetPath(SLUG, unlisted)))).toEqual([]);
    });
    for (const sums of [Buffer.from('<!doctype html><title>Moved</title>'), undefined])
      await withServer(files, sums, async (mirror, asked) => {
        const out = join(folder, `no-list-${sums === undefined}`);
        expect(failureOf(await runCli(command('eeg_motor_imagery', { mirror, out })))).toContain(
          'SHA256SUMS.txt',
        );
        expect(asked().filter((url) => url.endsWith('.edf'))).toEqual([]);
      });
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const at = bytes.length >> 1;
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

/** Serves files with a list that need not be theirs, or without one. */
async function withServer(
  corpus: CorpusFiles,
  sums: Uint8Array | undefined,
  use: (mirror: string, asked: () => string[]) => Promise<void>,
): Promise<void> {
  const named = [...corpus, ...(sums === undefined ? [] : ([['SHA256SUMS.txt', sums]] as const))];
  const served = new Map(named.map(([name, bytes]) => [physionetPath(SLUG, name), bytes]));
  const server = await startFaultServer({ files: served });
  try {
    await use(`${server.origin}/files/`, () => server.requests.map(({ url }) => url));
  } finally {
    await server.close();
  }
}
