import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { startPhysionet, writeCorpus } from '../../../fixtures/physionet.js';
import { sharedData } from '../../../fixtures/shared_data.js';
import { makeSleepEdfFiles } from '../../../fixtures/sleep_edf_files.js';
import { openEdfFile } from '../../io/edf.js';
import { testContext } from '../physionet/obtain_context.test.helper.js';
import { pairNights, sleepEdfDataset, sleepEdfName } from './sleep_edf.js';
import { EPOCH_SECONDS, sleepEpochs, sleepStageOf } from './sleep_epochs.js';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 't2t-sleep-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const corpus = makeSleepEdfFiles([
  { part: 'cassette', person: 0, night: 1 },
  { part: 'cassette', person: 0, night: 2 },
  { part: 'cassette', person: 1, night: 1 },
  { part: 'telemetry', person: 1, night: 1 },
]);

describe('sleepEdfName', () => {
  it('reads part, person and night', () => {
    expect(sleepEdfName('SC4001E0-PSG.edf')).toEqual({
      kind: 'psg',
      part: 'cassette',
      subject: 'SC400',
      night: 1,
      key: 'SC4001E',
    });
    expect(sleepEdfName('ST7242JA-Hypnogram.edf')).toMatchObject({
      kind: 'hypnogram',
      part: 'telemetry',
      subject: 'ST724',
      night: 2,
    });
    for (const name of ['SC4001E0-PSG.edf.bak', 'SC5001E0-PSG.edf', 'RECORDS', 'sc4001e0-psg.edf'])
      expect(sleepEdfName(name)).toBeUndefined();
  });
});

describe('pairNights', () => {
  it('pairs by what the names share, and tells files without a counterpart or with two', () => {
    const { recordings, alone } = pairNights([
      'SC4001E0-PSG.edf',
      'SC4001EC-Hypnogram.edf',
      'SC4011E0-PSG.edf',
      'SC4011EH-Hypnogram.edf',
      'copy/SC4011EJ-Hypnogram.edf',
      'SC4021E0-PSG.edf',
    ]);
    expect(recordings.map(({ id, hypnogramFile }) => [id, hypnogramFile])).toEqual([
      ['SC4001', 'SC4001EC-Hypnogram.edf'],
      ['SC4011', 'SC4011EH-Hypnogram.edf'],
    ]);
    expect(alone).toEqual(['copy/SC4011EJ-Hypnogram.edf', 'SC4021E0-PSG.edf']);
  });
});

