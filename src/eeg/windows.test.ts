import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { readSignal } from './read_signal.js';
import { signalLength } from './signal.js';
import {
  cutWindow,
  epochWindows,
  eventWindows,
  overlapShare,
  type SampleWindow,
  type Stretch,
  sampleAt,
  slidingWindows,
  stretchesOf,
} from './windows.js';

const RATE = 160;
const ONE: readonly Stretch[] = [{ onset: 0, samples: 125 * RATE }];
const GAP: readonly Stretch[] = [
  { onset: 0, samples: 10 * RATE },
  { onset: 20.5, samples: 10 * RATE },
];

test('times go to the nearest sample, halves to the even one, as NumPy rounds', () => {
  const times = [0, 0.49, 0.5, 1.5, 2.5, 3.51, -0.5, -1.5, -0.2];
  expect(times.map((time) => sampleAt(time, 1))).toEqual([0, 0, 0, 2, 2, 4, 0, -2, 0]);
});

test('a window at an event has the event at the same sample always', () => {
  const events = [4.2, 8.1999, 12.3].map((onset) => ({ onset }));
  const windows = eventWindows(ONE, RATE, events, { from: -0.5, seconds: 4 });
  expect(windows.map(({ window }) => window)).toEqual([
    { stretch: 0, fromSample: 592, samples: 640, onset: 592 / RATE },
    { stretch: 0, fromSample: 1232, samples: 640, onset: 1232 / RATE },
    { stretch: 0, fromSample: 1888, samples: 640, onset: 1888 / RATE },
  ]);
});

test('a window that begins before the recording or ends after it is none, and is counted', () => {
  const events = [{ onset: 0.2 }, { onset: 121 }, { onset: 121.01 }, { onset: -3 }];
  const cut = eventWindows(ONE, RATE, events, { from: -0.5, seconds: 4.5 });
  expect(cut.map(({ source, window }) => [source, window?.fromSample])).toEqual([
    [0, undefined],
    [1, 19280],
    [2, undefined],
    [3, undefined],
  ]);
});

test('a window across a gap is none; behind the gap it is cut from the second stretch', () => {
  const events = [{ onset: 8 }, { onset: 9 }, { onset: 15 }, { onset: 20.5 }, { onset: 28 }];
  const cut = eventWindows(GAP, RATE, events, { seconds: 2 });
  expect(cut.map(({ window }) => window && [window.stretch, window.fromSample])).toEqual([
    [0, 1280],
    undefined,
    undefined,
    [1, 0],
    [1, 1200],
  ]);
});

test('epochs fill an interval from its onset, and what is left over is too short', () => {
  const intervals = [
    { onset: 0, duration: 95 },
    { onset: 95, duration: 29.9 },
  ];
  const cut = epochWindows(ONE, RATE, intervals, { seconds: 30 });
  expect(cut.map(({ source, window }) => [source, window!.onset])).toEqual([
    [0, 0],
    [0, 30],
    [0, 60],
  ]);
});

test('epochs of an interval past the end are counted as none', () => {
  const cut = epochWindows(ONE, RATE, [{ onset: 60, duration: 120 }], { seconds: 30 });
  expect(cut.map(({ window }) => window?.onset)).toEqual([60, 90, undefined, undefined]);
});

test('sliding windows overlap by what the step leaves, in each stretch anew', () => {
  const windows = slidingWindows(GAP, RATE, { seconds: 4, stepSeconds: 3 });
  expect(windows.map(({ stretch, onset }) => [stretch, onset])).toEqual([
    [0, 0],
    [0, 3],
    [0, 6],
    [1, 20.5],
    [1, 23.5],
    [1, 26.5],
  ]);
});

test('a window of no samples is refused', () => {
  expect(() => slidingWindows(ONE, RATE, { seconds: 0 })).toThrow(RangeError);
  expect(() => slidingWindows(ONE, RATE, { seconds: 1, stepSeconds: 0.001 })).toThrow(RangeError);
  expect(() => eventWindows(ONE, RATE, [], { seconds: Number.NaN })).toThrow(RangeError);
});

