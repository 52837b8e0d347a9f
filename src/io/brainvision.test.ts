import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type BrainVisionToMake, writeBrainVision } from '../../fixtures/brainvision_recording.js';
import { WITNESS_PYTHON, witnessRecordings } from '../../fixtures/edf_witness.js';
import { openBrainVisionFile } from './brainvision.js';
import { UserError } from './errors.js';
import { openRecording } from './open_recording.js';
import { samplesOfWindow, voltsPerUnit } from './recording.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-brainvision-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SAMPLES = 2000;
const base: Omit<BrainVisionToMake, 'name'> = {
  folder,
  sampleFormat: 'INT_16',
  orientation: 'MULTIPLEXED',
  samplingRate: 250,
  channels: [
    { label: 'Fp1', resolution: 0.1, unit: 'µV' },
    { label: 'Cz', resolution: 0.5, unit: 'mV' },
    { label: 'ECG, left', unit: 'V' },
  ],
  stored: [0, 1, 2].map((channel) =>
    Array.from({ length: SAMPLES }, (_, i) => ((i * 37 + channel * 11) % 4001) - 2000),
  ),
  markers: [
    'New Segment,,1,1,0,20131113161227701000',
    'Stimulus,S  1,251,1,0',
    'Response,R 3\\1 left,501,25,0',
    'Stimulus,S  2,1500,1,0',
  ],
};
const variants = (['INT_16', 'INT_32', 'IEEE_FLOAT_32'] as const).flatMap((sampleFormat) =>
  (['MULTIPLEXED', 'VECTORIZED'] as const).map((orientation) => ({ ...base, sampleFormat, orientation })),
);
const made = [
  ...variants,
  { ...base, byteOrder: 'big' as const },
  { ...base, encoding: 'latin1' as const },
].map((variant, i) => ({ ...variant, name: `variant${i}` }));
const paths = made.map(writeBrainVision);

describe.each(
  made.map((variant, i) => [
    JSON.stringify([variant.sampleFormat, variant.orientation, variant.byteOrder, variant.encoding]),
    i,
  ]),
)('%s', (_, i) => {
  test('gives physical values, units, times and markers', async () => {
    const recording = await openRecording(paths[Number(i)]!);
    expect(recording.signals).toEqual([
      { label: 'Fp1', unit: 'µV', samplingRate: 250, samples: SAMPLES },
      { label: 'Cz', unit: 'mV', samplingRate: 250, samples: SAMPLES },
      { label: 'ECG, left', unit: 'V', samplingRate: 250, samples: SAMPLES },
    ]);
    expect(recording.start).toBe('2013-11-13T16:12:27.701');
    const values = await recording.readSignals([0, 1, 2].map((signal) => ({ signal })));
    for (const [k, resolution] of [0.1, 0.5, 1].entries())
      expect([...values[k]!]).toEqual(base.stored[k]!.map((value) => value * resolution));
    expect(await recording.readSignal(1, { fromSample: 777, samples: 9 })).toEqual(
      values[1]!.slice(777, 786),
    );
    expect(await recording.readSignals([{ signal: 0, samples: 0 }])).toEqual([new Float64Array(0)]);
    expect(await recording.annotations()).toEqual([
      { onset: 1, text: 'Stimulus/S  1' },
      { onset: 2, duration: 0.1, text: 'Response/R 3, left' },
      { onset: 1499 / 250, text: 'Stimulus/S  2' },
    ]);
    await recording.close();
  });
});

test('a recording that was paused has a gap as long as its dates tell', async () => {
  const markers = [
    'New Segment,,1,1,0,20131113161227000000',
    'New Segment,,1001,1,0,20131113161330500000',
    'Stimulus,S  1,1251,1,0',
  ];
  const recording = await openBrainVisionFile(writeBrainVision({ ...base, name: 'paused', markers }));
  const segments = await recording.segments();
  expect(segments.map(({ onset, fromRecord, records }) => [onset, fromRecord, records])).toEqual([
    [0, 0, 1000],
    [63.5, 1000, 1000],
  ]);
  expect(await recording.annotations()).toEqual([{ onset: 64.5, text: 'Stimulus/S  1' }]);
  const window = (onset: number) => samplesOfWindow(segments, recording.signals[0]!, { onset, duration: 1 });
  expect(window(3)).toEqual({ fromSample: 750, samples: 250 });
  expect(window(3.5)).toBeUndefined();
  expect(window(64.5)).toEqual({ fromSample: 1250, samples: 250 });
  await recording.close();
});

