import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { featuresToJson } from '../io/features.js';
import { seededRandom } from '../io/random.js';
import { CONVERSION_FORMATS } from './formats.js';
import { makeSmallSplit, SMALL_FEATURES, writeSmallFile } from './small_split.test.helper.js';

const KILLS = 5;
const COUNT = 3000;
const folder = mkdtempSync(join(tmpdir(), 't2t-convert-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let dataDir: string;
beforeAll(async () => {
  dataDir = await makeSmallSplit(folder, { count: COUNT, shards: 12 });
});

/** When each file that a run has finished was written. */
function finishedIn(outDir: string): Map<string, number> {
  try {
    const names = readdirSync(outDir).filter((name) => /^small-train-.*\.(tar|parquet)$/.test(name));
    return new Map(names.map((name) => [name, statSync(join(outDir, name)).mtimeMs]));
  } catch {
    return new Map();
  }
}

/**
 * Kills runs of a command at random moments until `KILLS` were killed, then lets one end, and compares what is in its
 * folder with what an undisturbed run has put there.
 */
async function expectSameBytes(words: (out: string) => readonly string[], name: string): Promise<string> {
  const calm = join(folder, `calm-${name}`);
  const startedMs = performance.now();
  const undisturbed = await runCli(words(calm));
  expect(undisturbed.code, undisturbed.stderr).toBe(0);
  const wholeMs = performance.now() - startedMs;
  const out = join(folder, `killed-${name}`);
  const random = seededRandom(`kills of ${name}`);
  let killed = 0;
  // What is done shortens the next run, so some end before their kill: those start from nothing.
  for (let attempt = 0; killed < KILLS && attempt < KILLS * 6; attempt++) {
    const { signal, code, stderr } = await runCli(words(out), {
      started: (child) => {
        setTimeout(() => child.kill('SIGKILL'), (0.2 + 0.8 * random.next()) * wholeMs);
      },
    });
    if (signal === 'SIGKILL') killed += 1;
    else {
      expect(code, stderr).toBe(0);
      rmSync(out, { recursive: true });
    }
  }
  expect(killed).toBe(KILLS);
  const last = await runCli(words(out));
  expect(last.code, last.stderr).toBe(0);
  expect(differences(calm, out)).toEqual([]);
  return out;
}

test.each(CONVERSION_FORMATS)(
  `convert to %s, killed at ${KILLS} random moments and started again, makes the same bytes`,
  async (to) => {
    const words = (outDir: string): string[] => {
      return ['convert', dataDir, 'small', '--to', to, '--out', outDir, '--workers', '2', '--json'];
    };
    const out = await expectSameBytes(words, to);
    // Once more: everything is there, and nothing is made anew.
    const before = finishedIn(out);
    expect((await runCli(words(out))).json).toMatchObject({ splits: { train: { made: 0 } } });
    expect(finishedIn(out)).toEqual(before);
  },
);

test(`import, killed at ${KILLS} random moments and started again, makes the same bytes`, async () => {
  const source = join(folder, 'source.tfrecord');
  writeSmallFile(source, COUNT);
  const spec = join(folder, 'spec.json');
  writeFileSync(spec, JSON.stringify(featuresToJson(SMALL_FEATURES)));
  const words = (out: string): string[] => [
    ...[
      'import',
      source,
      '--name',
      'again',
      '--features',
      spec,
      '--data-dir',
      out,
      '--shards',
      '9',
      '--json',
    ],
  ];
  const out = await expectSameBytes(words, 'import');
  expect((await runCli(['verify', out, '--json'])).json).toMatchObject({ ok: true, records: COUNT });
});
