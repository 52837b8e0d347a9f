import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { runCli } from '../../fixtures/run_cli.js';
import { UserError } from '../io/errors.js';
import { EegFolder } from './eeg_folder.js';
import { EegRuns, examplesOf, peopleOf } from './eeg_run.test.helper.js';
import { withOptions } from './problem.js';

const runs = new EegRuns();
afterAll(() => runs.remove());

const labels = ['O1', 'O2'];

function eyes(seed: string, more: Partial<Parameters<typeof eyesRecording>[0]> = {}) {
  return eyesRecording({ seed, seconds: 20, labels, ...more });
}

test('a folder of recordings of many kinds gives windows of one kind, by the files’ own annotations', async () => {
  const folder = join(runs.root, 'recordings');
  const gaps = [{ before: 6, seconds: 3 }];
  for (const [name, bytes] of [
    ['anna/eyes.edf', makeEdf(eyes('a'))],
    ['bert/eyes.bdf', makeEdf(eyes('b', { format: 'BDF+C', samplingRate: 256 }))],
    ['carl/gap.edf', makeEdf({ ...eyes('c', { format: 'EDF+D' }), gaps })],
    ['dora/one.edf', makeEdf(eyes('d', { labels: ['O1'] }))],
    ['emil/cut.edf', makeEdf(eyes('e')).subarray(0, 9000)],
    ['fred/late.edf', makeEdf({ ...eyes('f'), annotations: [{ onset: 18, text: 'eyes open' }] })],
  ] as const) {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, bytes);
  }
  const from = ['--manual-dir', folder, '--option', 'channels=O1,O2', '--option', 'dev_fraction=0'];
  const made = await runs.datagen('own', 'eeg_folder', ...from);
  const all = Object.values(made.splits);
  const rejected: Record<string, number> = {};
  for (const split of all)
    for (const [reason, count] of Object.entries(split.rejected))
      rejected[reason] = (rejected[reason] ?? 0) + count;
  // In each of 20 s: two states of 10 s, two windows of 4 s in each. The gap of 3 s is inside the second one.
  expect(rejected).toEqual({ 'missing-channels': 4, 'unreadable-recording': 1, 'outside-recording': 2 });
  expect(made.notes).toContain('the classes are, from 0: eyes closed, eyes open');
  const examples = await examplesOf(withOptions(new EegFolder(), { channels: 'O1,O2' }), made.dataDir);
  expect(examples.map(({ key, label }) => `${key} ${label}`)).toEqual([
    'anna/eyes.edf:0:0 eyes closed',
    'anna/eyes.edf:0:1 eyes closed',
    'anna/eyes.edf:1:0 eyes open',
    'anna/eyes.edf:1:1 eyes open',
    'bert/eyes.bdf:0:0 eyes closed',
    'bert/eyes.bdf:0:1 eyes closed',
    'bert/eyes.bdf:1:0 eyes open',
    'bert/eyes.bdf:1:1 eyes open',
    'carl/gap.edf:0:0 eyes closed',
    'carl/gap.edf:1:0 eyes open',
    'carl/gap.edf:1:1 eyes open',
  ]);
  for (const { 'eeg/raw': raw, label, targets, 'eeg/sampling_rate': rate, recording } of examples) {
    expect(raw.length).toBe(2 * 512);
    expect(rate).toBe(128);
    expect(targets).toBe(label === 'eyes open' ? 1 : 0);
    // Alpha of ± 40 µV while the eyes are closed, noise of ± 8 µV otherwise.
    const power = raw.reduce((sum, value) => sum + value * value, 0) / raw.length;
    if (!recording.startsWith('carl')) expect(power > 200).toBe(label === 'eyes closed');
  }
  expect(peopleOf(examples).size).toBe(3);
});

test('labels of a table about whole recordings give all their windows, with all channels', async () => {
  const folder = join(runs.root, 'table');
  mkdirSync(folder);
  for (const name of ['a', 'b']) writeFileSync(join(folder, `${name}.edf`), makeEdf(eyes(name)));
  writeFileSync(join(folder, 'damaged.edf'), 'not a recording');
  writeFileSync(
    join(folder, 'labels.csv'),
    'file,subject,label,onset,duration\na.edf,P1,calm,,\nb.edf,P1,stressed,3,2\nb.edf,P1,other,3,\ndamaged.edf,P1,calm,,\n',
  );
  const options = { labels: 'stressed,calm', dev_fraction: 0, test_fraction: 0 };
  const words = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
  const made = await runs.datagen('labelled', 'eeg_folder', '--manual-dir', folder, ...words);
  expect(made.splits.train).toMatchObject({
    planned: 7,
    written: 6,
    rejected: { 'unreadable-recording': 1 },
  });
  expect(made.notes).toContain('train: 1 events have labels that are no class');
  const examples = await examplesOf(withOptions(new EegFolder(), options), made.dataDir);
  expect(examples.map(({ onset, targets }) => [onset, targets])).toEqual([
    [0, 1],
    [4, 1],
    [8, 1],
    [12, 1],
    [16, 1],
    [3, 0],
  ]);
  expect(examples[0]?.['eeg/channels']).toEqual(['O1', 'O2']);
  expect(examples[0]?.['eeg/positions'].length).toBe(6);
});

test('who is forgotten is named as the table names them, whatever their files are called', async () => {
  const folder = join(runs.root, 'named');
  mkdirSync(folder);
  for (const name of ['a', 'b']) writeFileSync(join(folder, `${name}.edf`), makeEdf(eyes(name)));
  writeFileSync(join(folder, 'labels.csv'), 'file,subject,label\na.edf,Zoë,calm\nb.edf,b,stressed\n');
  const words = ['--option', 'dev_fraction=0', '--option', 'test_fraction=0', '--manual-dir', folder];
  const made = await runs.datagen('named', 'eeg_folder', ...words);
  const places = ['--tmp-dir', join(runs.root, 'named-tmp'), '--manual-dir', folder];
  const forgotten = await runCli(['forget', made.dataDir, 'eeg_folder', '--subject', 'Zoë', ...places]);
  expect(forgotten.code, forgotten.stderr).toBe(0);
  const left = await examplesOf(new EegFolder(), made.dataDir);
  expect(left.map(({ recording }) => recording)).toEqual(left.map(() => 'b.edf'));
  expect(left.length).toBe(5);
});

test('a folder has no sampling rate of its own: one must be named', () => {
  expect(() => withOptions(new EegFolder(), { resample: 0 })).toThrow(UserError);
});
