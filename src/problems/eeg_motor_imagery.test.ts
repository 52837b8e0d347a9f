import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { WITNESS_PYTHON } from '../../fixtures/edf_witness.js';
import { witnessSignals } from '../../fixtures/eeg_witness.js';
import { EEGMMIDB_LABELS, makeEegmmidbFiles } from '../../fixtures/eegmmidb_files.js';
import { startPhysionet } from '../../fixtures/physionet.js';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { sharedData } from '../../fixtures/shared_data.js';
import { parseEventFile } from '../datasets/eegmmidb/events.js';
import { channelPosition } from '../eeg/montage.js';
import { readSignal } from '../eeg/read_signal.js';
import { signalTensor } from '../eeg/signal.js';
import { applySteps } from '../eeg/steps.js';
import { cutWindow, eventWindows, stretchesOf } from '../eeg/windows.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { EEGMMIDB_CHANNELS, EegMotorImagery } from './eeg_motor_imagery.js';
import { EegRuns, examplesOf, peopleOf } from './eeg_run.test.helper.js';
import { EegTiny } from './eeg_tiny.js';
import { withOptions } from './problem.js';

const runs = new EegRuns();
afterAll(() => runs.remove());

const MODULE = 'eeg_motor_imagery';

const files = makeEegmmidbFiles({ subjects: [1, 2, 3, 88, 104], runs: [4, 6], trials: 3 });

test('windows of imagined fists have labels and values of the recordings, and nothing else is fetched', async () => {
  const server = await startPhysionet({ eegmmidb: files });
  const options = ['--option', 'window_from=2', '--option', 'test_fraction=0.25'];
  const from = ['--mirror', server.mirror, '--allow-private-hosts'];
  try {
    const made = await runs.datagen('one', MODULE, ...from, ...options, '--workers', '1', '--shards', '2');
    const all = Object.values(made.splits);
    expect(all.reduce((sum, { planned }) => sum + planned, 0)).toBe(5 * 3);
    const rejected = (reason: string) => all.reduce((sum, split) => sum + (split.rejected[reason] ?? 0), 0);
    expect(rejected('wrong-sampling-rate')).toBe(3);
    expect(rejected('trial-timing')).toBe(3);
    // The last trial begins at 20.8 s, its window ends at 26.8 s, the recording at 25 s.
    expect(rejected('outside-recording')).toBe(3);
    const fetched = [...server.hits.keys()].filter((url) => url.endsWith('.edf'));
    expect(fetched.map((url) => url.slice(-11)).sort()).toEqual([
      'S001R04.edf',
      'S002R04.edf',
      'S003R04.edf',
    ]);

    const problem = withOptions(new EegMotorImagery(), { window_from: 2 });
    const examples = await examplesOf(problem, made.dataDir);
    expect(examples.length).toBe(6);
    expect(peopleOf(examples).size).toBe(3);
    for (const subject of ['S001', 'S002', 'S003']) {
      const name = `${subject}/${subject}R04.edf`;
      const events = parseEventFile(files.get(`${name}.event`) as Uint8Array, { run: 4, where: name });
      const fists = events.filter(({ code }) => code !== 'T0');
      const recording = await openEdf(bufferSource(files.get(name) as Uint8Array));
      const signal = applySteps(await readSignal(recording), problem.settings.steps);
      const stretches = stretchesOf(await recording.segments(), 160);
      const windows = eventWindows(stretches, 160, fists, { from: 2, seconds: 4 });
      const ours = examples.filter((example) => example.subject === subject);
      expect(ours.map(({ label }) => label)).toEqual(fists.slice(0, 2).map(({ meaning }) => meaning));
      for (const [i, example] of ours.entries()) {
        const { window } = windows[i] as (typeof windows)[number];
        expect(example['eeg/raw']).toEqual(
          signalTensor(cutWindow(signal, window as NonNullable<typeof window>)),
        );
        expect(example.targets).toBe(fists[i]?.meaning === 'left_fist' ? 0 : 1);
        expect(example.onset).toBeCloseTo((fists[i]?.onset ?? 0) + 2, 2);
        expect(example.recording).toBe(`${subject}R04`);
        expect(example['eeg/channels']).toEqual(EEGMMIDB_CHANNELS);
        expect(example['eeg/sampling_rate']).toBe(160);
        expect([...example['eeg/positions'].subarray(0, 3)]).toEqual(
          [...(channelPosition('FC5') as readonly number[])].map(Math.fround),
        );
      }
    }

    await runs.datagen('fresh', MODULE, ...from, ...options, '--workers', '3', '--shards', '2');
    expect(differences(made.dataDir, join(runs.root, 'fresh'))).toEqual([]);
  } finally {
    await server.close();
  }
});

