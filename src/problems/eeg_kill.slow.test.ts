import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { makeEegmmidbFiles } from '../../fixtures/eegmmidb_files.js';
import type { Fault } from '../../fixtures/faults.js';
import { type Physionet, physionetPath, startPhysionet } from '../../fixtures/physionet.js';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { seededRandom } from '../io/random.js';
import { EegRuns } from './eeg_run.test.helper.js';

const KILLS = 12;
const runs = new EegRuns();
afterAll(() => runs.remove());

const files = makeEegmmidbFiles({ subjects: [1, 2, 3, 4, 5, 6], runs: [4, 8], trials: 4 });
const names = [...files.keys()].filter((name) => name.endsWith('.edf'));

function command(server: Physionet, out: string): string[] {
  return [
    ...['datagen', 'eeg_motor_imagery', '--json', '--workers', '2', '--shards', '3'],
    ...['--import', fileURLToPath(new URL('./eeg_motor_imagery.js', import.meta.url))],
    ...['--mirror', server.mirror, '--allow-private-hosts'],
    ...['--data-dir', join(out, 'data'), '--tmp-dir', join(out, 'tmp')],
  ];
}

test(`killed at ${KILLS} random moments over a server with bad moments: the same bytes, no whole file is asked for again`, async () => {
  const faults = new Map<string, Fault>(
    names.flatMap((name, i): [string, Fault][] => {
      const path = physionetPath('eegmmidb', name);
      if (i % 3 === 0) return [[path, { kind: 'reset-mid-body', first: 2 }]];
      return i % 3 === 1 ? [[path, { kind: 'status', status: 503, first: 1 }]] : [];
    }),
  );
  const calmServer = await startPhysionet({ eegmmidb: files });
  const server = await startPhysionet({ eegmmidb: files }, { faults });
  try {
    const calm = join(runs.root, 'calm');
    const startedMs = performance.now();
    const undisturbed = await runCli(command(calmServer, calm));
    const wholeMs = performance.now() - startedMs;
    expect(undisturbed.code, undisturbed.stderr).toBe(0);

    const out = join(runs.root, 'killed');
    const raw = join(out, 'tmp', 'eegmmidb');
    const random = seededRandom('eeg kills');
    let killed = 0;
    let askedAgain: string[] = [];
    for (let attempt = 0; killed < KILLS && attempt < KILLS * 4; attempt++) {
      // A run that had finished starts over: the later stages get their share of kills.
      if (attempt % 5 === 4) rmSync(join(out, 'data'), { recursive: true, force: true });
      if (attempt % 5 === 2) rmSync(join(raw, 'prepared'), { recursive: true, force: true });
      if (attempt % 5 === 3) for (const name of names.slice(0, 6)) rmSync(join(raw, name), { force: true });
      const here = names.filter((name) => existsSync(join(raw, name)));
      const before = server.requests.length;
      const afterMs = random.next() * wholeMs;
      const result = await runCli(command(server, out), {
        started: (child) => {
          setTimeout(() => child.kill('SIGKILL'), afterMs);
        },
      });
      if (result.signal === 'SIGKILL') killed += 1;
      else expect(result.code, result.stderr).toBe(0);
      const asked = server.requests.slice(before).map(({ url }) => url);
      askedAgain = askedAgain.concat(here.filter((name) => asked.some((url) => url.endsWith(`/${name}`))));
    }
    const last = await runCli(command(server, out));
    expect(last.code, last.stderr).toBe(0);
    expect(killed).toBe(KILLS);
    expect(askedAgain).toEqual([]);
    expect(differences(join(calm, 'data'), join(out, 'data'))).toEqual([]);
    const verified = await runCli(['verify', join(out, 'data'), '--json']);
    expect(verified.json).toMatchObject({ ok: true });
    console.log(`killed ${killed} times: bytes equal, no whole file asked for again`);
  } finally {
    await server.close();
    await calmServer.close();
  }
});