test('overlap with a seizure is the share of the window within it', () => {
  const window: SampleWindow = { stretch: 0, fromSample: 10 * RATE, samples: 4 * RATE, onset: 10 };
  const share = (...intervals: [number, number][]): number =>
    overlapShare(
      window,
      RATE,
      intervals.map(([onset, duration]) => ({ onset, duration })),
    );
  expect(share()).toBe(0);
  expect(share([0, 10])).toBe(0);
  expect(share([0, 100])).toBe(1);
  expect(share([12, 100])).toBe(0.5);
  expect(share([11, 1], [12.5, 0.5])).toBe(0.375);
  // Overlapping intervals, in any order, count once.
  expect(share([12, 1], [11, 1.5], [11, 1])).toBe(0.5);
});

test('whatever is cut lies inside its stretch, has the same length, and begins within half a sample of its time', () => {
  const stretches = fc
    .array(fc.record({ gap: fc.double({ min: 0, max: 9, noNaN: true }), samples: fc.nat(3000) }), {
      maxLength: 4,
    })
    .map((parts) => {
      let onset = 0;
      return parts.map(({ gap, samples }): Stretch => {
        onset += gap;
        const stretch = { onset, samples };
        onset += samples / RATE;
        return stretch;
      });
    });
  const events = fc.array(fc.record({ onset: fc.double({ min: -5, max: 90, noNaN: true }) }));
  fc.assert(
    fc.property(stretches, events, fc.double({ min: 0.01, max: 6, noNaN: true }), (parts, times, seconds) => {
      const cut = eventWindows(parts, RATE, times, { seconds });
      expect(cut.map(({ source }) => source)).toEqual([...times.keys()]);
      for (const { source, window } of cut) {
        if (window === undefined) continue;
        const stretch = parts[window.stretch]!;
        expect(window.fromSample).toBeGreaterThanOrEqual(0);
        expect(window.fromSample + window.samples).toBeLessThanOrEqual(stretch.samples);
        expect(window.samples).toBe(sampleAt(seconds, RATE));
        expect(Math.abs(window.onset - times[source]!.onset)).toBeLessThanOrEqual(0.5 / RATE + 1e-9);
      }
    }),
  );
});

test('the windows of a file with gaps are cut from the samples around each event', async () => {
  const file = eyesRecording({ seed: 'gaps', seconds: 60, format: 'EDF+D' });
  const bytes = makeEdf({ ...file, gaps: [{ before: 30, seconds: 12.5 }] });
  const recording = await openEdf(bufferSource(bytes));
  const segments = await recording.segments();
  const stretches = stretchesOf(segments, RATE);
  expect(stretches).toEqual([
    { onset: 0, samples: 30 * RATE },
    { onset: 42.5, samples: 30 * RATE },
  ]);
  const signals = await Promise.all(
    segments.map((segment) => readSignal(recording, { channels: ['O1'] }, segment)),
  );
  expect(signals.map(signalLength)).toEqual([30 * RATE, 30 * RATE]);
  await expect(readSignal(recording, { channels: ['O1'] })).rejects.toThrow('has 2 segments');
  const [across, behind] = eventWindows(stretches, RATE, [{ onset: 29 }, { onset: 42.5 }], { seconds: 2 });
  expect(across!.window).toBeUndefined();
  const cut = cutWindow(signals[1]!, behind!.window!);
  const whole = await recording.readSignal(recording.signals.findIndex(({ label }) => label === 'O1'));
  expect([...cut.data[0]!]).toEqual([...whole.subarray(30 * RATE, 32 * RATE)]);
  await recording.close();
});

test('stretches have the samples that resampling leaves', () => {
  const segment = { onset: 0, duration: 125.4, fromRecord: 0, records: 1254, recordSeconds: 0.1 };
  expect(stretchesOf([segment], 128)[0]!.samples).toBe(Math.ceil((125.4 * 160 * 4) / 5));
});
