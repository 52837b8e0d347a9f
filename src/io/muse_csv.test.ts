import { describe, expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { bufferSource } from './byte_source.js';
import { UserError } from './errors.js';
import { openMuseCsvFile, readMuseCsv } from './muse_csv.js';

const NAMES = 'timestamps,TP9,AF7,AF8,TP10,Right AUX,Marker';
/** Rows at 256 Hz. */
const rows = (count: number, from = 100, marker: (i: number) => number = () => 0): string[] =>
  Array.from({ length: count }, (_, i) => `${(from + i / 256).toFixed(3)},${i},-1.5,2,3,nan,${marker(i)}`);
const read = (lines: readonly string[], end = '\n') =>
  readMuseCsv(bufferSource(Buffer.from(lines.join(end) + end), 'made.csv'));

describe.each([
  ['LF', '\n'],
  ['CR LF', '\r\n'],
  ['CR', '\r'],
])('with lines that end in %s', (_, end) => {
  test('electrodes, markers and the rate are found', async () => {
    const marker = (i: number) => (i === 10 ? 1 : i >= 100 && i < 228 ? 2 : 0);
    const recording = await read([NAMES, ...rows(512, 100, marker)], end);
    expect(recording.signals.map(({ label }) => label)).toEqual(['TP9', 'AF7', 'AF8', 'TP10', 'Right AUX']);
    expect(recording.signals[0]).toMatchObject({ unit: 'uV', samplingRate: 256, samples: 512 });
    expect([...(await recording.readSignal(0, { fromSample: 3, samples: 2 }))]).toEqual([3, 4]);
    expect((await recording.readSignal(4)).every(Number.isNaN)).toBe(true);
    expect(await recording.annotations()).toEqual([
      { onset: 10 / 256, text: '1' },
      { onset: 100 / 256, duration: 0.5, text: '2' },
    ]);
    expect(await recording.segments()).toMatchObject([{ onset: 0, duration: 2, records: 512 }]);
  });
});

test('lost packets are gaps, jitter is none', async () => {
  const jittered = rows(512, 100).map((row, i) =>
    row.replace(/^[\d.]+/, (100 + i / 256 + 0.015 * (Math.floor(i / 12) % 2)).toFixed(3)),
  );
  const recording = await read([NAMES, ...jittered, ...rows(256, 107, (i) => (i === 5 ? 1 : 0))]);
  const segments = await recording.segments();
  expect(segments.map(({ onset, fromRecord, records }) => [onset, fromRecord, records])).toEqual([
    [0, 0, 512],
    [7, 512, 256],
  ]);
  expect(await recording.annotations()).toEqual([{ onset: 7 + 5 / 256, text: '1' }]);
});

test.each([
  ['no samples', [NAMES], /no samples.*line 1/],
  ['another CSV', ['a,b,c', '1,2,3', '1,2,3'], /no timestamps and electrodes.*line 1/],
  ['an empty file', [], /no timestamps and electrodes.*line 1/],
  ['a row that is cut off', [NAMES, ...rows(9), '100.1,1,2'], /3 values.*line 11/],
  ['a word for a number', [NAMES, ...rows(9), '100.1,x,2,3,4,5,0'], /"x" is no number.*line 11/],
  ['a row without a time', [NAMES, ...rows(9), ',1,2,3,4,5,0'], /"" is no number.*line 11/],
  ['a time that goes back', [NAMES, ...rows(512), ...rows(512, 90)], /goes back by 1.*line 514/],
  ['another rate', [NAMES, ...rows(512).filter((_, i) => i % 2 === 0)], /128.* Hz/],
])('%s is one clear error', async (_, lines, message) => {
  const action = read(lines);
  await expect(action).rejects.toThrow(UserError);
  await expect(action).rejects.toThrow(message);
});

const shared = sharedData('eeg-muse');
describe.skipIf(shared === undefined)(
  `real recordings${shared === undefined ? ' (skipped: shared/data is absent)' : ''}`,
  () => {
    test.each([
      ['visual/N170/subject1/session1/data_2017-09-13-15.30.01.csv', 30_732, 197, '2'],
      ['visual/P300/subject1/session1/data_2017-02-04-15_45_13.csv', 30_732, 197, '1'],
      ['auditory/P300/subject1/session1/data_2017-09-13-15.55.05.csv', 30_732, 196, '1'],
      [
        'visual/spatial_freq/subject0/session1/data_2017-08-09-21.29.07.csv',
        15_384,
        158,
        'Frequency=2 Contrast=1 Orientation=45',
      ],
    ])('%s', async (name, samples, events, first) => {
      const recording = await openMuseCsvFile(`${shared}/${name}`);
      expect(recording.signals).toHaveLength(5);
      expect(recording.signals[0]).toMatchObject({ label: 'TP9', samplingRate: 256, samples });
      expect(await recording.segments()).toHaveLength(1);
      const annotations = await recording.annotations();
      expect(annotations).toHaveLength(events);
      expect(annotations[0]!.text).toBe(first);
    });
  },
);
