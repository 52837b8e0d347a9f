import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectToOf } from '../../fixtures/fault_plan.js';
import { type FaultServer, startFaultServer } from '../../fixtures/fault_server.js';
import { type FecCorpus, makeFecCorpus, readFecCorpusFiles } from '../../fixtures/fec_corpus.js';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { seededRandom } from '../io/random.js';
import { rawDirOf } from './raw_data.js';

const KILLS = 20;
const folder = mkdtempSync(join(tmpdir(), 't2t-kill-'));
const manual = join(folder, 'manual');
let corpus: FecCorpus;
let files: Map<string, string>;

beforeAll(async () => {
  mkdirSync(manual);
  corpus = await makeFecCorpus({ folder: manual, photographs: 240, triplets: { train: 700, test: 200 } });
  files = await readFecCorpusFiles(manual);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function command(server: FaultServer, out: string, workers: number): string[] {
  const connectTo = Object.entries(connectToOf(corpus, server.port));
  return [
    'datagen',
    'fec',
    ...['--manual-dir', manual, '--data-dir', join(out, 'data'), '--tmp-dir', join(out, 'tmp')],
    ...[
      '--workers',
      String(workers),
      '--shards',
      '6',
      '--option',
      'dev_fraction=0.05',
      '--option',
      'dev_loss=0.5',
    ],
    ...connectTo.flatMap(([host, address]) => ['--connect-to', `${host}=${address}`]),
    '--json',
  ];
}

/** URLs that the journals say are here: those must never be asked for again. */
function journaled(out: string): Set<string> {
  const urls = new Set<string>();
  const journal = join(rawDirOf(join(out, 'tmp'), 'fec'), 'journal');
  let names: string[] = [];
  try {
    names = readdirSync(journal);
  } catch {
    return urls; // Killed before the first fate.
  }
  for (const name of names) {
    for (const line of readFileSync(join(journal, name), 'utf8').split('\n').slice(0, -1)) {
      const fate = JSON.parse(line) as { url: string; status: string };
      if (fate.status === 'ok') urls.add(fate.url);
    }
  }
  return urls;
}

test.each([1, 2])(
  `killed at ${KILLS} random moments and started again, with %i worker(s): the same bytes, and no finished picture is asked for again`,
  async (workers) => {
    const server = await startFaultServer({ files });
    try {
      const calm = join(folder, `calm-${workers}`);
      const startedMs = performance.now();
      const undisturbed = await runCli(command(server, calm, workers));
      const wholeMs = performance.now() - startedMs;
      expect(undisturbed.code, undisturbed.stderr).toBe(0);

      const out = join(folder, `killed-${workers}`);
      const random = seededRandom(`kills ${workers}`);
      let killed = 0;
      let askedAgain: string[] = [];
      // Moments are spread over the whole run; what is done shortens the next one, so some runs end before their kill.
      for (let attempt = 0; killed < KILLS && attempt < KILLS * 4; attempt++) {
        const known = journaled(out);
        const hitsBefore = new Map(server.hits);
        // A run that had finished starts over from its shards: the later stages get their share of kills.
        if (attempt % 7 === 6) rmSync(join(out, 'data'), { recursive: true, force: true });
        if (attempt % 7 === 3)
          rmSync(join(rawDirOf(join(out, 'tmp'), 'fec'), 'prepared'), { recursive: true, force: true });
        const afterMs = random.next() * wholeMs;
        const result = await runCli(command(server, out, workers), {
          started: (child) => {
            setTimeout(() => child.kill('SIGKILL'), afterMs);
          },
        });
        if (result.signal === 'SIGKILL') killed += 1;
        else expect(result.code, result.stderr).toBe(0);
        askedAgain = askedAgain.concat(
          [...known].filter((url) => (server.hits.get(url) ?? 0) > (hitsBefore.get(url) ?? 0)),
        );
      }
      const last = await runCli(command(server, out, workers));
      expect(last.code, last.stderr).toBe(0);
      expect(killed).toBe(KILLS);
      expect(askedAgain).toEqual([]);
      expect(differences(join(calm, 'data'), join(out, 'data'))).toEqual([]);
      const verified = await runCli(['verify', join(out, 'data'), '--json']);
      expect(verified.json).toMatchObject({ ok: true });
      console.log(`killed ${killed} times with ${workers} worker(s): bytes equal, nothing asked for again`);
    } finally {
      await server.close();
    }
  },
);

test('one worker and two, and tasks on their own, make the same bytes', async () => {
  const server = await startFaultServer({ files });
  try {
    const out = join(folder, 'tasks');
    for (const task of ['2/3', '0/3', '1/3']) {
      const part = await runCli([...command(server, out, 2), '--task', task]);
      expect(part.code, part.stderr).toBe(0);
    }
    expect((await runCli(['verify', join(out, 'data')])).code).toBe(1);
    const finished = await runCli(['finish', join(out, 'data'), 'fec']);
    expect(finished.code, finished.stderr).toBe(0);
    expect(differences(join(folder, 'calm-1', 'data'), join(folder, 'calm-2', 'data'))).toEqual([]);
    expect(differences(join(folder, 'calm-1', 'data'), join(out, 'data'))).toEqual([]);
  } finally {
    await server.close();
  }
});
