import { expect, test } from 'vitest';
import { WITNESS_PYTHON } from '../../fixtures/edf_witness.js';
import { witnessSignals } from '../../fixtures/eeg_witness.js';
import { sharedData } from '../../fixtures/shared_data.js';
import { openEdfFile } from '../io/edf.js';
import { butterworth } from './butterworth.js';
import { channelPosition, electrodeNames } from './montage.js';
import { readSignal } from './read_signal.js';
import { gainAt } from './sections.js';
import { applySteps, type SignalStep } from './steps.js';
import { cutWindow, epochWindows, eventWindows, samplesIn, stretchesOf } from './windows.js';
import { filterZeroPhase, scipyPadSamples } from './zero_phase.js';

const RUN = sharedData('eeg-eegmmidb', 'S001R04.edf');
const SLEEP = sharedData('eeg-readers-edfio', 'short_psg.edf');

const PICK: SignalStep = { step: 'pick', channels: ['C3..', 'Cz..', 'C4..', 'Fp1.'] };
const LISTS: Readonly<Record<string, readonly SignalStep[]>> = {
  'no step': [PICK],
  'an average reference': [{ step: 'rereference', to: 'average' }, PICK],
  'a reference to two channels': [{ step: 'rereference', to: ['T9..', 'T10.'] }, PICK],
  'a band-pass of 0.5 to 40 Hz': [PICK, { step: 'bandPass', low: 0.5, high: 40, order: 4 }],
  'a narrow band-pass of odd order': [PICK, { step: 'bandPass', low: 8, high: 12, order: 3 }],
  'a high-pass of 0.1 Hz': [PICK, { step: 'bandPass', low: 0.1, order: 2 }],
  'a low-pass of odd order': [PICK, { step: 'bandPass', high: 30, order: 5 }],
  'a notch at 60 Hz': [PICK, { step: 'notch', hertz: 60, q: 30 }],
  'resampling to 128 Hz': [PICK, { step: 'resample', hertz: 128 }],
  'resampling to 100 Hz': [PICK, { step: 'resample', hertz: 100 }],
  'resampling to 256 Hz': [PICK, { step: 'resample', hertz: 256 }],
  'clipping at 50 µV': [PICK, { step: 'clip', microvolts: 50 }],
  'all of them': [
    { step: 'rereference', to: 'average' },
    PICK,
    { step: 'notch', hertz: 60, q: 30 },
    { step: 'bandPass', low: 1, high: 45, order: 4 },
    { step: 'resample', hertz: 128 },
    { step: 'clip', microvolts: 60 },
  ],
};

/** Other amplifiers: offsets of millivolts, other rates, a polysomnography. */
const OTHERS = (
  [
    ['eeg-biosemi', 'Newtest17-256.bdf', ['A1', 'A4', 'A7'], 100],
    ['eeg-readers-mne', 'test.bdf', ['Fp1', 'FC5', 'C1'], 256],
    ['eeg-readers-edfio', 'short_psg.edf', ['EEG Fpz-Cz', 'EEG Pz-Oz', 'EOG horizontal'], 128],
  ] as const
).map(([folder, file, channels, hertz]) => ({
  file,
  path: sharedData(folder, file),
  steps: [
    { step: 'pick', channels },
    { step: 'bandPass', low: 1, high: 35, order: 4 },
    { step: 'resample', hertz },
  ] satisfies SignalStep[],
}));

const MOTOR: readonly SignalStep[] = [
  PICK,
  { step: 'bandPass', low: 1, high: 40, order: 4 },
  { step: 'resample', hertz: 128 },
];
const CUT = { from: -0.5, seconds: 4 };
const DESIGNS = [
  { order: 4, low: 0.5, high: 40, rate: 160 },
  { order: 3, low: 8, high: 12, rate: 256 },
  { order: 1, low: 1, high: 30, rate: 100 },
  { order: 5, low: null, high: 30, rate: 160 },
  { order: 2, low: 0.1, high: null, rate: 512 },
  { order: 10, low: 5, high: 35, rate: 128 },
  { order: 3, low: 1, high: 70, rate: 150 },
];
const FREQUENCIES = [0.01, 0.1, 0.5, 1, 4, 8, 9, 10, 12, 20, 30, 39, 40, 41, 50, 60];
const MONTAGES = ['easycap-M1', 'biosemi64', 'standard_1020', 'standard_1005'];

