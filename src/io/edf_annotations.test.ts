import { describe, expect, test } from 'vitest';
import { makeEdf } from '../../fixtures/eeg_recording.js';
import { bufferSource } from './byte_source.js';
import { openEdf } from './edf.js';
import { parseTals } from './edf_annotations.js';
import { EdfError } from './edf_error.js';

const tals = (text: string) => {
  const bytes = Buffer.from(text, 'latin1');
  return parseTals(bytes, 0, bytes.length, { file: 'made', offset: 1000 });
};

describe('the grammar of TALs', () => {
  test.each([
    ['+0\x14\x14\0', [{ onset: 0, duration: undefined, texts: [''] }]],
    ['+12.5\x153.25\x14spindle\x14\0', [{ onset: 12.5, duration: 3.25, texts: ['spindle'] }]],
    [
      '-0.065\x14before the start\x14\0',
      [{ onset: -0.065, duration: undefined, texts: ['before the start'] }],
    ],
    ['+3\x14one\x14two\x14\0', [{ onset: 3, duration: undefined, texts: ['one', 'two'] }]],
    [
      '+1\x14a\x14\0+2\x14b\x14\0\0\0',
      [
        { onset: 1, texts: ['a'] },
        { onset: 2, texts: ['b'] },
      ],
    ],
    [
      '+1\x15\x14no duration after all\x14\0',
      [{ onset: 1, duration: undefined, texts: ['no duration after all'] }],
    ],
    ['+1\x14it fills its signal\x14', [{ onset: 1, texts: ['it fills its signal'] }]],
    ['\0\0\0', []],
  ])('%j', (text, expected) => {
    expect(tals(text)).toMatchObject(expected);
  });

  test.each([
    ['1\x14no sign\x14\0', 0],
    ['+1\x14ok\x14\0+x\x14no onset\x14\0', 7],
    ['+1\x15y\x14no duration\x14\0', 0],
    ['+1\x14cut off\0', 0],
    ['+1\0', 0],
    ['+\x14\x14\0', 0],
    ['+1e5\x14\x14\0', 0],
    ['+1\x14a\x14\0\0\0junk', 8],
  ])('%j is refused where it is wrong', (text, at) => {
    expect(() => tals(text)).toThrow(EdfError);
    try {
      tals(text);
    } catch (error) {
      expect(error).toMatchObject({ fault: 'annotation', offset: 1000 + at });
    }
  });

  test('the end of one signal’s bytes is not looked beyond', () => {
    const bytes = Buffer.from('xx+1\x14a\x14yyyy\x14\0', 'latin1');
    expect(parseTals(bytes, 2, 7, { file: 'made', offset: 0 })).toMatchObject([{ onset: 1, texts: ['a'] }]);
  });
});

describe('annotations of a recording', () => {
  const signals = [{ label: 'C3', samplingRate: 10, valueAt: () => 0 }];
  const annotations = [
    { onset: 0, duration: 2, text: 'eyes closed' },
    { onset: 2, duration: 2, text: 'eyes open' },
    { onset: 2.5, text: 'Augen auf, µ und é' },
    { onset: 7.125, text: '睁眼' },
    { onset: 99, text: 'after the end' },
  ];

  test.each([1, 2, 3])(
    'in %d annotation signals are all found, in the order of time',
    async (annotationSignals) => {
      for (const format of ['EDF', 'EDF+C', 'EDF+D', 'BDF+C'] as const) {
        const file = makeEdf({ format, signals, seconds: 8, annotations, annotationSignals });
        expect(await (await openEdf(bufferSource(file))).annotations()).toEqual(annotations);
      }
    },
  );

  test('in Latin-1 read as well as in UTF-8', async () => {
    const latin1 = annotations.filter(({ text }) => text !== '睁眼');
    const file = makeEdf({ format: 'EDF+C', signals, seconds: 8, annotations: latin1, encoding: 'latin1' });
    expect(await (await openEdf(bufferSource(file))).annotations()).toEqual(latin1);
  });

  test('several texts of one TAL are as many annotations, also those after a start time', async () => {
    const file = makeEdf({
      format: 'EDF+C',
      signals,
      seconds: 2,
      annotations: [{ onset: 1.5, duration: 0.5, text: 'spike\x14left' }],
    });
    // What EDF+ allows: a text at the time of the record itself, in the TAL of its start time.
    const at = file.indexOf('+0\x14\x14\0');
    file.write('+0\x14\x14start\x14\0', at, 'latin1');
    expect(await (await openEdf(bufferSource(file))).annotations()).toEqual([
      { onset: 0, text: 'start' },
      { onset: 1.5, duration: 0.5, text: 'spike' },
      { onset: 1.5, duration: 0.5, text: 'left' },
    ]);
  });

  test('that break their grammar in the middle of a file are refused at their byte, and its signals are read', async () => {
    const file = makeEdf({ format: 'EDF+C', signals, seconds: 8, annotations });
    const at = file.indexOf('+2\x152');
    file[at] = 0x41;
    const recording = await openEdf(bufferSource(file));
    await expect(recording.annotations()).rejects.toMatchObject({ fault: 'annotation', offset: at });
    expect(await recording.readSignal(0)).toHaveLength(80);
    expect(await recording.segments()).toHaveLength(1);
  });

  test('without a byte between them are found in no more time than others', async () => {
    // Looking for the end of each beyond its own data record would take minutes.
    const records = 400_000;
    const made = makeEdf({ format: 'EDF+C', signals: [], seconds: 1, annotationBytes: 6 });
    made.write(String(records).padEnd(8), 236, 'latin1');
    const file = Buffer.concat([
      made.subarray(0, 512),
      Buffer.alloc(6 * records, '+1\x14a\x14\x14', 'latin1'),
    ]);
    expect(await (await openEdf(bufferSource(file))).annotations()).toHaveLength(records);
  });

  test('of a discontinuous file must have start times that do not go back', async () => {
    const file = makeEdf({ format: 'EDF+D', signals, seconds: 8 });
    const at = file.indexOf('+5\x14\x14');
    const back = Buffer.from(file);
    back.write('+3', at);
    await expect((await openEdf(bufferSource(back))).segments()).rejects.toMatchObject({
      fault: 'timekeeping',
      offset: at,
    });
    const absent = Buffer.from(file);
    absent.fill(0, at, at + 5);
    await expect((await openEdf(bufferSource(absent))).segments()).rejects.toMatchObject({
      fault: 'timekeeping',
    });
  });
});
