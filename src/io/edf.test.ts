import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  digitalOf,
  type EdfToMake,
  eyesRecording,
  type MadeSignal,
  makeEdf,
} from '../../fixtures/eeg_recording.js';
import { type ByteSource, bufferSource, openFileSource } from './byte_source.js';
import { openEdf, openEdfFile } from './edf.js';
import { EdfError } from './edf_error.js';
import { samplesOfWindow } from './recording.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-edf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ramp: MadeSignal = { label: 'ramp', samplingRate: 40, valueAt: (t) => t - 5, unit: 'mV' };
const sine: MadeSignal = { label: 'EEG Fpz-Cz', samplingRate: 100, valueAt: (t) => 50 * Math.sin(t * 60) };
const plain: EdfToMake = { format: 'EDF', signals: [ramp, sine], seconds: 12, recordSeconds: 0.5 };

const open = (file: Uint8Array, options = {}) => openEdf(bufferSource(file, 'made'), options);
/** The error that opening or reading gives. */
const faultOf = async (action: Promise<unknown>): Promise<EdfError> => {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EdfError);
  return error as EdfError;
};

describe.each(['EDF', 'EDF+C', 'EDF+D', 'BDF', 'BDF+C', 'BDF+D'] as const)('%s', (format) => {
  const sampleBytes = format.startsWith('BDF') ? 3 : 2;

  test('gives each signal at its own rate, to the digital step', async () => {
    const recording = await open(makeEdf({ ...plain, format }));
    expect(
      recording.signals.map(({ label, unit, samplingRate, samples }) => [label, unit, samplingRate, samples]),
    ).toEqual([
      ['ramp', 'mV', 40, 480],
      ['EEG Fpz-Cz', 'uV', 100, 1200],
    ]);
    for (const [index, made] of [ramp, sine].entries()) {
      const times = Array.from({ length: 12 * made.samplingRate }, (_, i) => i / made.samplingRate);
      const digital = times.map((t) => digitalOf(made, made.valueAt(t), sampleBytes));
      expect([...(await recording.readDigital(index))]).toEqual(digital);
      const values = await recording.readSignal(index);
      const step = 6553.5 / (2 ** (8 * sampleBytes) - 1);
      times.forEach((t, i) => {
        expect(Math.abs(values[i]! - made.valueAt(t))).toBeLessThanOrEqual(0.5001 * step);
      });
    }
  });

  test('gives any range of samples as the same range of all of them', async () => {
    const recording = await open(makeEdf({ ...plain, format }));
    const all = await recording.readSignal(1);
    for (const [fromSample, samples] of [
      [0, 1],
      [49, 2],
      [50, 50],
      [1199, 1],
      [333, 700],
      [1200, 0],
    ] as const)
      expect(await recording.readSignal(1, { fromSample, samples })).toEqual(
        all.slice(fromSample, fromSample + samples),
      );
    const both = await recording.readSignals([
      { signal: 1, fromSample: 130, samples: 400 },
      { signal: 0, fromSample: 52, samples: 160 },
    ]);
    expect(await recording.readSignalsFloat32([{ signal: 1 }])).toEqual([Float32Array.from(all)]);
    expect(both).toEqual([all.slice(130, 530), (await recording.readSignal(0)).slice(52, 212)]);
  });
});

test('samples that a signal does not have are the caller’s mistake', async () => {
  const recording = await open(makeEdf(plain));
  for (const range of [{ fromSample: -1 }, { samples: 481 }, { fromSample: 481 }, { fromSample: 0.5 }])
    await expect(recording.readSignal(0, range)).rejects.toThrow(RangeError);
  await expect(recording.readSignal(2)).rejects.toThrow(RangeError);
});

