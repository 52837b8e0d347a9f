import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EEGMMIDB_LABELS, makeEegmmidbFiles } from '../../../fixtures/eegmmidb_files.js';
import {
  type CorpusFiles,
  type Physionet,
  startPhysionet,
  writeCorpus,
} from '../../../fixtures/physionet.js';
import { sharedData } from '../../../fixtures/shared_data.js';
import { openEdfFile } from '../../io/edf.js';
import { UserError } from '../../io/errors.js';
import { testContext } from '../physionet/obtain_context.test.helper.js';
import { eegmmidbDataset } from './eegmmidb.js';
import { meaningOf, parseEventFile } from './events.js';
import { taskOfRun } from './tasks.js';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 't2t-eegmmidb-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function physionet(
  files: CorpusFiles,
  faults?: Parameters<typeof startPhysionet>[1],
): Promise<Physionet> {
  const server = await startPhysionet({ eegmmidb: files }, faults);
  cleanups.push(() => server.close());
  return server;
}

const corpus = makeEegmmidbFiles({ subjects: [1, 2, 88], runs: [1, 4, 5], trials: 2 });

describe('taskOfRun', () => {
  it('knows the fourteen runs of the protocol', () => {
    const runs = Array.from({ length: 14 }, (_, i) => taskOfRun(i + 1));
    expect(runs.map((task) => `${task?.manner} ${Object.values(task?.classes ?? {}).join(' ')}`)).toEqual([
      'none eyes_open',
      'none eyes_closed',
      ...Array.from({ length: 3 }, () => [
        'executed rest left_fist right_fist',
        'imagined rest left_fist right_fist',
        'executed rest both_fists both_feet',
        'imagined rest both_fists both_feet',
      ]).flat(),
    ]);
    for (const run of [0, 15, 3.5, Number.NaN]) expect(taskOfRun(run)).toBeUndefined();
  });

  it('gives no meaning to codes that a run has not', () => {
    expect(meaningOf('T1', 1)).toBeUndefined();
    expect(meaningOf('T3', 4)).toBeUndefined();
    expect(meaningOf('constructor', 4)).toBeUndefined();
  });
});