const needs =
  RUN === undefined ? [] : Object.values(LISTS).map((steps) => ({ do: 'steps', path: RUN, steps }));
const answers = witnessSignals([
  ...DESIGNS.map((design) => ({ do: 'gain', ...design, hertz: FREQUENCIES })),
  ...MONTAGES.map((name) => ({ do: 'montage', name })),
  ...needs,
  ...(RUN === undefined
    ? []
    : [
        { do: 'sosfiltfilt', path: RUN, channel: 'Oz..', order: 4, low: 8, high: 12 },
        { do: 'cut', path: RUN, steps: MOTOR, ...CUT },
        { do: 'chunks', path: RUN, seconds: 1 },
      ]),
  ...(SLEEP === undefined ? [] : [{ do: 'chunks', path: SLEEP, seconds: 30 }]),
  ...OTHERS.flatMap(({ path, steps }) => (path === undefined ? [] : [{ do: 'steps', path, steps }])),
]);
const isThere = answers !== undefined;
const asked: readonly unknown[] = [
  ...DESIGNS,
  ...MONTAGES,
  ...(RUN === undefined ? [] : [...Object.keys(LISTS), 'sosfiltfilt', 'cut', 'chunks']),
  ...(SLEEP === undefined ? [] : ['sleep']),
  ...OTHERS.filter(({ path }) => path !== undefined),
];
const answer = (key: unknown) => answers![asked.indexOf(key)]!;
const noPeer = isThere ? '' : ` (skipped: ${WITNESS_PYTHON} has no MNE)`;
const noPeerOrRun = RUN === undefined ? ' (skipped: no shared data)' : noPeer;
const canRun = isThere && RUN !== undefined;

test.skipIf(!isThere).each(DESIGNS)(
  `the gain of a Butterworth filter $order $low $high is SciPy's to 1e-9${noPeer}`,
  (design) => {
    const band = {
      ...(design.low === null ? {} : { lowHertz: design.low }),
      ...(design.high === null ? {} : { highHertz: design.high }),
    };
    const sections = butterworth(design.order, band, design.rate);
    const theirs = answer(design).values;
    for (const [i, hertz] of FREQUENCIES.entries())
      expect(Math.abs(gainAt(sections, hertz, design.rate) - theirs[i]!)).toBeLessThan(1e-9);
  },
);

test.skipIf(!canRun).each(Object.keys(LISTS))(
  `%s gives MNE's signal to 1e-8 µV${noPeerOrRun}`,
  async (name) => {
    const recording = await openEdfFile(RUN!);
    const ours = applySteps(await readSignal(recording), LISTS[name]!);
    const { shape, values } = answer(name);
    expect([ours.data.length, ours.data[0]!.length]).toEqual(shape);
    expect(furthest(ours.data, values)).toBeLessThan(1e-8);
    await recording.close();
  },
);

for (const other of OTHERS) {
  const note = other.path === undefined ? ' (skipped: no shared data)' : noPeer;
  test.skipIf(!isThere || other.path === undefined)(
    `${other.file} filtered and resampled is MNE's signal to 1e-8 µV${note}`,
    async () => {
      const recording = await openEdfFile(other.path!);
      const [pick] = other.steps;
      const signal = await readSignal(recording, { channels: pick!.channels! });
      const ours = applySteps(signal, other.steps);
      expect([ours.data.length, ours.data[0]!.length]).toEqual(answer(other).shape);
      expect(furthest(ours.data, answer(other).values)).toBeLessThan(1e-8);
      await recording.close();
    },
  );
}

test.skipIf(!canRun)(`filtering with SciPy's padding gives SciPy's signal${noPeerOrRun}`, async () => {
  const recording = await openEdfFile(RUN!);
  const signal = await readSignal(recording, { channels: ['Oz'] });
  const sections = butterworth(4, { lowHertz: 8, highHertz: 12 }, signal.samplingRate);
  const ours = filterZeroPhase(sections, signal.data, scipyPadSamples(sections));
  expect(furthest(ours, answer('sosfiltfilt').values)).toBeLessThan(1e-8);
  await recording.close();
});