describe('time', () => {
  test('a discontinuous file has its gaps, and no window spans one', async () => {
    const gaps = [
      { before: 4, seconds: 2.5 },
      { before: 9, seconds: 100 },
    ];
    const recording = await open(makeEdf({ ...plain, format: 'EDF+D', gaps }));
    const segments = await recording.segments();
    expect(
      segments.map(({ onset, duration, fromRecord, records }) => [onset, duration, fromRecord, records]),
    ).toEqual([
      [0, 4, 0, 8],
      [6.5, 5, 8, 10],
      [111.5, 3, 18, 6],
    ]);
    const window = (onset: number, duration: number) =>
      samplesOfWindow(segments, recording.signals[0]!, { onset, duration });
    expect(window(2, 2)).toEqual({ fromSample: 80, samples: 80 });
    expect(window(2.1, 2)).toBeUndefined();
    expect(window(5, 1)).toBeUndefined();
    expect(window(6.5, 5)).toEqual({ fromSample: 160, samples: 200 });
    expect(window(110, 3)).toBeUndefined();
    expect(window(113.5, 1)).toEqual({ fromSample: 440, samples: 40 });
    expect(window(113.6, 1)).toBeUndefined();
    // The fixture's ramp is the time itself: what the window holds was recorded then.
    const { fromSample } = window(112, 1)!;
    expect((await recording.readSignal(0, { fromSample, samples: 1 }))[0]).toBeCloseTo(112 - 5, 1);
  });

  test('a file that claims to be continuous and jumps in time has a gap all the same', async () => {
    const file = makeEdf({ ...plain, format: 'EDF+C', gaps: [{ before: 6, seconds: 30 }] });
    expect((await (await open(file)).segments()).map(({ onset }) => onset)).toEqual([0, 36]);
  });

  test('rounded start times of a continuous file are no gaps', async () => {
    const file = makeEdf({ ...plain, format: 'EDF+C', gaps: [{ before: 6, seconds: 0.04 }] });
    expect(await (await open(file)).segments()).toHaveLength(1);
  });

  test('a start between two seconds moves the start, and annotations count from the first sample', async () => {
    const annotations = [{ onset: 1.25, text: 'blink' }];
    const recording = await open(makeEdf({ ...plain, format: 'EDF+C', startOffset: 0.3945312, annotations }));
    expect(recording.start).toBe('2009-08-12T16:15:00.395');
    expect(await recording.annotations()).toEqual(annotations);
    expect((await recording.segments())[0]!.onset).toBe(0);
  });

  test.each([
    ['12.08.09', 'Startdate 12-AUG-2009 X X X', '2009-08-12T16:15:00'],
    ['12.08.85', '', '1985-08-12T16:15:00'],
    ['12.08.84', '', '2084-08-12T16:15:00'],
    ['12.08.yy', 'Startdate 12-AUG-2103 X X X', '2103-08-12T16:15:00'],
    ['12.08.yy', 'Startdate X X X X', undefined],
    ['30.02.09', '', undefined],
    ['X', 'Startdate X X X X', undefined],
  ])('the date %s with "%s" is %s', async (date, recordingField, start) => {
    expect((await open(makeEdf({ ...plain, date, recording: recordingField }))).start).toBe(start);
  });
});