test('a part of the people, another task and resampling are options', async () => {
  const server = await startPhysionet({ eegmmidb: files });
  try {
    const options = {
      task: 'fists_feet',
      channels: 'C3,Cz,C4',
      resample: 100,
      standardise: 'channel',
    };
    const words = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
    const from = ['--mirror', server.mirror, '--allow-private-hosts', '--subjects', '1-2'];
    const made = await runs.datagen('part', MODULE, ...from, ...words);
    const examples = await examplesOf(withOptions(new EegMotorImagery(), options), made.dataDir);
    expect(new Set(examples.map(({ recording }) => recording))).toEqual(new Set(['S001R06', 'S002R06']));
    for (const example of examples) {
      expect(example['eeg/channels']).toEqual(['C3', 'Cz', 'C4']);
      expect(example['eeg/raw'].length).toBe(3 * 400);
      expect(example.label).toMatch(/^both_(fists|feet)$/);
      const first = example['eeg/raw'].subarray(0, 400);
      const mean = first.reduce((sum, value) => sum + value, 0) / 400;
      expect(mean).toBeCloseTo(0, 5);
      expect(first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 400).toBeCloseTo(1, 5);
    }
    expect([...server.hits.keys()].some((url) => url.includes('S003'))).toBe(false);
  } finally {
    await server.close();
  }
});

test('options that can’t be are refused before anything is fetched', async () => {
  for (const [option, words] of [
    ['task=walking', 'left_right or fists_feet'],
    ['band_high=90', 'half of the sampling rate'],
    ['standardise=yes', 'none, channel or window'],
    ['window_seconds=0', 'no samples'],
    ['band_order=0', 'from 1 to 10'],
    ['resample=-1', 'a number from 0'],
  ] as const) {
    expect(() =>
      withOptions(new EegMotorImagery(), {
        [option.split('=')[0] as string]: option.split('=')[1] as string,
      }),
    ).toThrow(words);
  }
  const wrong = await runCli([
    'datagen',
    'eeg_tiny',
    '--import',
    new URL('./eeg_tiny.js', import.meta.url).pathname,
    '--data-dir',
    runs.root,
    '--option',
    'task=x',
  ]);
  expect(wrong.code).toBe(2);
});

test('eeg_tiny makes its corpus itself', async () => {
  const made = await runs.datagen('tiny', 'eeg_tiny');
  const examples = await examplesOf(new EegTiny(), made.dataDir);
  expect(examples.length).toBe(60);
  expect(new Set(peopleOf(examples).values())).toEqual(new Set(['train', 'dev', 'test']));
  expect(Object.values(made.splits).map(({ rejected }) => rejected)).toContainEqual({
    'wrong-sampling-rate': 10,
  });
});

const RUNS = sharedData('eeg-eegmmidb');
const SPEC = new EegMotorImagery().settings.steps;
const witnessed =
  RUNS === undefined
    ? undefined
    : witnessSignals(
        [3, 4, 7, 8, 11].map((run) => ({
          do: 'cut',
          path: join(RUNS, `S001R${String(run).padStart(2, '0')}.edf`),
          steps: [{ step: 'pick', channels: EEGMMIDB_LABELS }, ...SPEC.slice(1)],
          from: 0,
          seconds: 4,
        })),
      );
const mne = witnessed === undefined ? `; skipped of MNE: ${WITNESS_PYTHON} has none` : ' and MNE';

test.skipIf(RUNS === undefined)(
  `five true runs give as many windows, with the same labels, as their .event files${mne}${RUNS === undefined ? ' (skipped: no shared data)' : ''}`,
  async () => {
    const numbers = ['03', '04', '07', '08', '11'];
    const files = new Map<string, Uint8Array>();
    for (const run of numbers)
      for (const ending of ['.edf', '.edf.event'])
        files.set(`S001/S001R${run}${ending}`, readFileSync(join(RUNS as string, `S001R${run}${ending}`)));
    const server = await startPhysionet({ eegmmidb: files });
    try {
      for (const imagined of [true, false]) {
        const name = `true-${imagined}`;
        const from = ['--mirror', server.mirror, '--allow-private-hosts', '--option', `imagined=${imagined}`];
        const made = await runs.datagen(name, MODULE, { raw: 'true' }, ...from, '--split', 'train');
        const examples = await examplesOf(new EegMotorImagery(), made.dataDir);
        for (const [i, run] of numbers.entries()) {
          if (['04', '08'].includes(run) !== imagined) continue;
          const found = examples
            .filter(({ recording }) => recording === `S001R${run}`)
            .sort((a, b) => a.onset - b.onset);
          const path = `S001/S001R${run}.edf.event`;
          const events = parseEventFile(files.get(path) as Uint8Array, { run: Number(run), where: path });
          const fists = events.filter(({ code }) => code !== 'T0');
          expect(found.map(({ label }) => label)).toEqual(fists.map(({ meaning }) => meaning));
          for (const [at, { onset }] of found.entries()) expect(onset).toBeCloseTo(fists[at]?.onset ?? -1, 2);
          const theirs = witnessed?.[i];
          if (theirs === undefined) continue;
          const codes = theirs.names.filter((code) => code !== 'T0');
          expect(found.map(({ targets }) => `T${Number(targets) + 1}`)).toEqual(codes);
          const size = theirs.values.length / theirs.names.length;
          const tasks = theirs.names.flatMap((code, epoch) => (code === 'T0' ? [] : [epoch]));
          for (const [at, epoch] of tasks.entries())
            expect(
              furthest(
                found[at]?.['eeg/raw'] as Float32Array,
                theirs.values.subarray(epoch * size, (epoch + 1) * size),
              ),
            ).toBeLessThan(1e-4);
        }
      }
    } finally {
      await server.close();
    }
  },
);

/** 32-bit floats of hundreds of microvolts are right to some 1e-5. */
function furthest(ours: Float32Array, theirs: Float64Array): number {
  expect(ours.length).toBe(theirs.length);
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - (theirs[i] as number))), 0);
}