test.skipIf(!canRun)(`windows around events are MNE's epochs, labels and all${noPeerOrRun}`, async () => {
  const recording = await openEdfFile(RUN!);
  const signal = applySteps(await readSignal(recording), MOTOR);
  const events = await recording.annotations();
  const stretches = stretchesOf(await recording.segments(), signal.samplingRate);
  const windows = eventWindows(stretches, signal.samplingRate, events, CUT).filter((cut) => cut.window);
  const theirs = answer('cut');
  expect(windows.map(({ source }) => events[source]!.text)).toEqual(theirs.names);
  expect([windows.length, signal.channels.length, samplesIn(CUT.seconds, 128)]).toEqual(theirs.shape);
  const ours = windows.flatMap(({ window }) => cutWindow(signal, window!).data);
  expect(furthest(ours, theirs.values)).toBeLessThan(1e-8);
  await recording.close();
});

for (const [key, path, seconds] of [
  ['chunks', RUN, 1],
  ['sleep', SLEEP, 30],
] as const)
  test.skipIf(!isThere || path === undefined)(
    `epochs of ${seconds} s in each annotation begin where MNE's do${path === undefined ? ' (skipped: no shared data)' : noPeer}`,
    async () => {
      const recording = await openEdfFile(path!);
      const samplingRate = Math.max(...recording.signals.map((signal) => signal.samplingRate));
      const intervals = (await recording.annotations()).map(({ onset, duration = 0, text }) => ({
        onset,
        duration,
        text,
      }));
      const stretches = stretchesOf(await recording.segments(), samplingRate);
      const windows = epochWindows(stretches, samplingRate, intervals, { seconds });
      const theirs = answer(key);
      const inside = [...theirs.values].filter(
        (sample) => sample + seconds * samplingRate <= stretches[0]!.samples,
      );
      expect(windows.length).toBe(theirs.values.length);
      expect(windows.flatMap(({ window }) => window?.fromSample ?? [])).toEqual(inside);
      expect(windows.map(({ source }) => intervals[source]!.text)).toEqual(theirs.names);
      await recording.close();
    },
  );

// The first two are spheres laid out in whole degrees; the others electrodes on one person's head, which is longer than wide
// and held a little lower (best fit: turned by 5 degrees about the ears, then 6.7 at most and 2.8 on average).
for (const [name, mostDeg, meanDeg] of [
  ['easycap-M1', 5.5, 2],
  ['biosemi64', 3.5, 2],
  ['standard_1020', 12, 5],
  ['standard_1005', 12, 5],
] as const)
  test.skipIf(!isThere)(
    `electrodes are within ${mostDeg} degrees of MNE's ${name}, ${meanDeg} on average${noPeer}`,
    () => {
      const { names, values } = answer(name);
      const places = names.map((_, i) => [...values.subarray(3 * i, 3 * i + 3)]);
      const angles = electrodeNames().flatMap((electrode) => {
        const i = names.indexOf(electrode);
        return i < 0 ? [] : [angleDeg(channelPosition(electrode)!, places[i]!)];
      });
      expect(angles.length).toBeGreaterThanOrEqual(64);
      const mean = angles.reduce((sum, angle) => sum + angle, 0) / angles.length;
      expect(Math.max(...angles)).toBeLessThan(mostDeg);
      expect(mean).toBeLessThan(meanDeg);
    },
  );

function furthest(ours: readonly ArrayLike<number>[], theirs: Float64Array): number {
  let [difference, at] = [0, 0];
  for (const channel of ours)
    for (let i = 0; i < channel.length; i++, at++)
      difference = Math.max(difference, Math.abs((channel[i] as number) - (theirs[at] as number)));
  return difference;
}

function angleDeg(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  return (Math.acos(Math.min(1, dot / Math.hypot(...a) / Math.hypot(...b))) * 180) / Math.PI;
}
