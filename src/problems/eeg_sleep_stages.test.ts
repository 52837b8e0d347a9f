import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Physionet, startPhysionet } from '../../fixtures/physionet.js';
import { makeSleepEdfFiles, TYPICAL_NIGHT } from '../../fixtures/sleep_edf_files.js';
import { readSignal } from '../eeg/read_signal.js';
import { signalTensor } from '../eeg/signal.js';
import { applySteps } from '../eeg/steps.js';
import { cutWindow } from '../eeg/windows.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { EegRelativePositioning } from './eeg_relative_positioning.js';
import { EegRuns, examplesOf, peopleOf } from './eeg_run.test.helper.js';
import { EegSleepStages, EegSleepStagesTelemetry } from './eeg_sleep_stages.js';
import { EegSleepStagesTriplets } from './eeg_sleep_stages_triplets.js';
import { withOptions } from './problem.js';

/** Five people at home, one of them for two nights, and two in hospital. */
const files = makeSleepEdfFiles([
  ...[0, 1, 2, 3, 4].map((person) => ({ part: 'cassette', person, night: 1 }) as const),
  { part: 'cassette', person: 0, night: 2 },
  { part: 'telemetry', person: 1, night: 1 },
  { part: 'telemetry', person: 2, night: 1 },
]);
const runs = new EegRuns();
let server: Physionet;
let from: string[];
beforeAll(async () => {
  server = await startPhysionet({ 'sleep-edfx': files });
  from = ['--mirror', server.mirror, '--allow-private-hosts'];
});
afterAll(async () => {
  await server.close();
  runs.remove();
});

const STAGES: Readonly<Record<string, string>> = {
  W: 'W',
  '1': 'N1',
  '2': 'N2',
  '3': 'N3',
  '4': 'N3',
  R: 'REM',
};

test('epochs have the hypnogram’s stages and the recording’s values; people are on one side for every Problem', async () => {
  const made = await runs.datagen('stages', 'eeg_sleep_stages', { raw: 'raw' }, ...from);
  const epochs = TYPICAL_NIGHT.flatMap(([stage, count]) =>
    Array<string | undefined>(count).fill(STAGES[stage]),
  );
  const scored = epochs.filter((stage) => stage !== undefined).length;
  const written = Object.values(made.splits).reduce((sum, split) => sum + split.written, 0);
  expect(written).toBe(6 * scored);
  const examples = await examplesOf(new EegSleepStages(), made.dataDir);
  for (const { onset, label, targets } of examples) {
    expect(label).toBe(epochs[onset / 30]);
    expect(targets).toBe(['W', 'N1', 'N2', 'N3', 'REM'].indexOf(label));
  }
  const people = peopleOf(examples);
  expect([...people.keys()].sort()).toEqual(['SC400', 'SC401', 'SC402', 'SC403', 'SC404']);
  expect(new Set(people.values())).toEqual(new Set(['train', 'dev', 'test']));

  const raw = files.get('sleep-cassette/SC4002E0-PSG.edf') as Uint8Array;
  const { steps } = new EegSleepStages().settings;
  const signal = applySteps(
    await readSignal(await openEdf(bufferSource(raw)), { channels: ['Fpz-Cz', 'Pz-Oz'] }),
    steps,
  );
  for (const example of examples.filter(({ recording }) => recording === 'SC4002')) {
    const cut = { stretch: 0, fromSample: example.onset * 100, samples: 3000, onset: example.onset };
    expect(example['eeg/raw']).toEqual(signalTensor(cutWindow(signal, cut)));
    expect(example['eeg/channels']).toEqual(['Fpz-Cz', 'Pz-Oz']);
  }

  const options = { tau_minus: 240, examples: 300, dev_examples: 40, test_examples: 40 };
  const words = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
  const near = await runs.datagen('positions', 'eeg_relative_positioning', { raw: 'raw' }, ...from, ...words);
  expect(Object.values(near.splits).map(({ written: count }) => count)).toEqual([300, 40, 40]);
  const triplets = await examplesOf(withOptions(new EegRelativePositioning(), options), near.dataDir);
  expect(new Set(triplets.map(({ key }) => key)).size).toBe(380);
  for (const triplet of triplets) {
    const onsets = [triplet['eeg/a/onset'], triplet['eeg/b/onset'], triplet['eeg/c/onset']];
    const far = onsets.splice(Number(triplet.targets) - 1, 1)[0] as number;
    const [one, two] = onsets as [number, number];
    expect(one).not.toBe(two);
    expect(Math.abs(one - two)).toBeLessThanOrEqual(60);
    for (const onset of [one, two]) expect(Math.abs(onset - far)).toBeGreaterThan(240);
    expect(
      new Set([triplet['eeg/a/recording'], triplet['eeg/b/recording'], triplet['eeg/c/recording']]).size,
    ).toBe(1);
    expect(people.get(triplet['eeg/a/subject'])).toBe(triplet.split);
    expect(triplet['eeg/b'].length).toBe(2 * 3000);
  }
  const [some] = triplets.filter((triplet) => triplet['eeg/a/recording'] === 'SC4002');
  const same = examples.find(
    ({ recording, onset }) => recording === 'SC4002' && onset === some?.['eeg/a/onset'],
  );
  if (some !== undefined && same !== undefined) expect(some['eeg/a']).toEqual(same['eeg/raw']);
});

test('triplets by stage show two epochs of one stage and one of another', async () => {
  const options = { examples: 60, dev_examples: 10, test_examples: 10, people: 'same', channels: 'Pz-Oz' };
  const words = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
  const made = await runs.datagen('triplets', 'eeg_sleep_stages_triplets', { raw: 'raw' }, ...from, ...words);
  const triplets = await examplesOf(withOptions(new EegSleepStagesTriplets(), options), made.dataDir);
  expect(triplets.length).toBe(80);
  for (const triplet of triplets) {
    const labels = [triplet['eeg/a/label'], triplet['eeg/b/label'], triplet['eeg/c/label']];
    const [odd] = labels.splice(Number(triplet.targets) - 1, 1);
    expect(labels[0]).toBe(labels[1]);
    expect(odd).not.toBe(labels[0]);
    expect(new Set([triplet['eeg/a/subject'], triplet['eeg/b/subject'], triplet['eeg/c/subject']]).size).toBe(
      1,
    );
    expect(triplet['eeg/channels']).toEqual(['Pz-Oz']);
  }
});

test('the telemetry nights are a test split of their own', async () => {
  const made = await runs.datagen(
    'transfer',
    'eeg_sleep_stages',
    {
      raw: 'raw',
      problem: 'eeg_sleep_stages_telemetry',
    },
    ...from,
  );
  expect(Object.keys(made.splits)).toEqual(['test']);
  const examples = await examplesOf(new EegSleepStagesTelemetry(), made.dataDir);
  expect([...peopleOf(examples).keys()].sort()).toEqual(['ST701', 'ST702']);
});