test('a pause of unknown length still ends a segment', async () => {
  const markers = ['New Segment,,1,1,0', 'New Segment,,1001,1,0'];
  const recording = await openBrainVisionFile(writeBrainVision({ ...base, name: 'undated', markers }));
  expect((await recording.segments()).map(({ onset }) => onset)).toEqual([0, 4]);
  await recording.close();
});

test.each<[string, Partial<BrainVisionToMake>, RegExp]>([
  [
    'a data file in another folder',
    { lines: { DataFile: '../secret.eeg' } },
    /no file beside the header.*line 6/,
  ],
  ['an absolute data file', { lines: { DataFile: '/etc/passwd' } }, /no file beside the header/],
  ['text for samples', { lines: { DataFormat: 'ASCII' } }, /not binary.*line 8/],
  ['no channels', { lines: { NumberOfChannels: '0' } }, /NumberOfChannels is "0".*line 10/],
  ['more channels than lines', { lines: { NumberOfChannels: '4' } }, /no Ch4/],
  ['no rate', { lines: { SamplingInterval: '0' } }, /sampling interval.*line 11/],
  ['fewer samples than promised', { lines: { DataPoints: '2001' } }, /have 12000 bytes, not 12006/],
  ['a data file that is absent', { lines: { DataFile: 'absent.eeg' } }, /absent\.eeg/],
  ['a marker without a place', { markers: ['Stimulus,S  1'] }, /no marker.*vmrk, line 5/],
])('%s is one clear error', async (name, change, message) => {
  const path = writeBrainVision({ ...base, name: name.replaceAll(' ', '-'), ...change });
  const action = openBrainVisionFile(path);
  await expect(action).rejects.toThrow(UserError);
  await expect(action).rejects.toThrow(message);
});

test('a path that is one of its other files leads to the header', async () => {
  await expect(openRecording(join(folder, 'variant0.eeg'))).rejects.toThrow(/name .*variant0\.vhdr instead/);
  await expect(openRecording(join(folder, 'x.docx'))).rejects.toThrow(/rename it/);
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'x.vhdr'), 'hello');
  await expect(openRecording(join(folder, 'sub', 'x.vhdr'))).rejects.toThrow(/first line.*line 1/);
});

// MNE takes no notice of UseBigEndianOrder: it is no witness of that.
const little = paths.filter((_, i) => made[i]!.byteOrder !== 'big');
const witnessed = witnessRecordings('mne', little);
const reason = witnessed === undefined ? ` (skipped: ${WITNESS_PYTHON} has no mne)` : '';
test.skipIf(witnessed === undefined)(`MNE reads the same, sample by sample${reason}`, async () => {
  for (const [i, path] of little.entries()) {
    const theirs = witnessed![i]!;
    if ('refused' in theirs) throw new Error(`${path}: ${theirs.refused}`);
    const ours = await openBrainVisionFile(path);
    expect(ours.signals.map(({ label }) => label)).toEqual(theirs.labels);
    for (const [k, signal] of ours.signals.entries()) {
      const scale = voltsPerUnit(signal.unit)!;
      const values = await ours.readSignal(k);
      expect(values.length).toBe(theirs.values[k]!.length);
      values.forEach((value, at) => {
        expect(Math.abs(value * scale - theirs.values[k]![at]!)).toBeLessThanOrEqual(
          1e-12 * Math.abs(value * scale),
        );
      });
    }
    const annotations = (await ours.annotations()).map(({ onset, text }) => [onset, text]);
    const expected = theirs.annotations.filter(([, , text]) => !text.startsWith('New Segment'));
    expect(annotations.map(([, text]) => text)).toEqual(expected.map(([, , text]) => text));
    for (const [k, [onset]] of expected.entries()) expect(annotations[k]![0]).toBeCloseTo(onset, 5);
    await ours.close();
  }
});