describe('a file that a transfer damaged is refused by what happened to it', () => {
  const made = makeEdf({ ...eyesRecording({ seed: 'damage', seconds: 20, samplingRate: 160 }) });
  const withoutAnnotations = makeEdf({
    ...eyesRecording({ seed: 'damage', seconds: 20, samplingRate: 160, format: 'EDF' }),
    annotations: [],
  });
  const returned = (file: Buffer) => Buffer.from(file.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  const replaced = (file: Buffer) => Buffer.from(file.toString('utf8'), 'utf8');

  test.each([
    ['line feeds made CR LF', returned(made)],
    ['the same, of a file without annotations', returned(withoutAnnotations)],
    ['the same, then cut to the size that the header promises', returned(made).subarray(0, made.length)],
    [
      'the same of a file without annotations',
      returned(withoutAnnotations).subarray(0, withoutAnnotations.length),
    ],
  ])('%s', async (_, file) => {
    expect((await faultOf(open(file))).fault).toBe('line-endings');
  });

  test.each([
    ['EDF taken for UTF-8', replaced(made)],
    ['EDF taken for UTF-8, cut to its size', replaced(made).subarray(0, made.length)],
    ['BDF taken for UTF-8', replaced(makeEdf({ ...plain, format: 'BDF' }))],
    [
      'a header with µ taken for UTF-8',
      replaced(makeEdf({ ...plain, signals: [{ ...ramp, unit: 'µV' }], encoding: 'latin1' })),
    ],
  ])('%s', async (_, file) => {
    expect((await faultOf(open(file))).fault).toBe('utf8-mangled');
  });

  test('a constant sample of 0A 0D is no damage', async () => {
    const constant: MadeSignal = { ...ramp, physicalMin: -32768, physicalMax: 32767, valueAt: () => 0x0a0d };
    expect((await open(makeEdf({ ...plain, signals: [constant] }))).signals).toHaveLength(1);
  });

  test('bytes lost in the middle leave records out of place', async () => {
    const shifted = Buffer.concat([made.subarray(0, 9000), made.subarray(9002), Buffer.alloc(2, 7)]);
    expect((await faultOf(open(shifted))).fault).toBe('shifted');
  });
});

describe('a file of another size than promised', () => {
  const made = makeEdf({ ...plain, format: 'EDF+C' });
  const recordBytes = (20 + 50) * 2 + 120;

  test('is refused where it ends early, at the byte where it ends', async () => {
    const error = await faultOf(open(made.subarray(0, made.length - 7)));
    expect(error).toMatchObject({ fault: 'truncated', offset: made.length - 7 });
    expect(error.message).toContain('data record 24 of 24');
    expect((await faultOf(open(made.subarray(0, 700)))).fault).toBe('truncated');
    expect((await faultOf(open(made.subarray(0, 100)))).fault).toBe('truncated');
  });

  test('is read as far as it goes where that is allowed', async () => {
    const recording = await open(made.subarray(0, made.length - 7), { wrongSize: 'whole-records' });
    expect(recording.header.dataRecords).toBe(23);
    expect(await recording.readSignal(0)).toHaveLength(23 * 20);
    expect(recording.warnings).toHaveLength(1);
  });

  test('is refused where there are more records than promised, unless all are wanted', async () => {
    const file = makeEdf({ ...plain, dataRecords: 20 });
    expect(await faultOf(open(file))).toMatchObject({ fault: 'record-count', offset: 236 });
    expect((await open(file, { wrongSize: 'whole-records' })).header.dataRecords).toBe(24);
  });

  test('is read with a warning where a few bytes follow', async () => {
    const recording = await open(Buffer.concat([made, Buffer.from('\x1a')]));
    expect(recording.warnings).toEqual(['1 bytes follow the last data record.']);
    expect(await recording.readSignal(0)).toEqual(await (await open(made)).readSignal(0));
  });

  test('is counted where the recording was never finished', async () => {
    const unfinished = makeEdf({ ...plain, format: 'EDF+C', dataRecords: -1 });
    const recording = await open(unfinished.subarray(0, unfinished.length - recordBytes - 3));
    expect(recording.header.dataRecords).toBe(22);
    expect(recording.signals[0]!.samples).toBe(440);
  });
});

describe('one window of one channel', () => {
  test.each([
    ['of many small records', 1],
    ['of large records', 600],
    ['of one record', 1800],
  ])('%s is read without the rest of the file', async (_, recordSeconds) => {
    // 19 channels, half an hour: 20 MB.
    const labels = Array.from({ length: 24 }, (_, i) => `C${i}`);
    const made = makeEdf({
      format: 'EDF+C',
      signals: labels.map((label, i) => ({ label, samplingRate: 250, valueAt: (t) => (t % 60) + i })),
      seconds: 1800,
      recordSeconds,
    });
    const path = join(folder, `large-${recordSeconds}.edf`);
    writeFileSync(path, made);
    const counting = countReads(await openFileSource(path));
    const recording = await openEdf(counting.source);
    const [values] = await recording.readSignals([{ signal: 7, fromSample: 250 * 1000, samples: 250 * 30 }]);
    await recording.close();
    expect(values![0]).toBeCloseTo((1000 % 60) + 7, 0);
    expect(made.length).toBeGreaterThan(20e6);
    expect(counting.bytes()).toBeLessThan(1e6);
  });
});

test('a path that is absent or a folder is one clear error', async () => {
  await expect(openEdfFile(join(folder, 'absent.edf'))).rejects.toThrow(/absent\.edf.*check the path/);
  await expect(openEdfFile(folder)).rejects.toThrow(/not a file/);
});

test('a signal without a range has digital values only', async () => {
  const file = makeEdf({ ...plain, signals: [sine, { ...ramp, physicalMin: 3, physicalMax: 3 }] });
  const recording = await open(file);
  expect(await recording.readSignal(0)).toHaveLength(1200);
  expect(await recording.readDigital(1)).toHaveLength(480);
  const error = await faultOf(recording.readSignal(1));
  expect(error.fault).toBe('calibration');
  expect(file.toString('latin1', error.offset, error.offset + 8)).toBe('3       ');
});

function countReads(source: ByteSource): { readonly source: ByteSource; readonly bytes: () => number } {
  let bytes = 0;
  const read: ByteSource['read'] = (offset, length, scratch) => {
    bytes += length;
    return source.read(offset, length, scratch);
  };
  return { source: { ...source, read }, bytes: () => bytes };
}