describe('eegmmidb', () => {
  it('lists recordings and events without fetching any signal', async () => {
    const server = await physionet(corpus);
    const context = testContext({ rawDir: folder(), mirror: server.mirror });
    const source = await eegmmidbDataset.obtain(context);
    expect(context.agreed).toBe(1);
    expect(source.recordings.map(({ id }) => id)).toEqual(
      ['S001', 'S002', 'S088'].flatMap((subject) => ['R01', 'R04', 'R05'].map((run) => subject + run)),
    );
    expect(context.fetched.filter((name) => name.endsWith('.edf'))).toEqual([]);
    const imagined = source.recordings[1]!;
    expect(imagined).toMatchObject({ subject: 'S001', run: 4, session: 'R04', fileName: 'S001/S001R04.edf' });
    const events = source.events(imagined);
    expect(events).toHaveLength(4);
    expect(events[0]).toEqual({ onset: 0, duration: 4.2, code: 'T0', meaning: 'rest' });
    expect(events[1]!.onset).toBeCloseTo(4.2, 2);
    expect(['left_fist', 'right_fist']).toContain(events[1]!.meaning);
    expect(source.events(source.recordings[0]!).map(({ meaning }) => meaning)).toEqual(['eyes_open']);
  });

  it('marks the subjects that were recorded at another rate', async () => {
    const server = await physionet(corpus);
    const source = await eegmmidbDataset.obtain(testContext({ rawDir: folder(), mirror: server.mirror }));
    const odd = source.recordings.filter(({ anomaly }) => anomaly !== undefined);
    expect(new Set(odd.map(({ subject }) => subject))).toEqual(new Set(['S088']));
    expect(odd[0]?.anomaly?.kind).toBe('sampling-rate');
  });

  it('fetches a part by --subjects, each file once, and reads it again from the disk', async () => {
    const server = await physionet(corpus);
    const context = testContext({ rawDir: folder(), mirror: server.mirror, subjects: ['2'] });
    const source = await eegmmidbDataset.obtain(context);
    expect(new Set(source.recordings.map(({ subject }) => subject))).toEqual(new Set(['S002']));
    const names = source.recordings.map(({ fileName }) => fileName);
    await eegmmidbDataset.obtainFiles(names, context);
    await eegmmidbDataset.obtainFiles(names, context);
    expect(new Set(context.fetched).size).toBe(context.fetched.length);
    expect(context.fetched.some((name) => name.includes('S001'))).toBe(false);
    const files = await eegmmidbDataset.openFiles({ rawDir: context.rawDir });
    for (const name of names)
      expect(Buffer.from((await files.read(name))!.bytes).equals(Buffer.from(corpus.get(name)!))).toBe(true);
    expect(eegmmidbDataset.identityOf?.(names[0]!)).toBe('S002');
  });

  it('refuses a file that is not what SHA256SUMS.txt says', async () => {
    const name = 'S001/S001R04.edf';
    const spoilt = Buffer.from(corpus.get(name)!);
    spoilt[9000]! ^= 1;
    const honest = await physionet(corpus);
    const lying = await startPhysionet({ eegmmidb: new Map([...corpus, [name, spoilt]]) });
    cleanups.push(() => lying.close());
    const rawDir = folder();
    // The list comes from the one server, the file from the other.
    await eegmmidbDataset.obtain(testContext({ rawDir, mirror: honest.mirror, subjects: ['S001'] }));
    const context = testContext({ rawDir, mirror: lying.mirror });
    await expect(eegmmidbDataset.obtainFiles([name], context)).rejects.toThrow('SHA-256');
    expect(existsSync(join(rawDir, name))).toBe(false);
  });

  it('gets everything in spite of a server with bad moments', async () => {
    const faults = new Map(
      [...corpus.keys()].map((name, i) => [
        `/files/eegmmidb/1.0.0/${name}`,
        (
          [
            { kind: 'reset-mid-body', first: 1 },
            { kind: 'truncate', first: 1 },
            { kind: 'status', status: 503, first: 1 },
          ] as const
        )[i % 3]!,
      ]),
    );
    const server = await physionet(corpus, { faults });
    const context = testContext({ rawDir: folder(), mirror: server.mirror });
    const source = await eegmmidbDataset.obtain(context);
    const names = source.recordings.map(({ fileName }) => fileName);
    await eegmmidbDataset.obtainFiles(names, context);
    for (const name of names)
      expect(readFileSync(join(context.rawDir, name)).equals(Buffer.from(corpus.get(name)!))).toBe(true);
  });

  it('stops at an abort and says which name is not listed', async () => {
    const server = await physionet(corpus);
    const stop = new AbortController();
    const context = testContext({ rawDir: folder(), mirror: server.mirror, signal: stop.signal });
    await expect(eegmmidbDataset.obtainFiles(['S001/S001R99.edf'], context)).rejects.toThrow('does not list');
    stop.abort(new Error('enough'));
    await expect(eegmmidbDataset.obtainFiles(['S001/S001R04.edf'], context)).rejects.toThrow('enough');
  });

  it('reads a folder of one’s own, nested as people unpack archives', async () => {
    const manualDir = folder();
    await writeCorpus(join(manualDir, 'physionet.org', 'files', 'eegmmidb', '1.0.0'), corpus);
    const context = testContext({ rawDir: folder(), manualDir });
    const source = await eegmmidbDataset.obtain(context);
    expect(source.recordings).toHaveLength(9);
    expect(source.events(source.recordings[1]!)).toHaveLength(4);
    await eegmmidbDataset.obtainFiles([source.recordings[1]!.fileName], context);
    expect(context.fetched).toEqual([]);
    const files = await eegmmidbDataset.openFiles({ rawDir: context.rawDir, manualDir });
    expect(files.path(source.recordings[1]!.fileName)).toBeDefined();
  });
});

describe('parseEventFile', () => {
  it('gives events or a UserError for any bytes', () => {
    const real = Buffer.from(corpus.get('S001/S001R04.edf.event')!);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(real);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const event of parseEventFile(bytes, { run: 4, where: 'x' }))
            expect(event.meaning).toBe(meaningOf(event.code, 4));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });

  const shared = sharedData('eeg-eegmmidb');
  for (const run of [3, 4, 7, 8, 11])
    it.skipIf(shared === undefined)(
      `gives the annotations of the true run ${run} (skipped where shared data is absent)`,
      async () => {
        const path = join(shared as string, `S001R${String(run).padStart(2, '0')}.edf`);
        const edf = await openEdfFile(path);
        try {
          expect(edf.signals.map(({ label }) => label)).toEqual(EEGMMIDB_LABELS);
          const annotations = await edf.annotations();
          const events = parseEventFile(readFileSync(`${path}.event`), { run, where: path });
          expect(events.map(({ onset, duration, code }) => ({ onset, duration, text: code }))).toEqual(
            annotations,
          );
        } finally {
          await edf.close();
        }
      },
    );

  it.skipIf(shared === undefined)(
    'reads the folder of true recordings as --manual-dir (skipped where shared data is absent)',
    async () => {
      const context = testContext({ rawDir: folder(), manualDir: shared as string });
      const source = await eegmmidbDataset.obtain(context);
      expect(source.recordings.map(({ id }) => id)).toEqual([
        'S001R03',
        'S001R04',
        'S001R07',
        'S001R08',
        'S001R11',
      ]);
    },
  );
});