describe('sleepEpochs', () => {
  it('merges stages 3 and 4, and leaves out movement and what nobody scored', () => {
    expect(
      ['W', '1', '2', '3', '4', 'R', '?', 'M'].map((stage) => sleepStageOf(`Sleep stage ${stage}`)),
    ).toEqual(['W', 'N1', 'N2', 'N3', 'N3', 'REM', undefined, undefined]);
    const { epochs, unscored } = sleepEpochs([
      { onset: 0, duration: 60, text: 'Sleep stage 2' },
      { onset: 60, duration: 30, text: 'Movement time' },
      { onset: 90, duration: 89.9, text: 'Sleep stage R' },
      { onset: 180, duration: 60, text: 'Sleep stage ?' },
      { onset: 0, text: 'Lights off' },
    ]);
    expect(epochs).toEqual([
      { onset: 0, stage: 'N2' },
      { onset: 30, stage: 'N2' },
      { onset: 90, stage: 'REM' },
      { onset: 120, stage: 'REM' },
    ]);
    expect(unscored).toBe(3);
  });

  it('keeps 30 minutes of wake at both ends, and nothing where nobody slept', () => {
    const hypnogram = [
      { onset: 0, duration: 30_000, text: 'Sleep stage W' },
      { onset: 30_000, duration: 300, text: 'Sleep stage 2' },
      { onset: 30_300, duration: 6_000, text: 'Sleep stage W' },
      { onset: 36_300, duration: 300, text: 'Sleep stage R' },
      { onset: 36_600, duration: 9_000, text: 'Sleep stage W' },
    ];
    const { epochs, trimmed } = sleepEpochs(hypnogram);
    expect(epochs[0]).toEqual({ onset: 28_200, stage: 'W' });
    expect(epochs.at(-1)).toEqual({ onset: 36_600 + 1_800 - EPOCH_SECONDS, stage: 'W' });
    expect(epochs).toHaveLength((36_600 + 1_800 - 28_200) / EPOCH_SECONDS);
    expect(epochs.length + trimmed).toBe(45_600 / EPOCH_SECONDS);
    expect(sleepEpochs(hypnogram, { edgeWakeMinutes: 0 }).epochs[0]?.onset).toBe(30_000);
    expect(sleepEpochs(hypnogram.slice(0, 1)).epochs).toEqual([]);
  });

  it('loses no scored epoch: kept and trimmed make all', () => {
    const stage = fc.constantFrom(
      'Sleep stage W',
      'Sleep stage 1',
      'Sleep stage 4',
      'Sleep stage ?',
      'Movement time',
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(stage, fc.nat(200)), { maxLength: 40 }),
        fc.nat(60),
        (parts, edgeWakeMinutes) => {
          let onset = 0;
          const hypnogram = parts.map(([text, epochs]) => {
            const annotation = { onset, duration: epochs * EPOCH_SECONDS, text };
            onset += epochs * EPOCH_SECONDS;
            return annotation;
          });
          const { epochs, unscored, trimmed } = sleepEpochs(hypnogram, { edgeWakeMinutes });
          expect(epochs.length + unscored + trimmed).toBe(onset / EPOCH_SECONDS);
          expect(epochs.every((epoch, i) => i === 0 || epoch.onset > epochs[i - 1]!.onset)).toBe(true);
        },
      ),
    );
  });

  const shared = sharedData('eeg-sleepedf', 'SC4001EC-Hypnogram.edf');
  it.skipIf(shared === undefined)(
    'reads a true hypnogram (skipped where shared data is absent)',
    async () => {
      const edf = await openEdfFile(shared as string);
      const { epochs, unscored } = sleepEpochs(await edf.annotations());
      await edf.close();
      const counts = Object.fromEntries(
        ['W', 'N1', 'N2', 'N3', 'REM'].map((stage) => [
          stage,
          epochs.filter((epoch) => epoch.stage === stage).length,
        ]),
      );
      // The counts that articles on this night give after the same trimming (e.g. DeepSleepNet’s and MNE’s tutorials).
      expect(counts).toEqual({ W: 188, N1: 58, N2: 250, N3: 220, REM: 125 });
      expect(epochs[0]?.onset).toBe(30_630 - 1_800);
      expect(unscored).toBeGreaterThanOrEqual(0);
    },
  );
});

describe('sleep_edf', () => {
  it('keeps cassette and telemetry apart, and fetches hypnograms only', async () => {
    const server = await startPhysionet({ 'sleep-edfx': corpus });
    cleanups.push(() => server.close());
    const context = testContext({ rawDir: folder(), mirror: server.mirror });
    const source = await sleepEdfDataset.obtain(context);
    expect(source.recordings.map(({ id, part, subject, night }) => [id, part, subject, night])).toEqual([
      ['SC4001', 'cassette', 'SC400', 1],
      ['SC4002', 'cassette', 'SC400', 2],
      ['SC4011', 'cassette', 'SC401', 1],
      ['ST7011', 'telemetry', 'ST701', 1],
    ]);
    expect(context.fetched.filter((name) => name.endsWith('PSG.edf'))).toEqual([]);
    const { epochs, unscored } = sleepEpochs(await source.hypnogram(source.recordings[3]!));
    expect(epochs).toHaveLength(22);
    expect(unscored).toBe(3);
    await sleepEdfDataset.obtainFiles([source.recordings[0]!.fileName], context);
    expect(context.fetched.filter((name) => name.endsWith('PSG.edf'))).toHaveLength(1);
    const files = await sleepEdfDataset.openFiles({ rawDir: context.rawDir });
    const psg = await openEdfFile(files.path(source.recordings[0]!.fileName) as string);
    expect(psg.signals[0]).toMatchObject({ label: 'EEG Fpz-Cz', samplingRate: 100 });
    await psg.close();
    expect(sleepEdfDataset.identityOf?.(source.recordings[0]!.fileName)).toBe('SC400');
  });

  it('reads a folder of one’s own and takes subjects by name and number', async () => {
    const manualDir = folder();
    await writeCorpus(manualDir, corpus);
    const named = await sleepEdfDataset.obtain(
      testContext({ rawDir: folder(), manualDir, subjects: ['ST701'] }),
    );
    expect(named.recordings.map(({ id }) => id)).toEqual(['ST7011']);
    const numbered = await sleepEdfDataset.obtain(
      testContext({ rawDir: folder(), manualDir, subjects: ['400'] }),
    );
    expect(numbered.recordings.map(({ id }) => id)).toEqual(['SC4001', 'SC4002']);
  });
});
