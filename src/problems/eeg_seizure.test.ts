import { afterAll, expect, test } from 'vitest';
import { type ChbRecordingToMake, makeChbMitFiles } from '../../fixtures/chb_mit_files.js';
import { startPhysionet } from '../../fixtures/physionet.js';
import type { ChbMitRecording } from '../datasets/chb_mit/chb_mit.js';
import { CHB_MIT_CHANNELS } from '../datasets/chb_mit/montage.js';
import { canonicalChannel } from '../eeg/channel_names.js';
import type { WindowRow } from './eeg_recordings.js';
import { EegRuns, examplesOf, peopleOf } from './eeg_run.test.helper.js';
import { EegSeizure } from './eeg_seizure.js';
import { type RejectedRow, withOptions } from './problem.js';

const runs = new EegRuns();
afterAll(() => runs.remove());

const RECORDINGS: ChbRecordingToMake[] = [
  { name: 'chb01_01.edf', seconds: 40 },
  { name: 'chb01_03.edf', seconds: 40, seizures: [[8, 21]] },
  { name: 'chb02_16+.edf', seconds: 40, seizures: [[4, 12]] },
  { name: 'chb03_01.edf', seconds: 40, seizures: [[20, 28]], channels: ['F7-CS2', 'FP1-CS2'] },
  { name: 'chb21_01.edf', seconds: 40, seizures: [[4, 8]] },
  { name: 'chb24_01.edf', seconds: 40, seizures: [[17, 24]], isUnsummarized: true },
  { name: 'chb24_02.edf', seconds: 40 },
];

/** The made-up summaries say of every recording that it lasts an hour: here all last 44 seconds by the clock. */
function corpus(): Map<string, Uint8Array> {
  const files = new Map(makeChbMitFiles(RECORDINGS));
  for (const [name, bytes] of files)
    if (name.endsWith('-summary.txt'))
      files.set(name, Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('24:42:54', '23:43:38')));
  return files;
}

test('windows of seizures and of background are told apart, and what lies between is rejected', async () => {
  const server = await startPhysionet({ chbmit: corpus() });
  try {
    const options = ['background_per_seizure=0', 'dev_fraction=0', 'test_fraction=0.3'];
    const words = options.flatMap((option) => ['--option', option]);
    const from = ['--mirror', server.mirror, '--allow-private-hosts'];
    const made = await runs.datagen('all', 'eeg_seizure', ...from, ...words);
    const rejected: Record<string, number> = {};
    for (const split of Object.values(made.splits))
      for (const [reason, count] of Object.entries(split.rejected))
        rejected[reason] = (rejected[reason] ?? 0) + count;
    // A quarter of a window at the end of a seizure; a recording without the channels; a window past each end.
    expect(rejected).toEqual({ 'uncertain-label': 1, 'missing-channels': 1, 'outside-recording': 3 });
    const examples = await examplesOf(new EegSeizure(), made.dataDir);
    const seizures = examples.filter(({ targets }) => targets === 1);
    expect(seizures.map(({ key }) => key)).toEqual([
      'chb01_03@12',
      'chb01_03@16',
      'chb01_03@8',
      'chb02_16+@4',
      'chb02_16+@8',
      'chb21_01@4',
      'chb24_01@16',
      'chb24_01@20',
    ]);
    expect(examples.length - seizures.length).toBe(10 * 3 - 3 - 1 - 2 - 1);
    expect(examples.some(({ recording }) => recording === 'chb01_01')).toBe(false);
    const people = peopleOf(examples);
    expect([...people.keys()].sort()).toEqual(['chb01', 'chb02', 'chb24']);
    expect(new Set(people.values())).toEqual(new Set(['train', 'test']));
    for (const { 'eeg/raw': raw, 'eeg/channels': channels, label, onset, recording } of examples) {
      expect(channels).toEqual(CHB_MIT_CHANNELS.map(canonicalChannel));
      expect(raw.length).toBe(18 * 4 * 256);
      const most = raw.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
      // Spikes of 180 µV; next to a seizure the filter's ringing is left out.
      if (label === 'seizure') expect(most).toBeGreaterThan(80);
      else if (!(recording === 'chb01_03' && onset === 20) && onset > 30) expect(most).toBeLessThan(60);
    }
  } finally {
    await server.close();
  }
});

function hour(id: string, more: Partial<ChbMitRecording> = {}): ChbMitRecording {
  const name = id.slice(0, 5);
  const file = { fileName: `${name}/${id}.edf`, case: name, subject: name, channels: [], seconds: 3600 };
  return { id, ...file, seizures: [], disputed: [], ...more };
}

async function planOf(recordings: readonly ChbMitRecording[], options: Record<string, string | number>) {
  const problem = withOptions(new EegSeizure(), { dev_fraction: 0, test_fraction: 0, ...options });
  const notes: string[] = [];
  const rows: (WindowRow | RejectedRow)[] = [];
  const context = { seed: 0, note: (text: string) => notes.push(text) };
  for await (const row of problem.plan('train', { recordings }, context)) rows.push(row);
  return { rows, notes };
}

test('as much background is drawn as is asked for, from recordings with seizures or from all', async () => {
  const recordings = [hour('chb01_01'), hour('chb01_02', { seizures: [{ start: 400, end: 440 }] })];
  for (const [background_per_seizure, background_from, background] of [
    [0.5, 'all', 5],
    [5, 'seizure_recordings', 50],
    [0, 'seizure_recordings', 890],
    [0, 'all', 1790],
    [1000, 'all', 1790],
  ] as const) {
    const { rows, notes } = await planOf(recordings, { background_per_seizure, background_from });
    expect(rows.filter((row) => 'label' in row && row.label === 'background').length).toBe(background);
    expect(rows.filter((row) => 'label' in row && row.label === 'seizure').length).toBe(10);
    expect(notes.join()).toContain(`train has 10 windows of seizures and ${background} of`);
    if (background_from === 'seizure_recordings')
      expect(rows.every(({ key }) => key.startsWith('chb01_02'))).toBe(true);
    expect((await planOf(recordings, { background_per_seizure, background_from })).rows).toEqual(rows);
  }
});

test('nothing is called background or a seizure where the corpus’s sources disagree or do not tell', async () => {
  const { rows } = await planOf(
    [
      hour('chb01_01', { fault: '2 seizures begin and 1 end' }),
      hour('chb01_02', { seizures: [{ start: 402, end: 408 }], disputed: [{ start: 390, end: 402 }] }),
    ],
    { background_per_seizure: 0 },
  );
  const reasons = rows.flatMap((row) => ('rejected' in row ? [[row.key, row.rejected]] : []));
  expect(reasons).toEqual([
    ['chb01_01', 'uncertain-label'],
    ...[388, 392, 396, 400].map((onset) => [`chb01_02@${onset}`, 'uncertain-label']),
  ]);
  expect(rows.flatMap((row) => ('label' in row && row.label === 'seizure' ? [row.onset] : []))).toEqual([
    404,
  ]);
});
