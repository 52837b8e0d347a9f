import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CHB_CHANNELS,
  makeChbMitFiles,
  makeChbSummary,
  makeSeizureFile,
} from '../../../fixtures/chb_mit_files.js';
import { startPhysionet, writeCorpus } from '../../../fixtures/physionet.js';
import { UserError } from '../../io/errors.js';
import { testContext } from '../physionet/obtain_context.test.helper.js';
import { chbMitDataset } from './chb_mit.js';
import { CHB_MIT_CHANNELS, reconcileChannels } from './montage.js';
import { parseSeizureFile, reconcileSeizures } from './seizures.js';
import { parseChbSummary } from './summary.js';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 't2t-chb-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('parseChbSummary', () => {
  it('reads seizures with and without numbers, and channel lists that change in between', () => {
    const text = [
      'Data Sampling Rate: 256 Hz',
      '*************************',
      'Channels in EDF Files:',
      'Channel 1: FP1-F7',
      'Channel 2: -',
      '',
      'File Name: chb01_03.edf',
      'File Start Time: 13:43:04',
      'File End Time: 24:43:04',
      'Number of Seizures in File: 1',
      'Seizure Start Time: 2996 seconds',
      'Seizure End Time: 3036 seconds',
      '',
      'Channels changed:',
      'Channel 1: F7-CS2',
      'File Name: chb01_04.edf',
      'Number of Seizures in File: 2',
      'Seizure 1 Start Time:  10 seconds',
      'Seizure 1 End Time:\t20 seconds',
      'Seizure 2 Start Time: 30 seconds',
      'Seizure 2 End Time: 40 seconds',
      'File Name: chb01_05.edf',
      'Number of Seizures in File: 0',
    ].join('\r\n');
    expect(parseChbSummary(text, 'x')).toEqual({
      samplingRate: 256,
      files: [
        {
          fileName: 'chb01_03.edf',
          channels: ['FP1-F7', '-'],
          seconds: 39_600,
          seizures: [{ start: 2996, end: 3036 }],
        },
        {
          fileName: 'chb01_04.edf',
          channels: ['F7-CS2'],
          seizures: [
            { start: 10, end: 20 },
            { start: 30, end: 40 },
          ],
        },
        { fileName: 'chb01_05.edf', channels: ['F7-CS2'], seizures: [] },
      ],
    });
  });

  it('pairs by order, whatever the printed numbers say', () => {
    const text =
      'File Name: chb09_08.edf\nNumber of Seizures in File: 2\nSeizure 1 Start Time: 2951 seconds\n' +
      'Seizure 1 End Time: 3030 seconds\nSeizure 2 Start Time: 9196 seconds\nSeizure 1 End Time: 9267 seconds\n';
    expect(parseChbSummary(text, 'x').files[0]).toEqual({
      fileName: 'chb09_08.edf',
      channels: [],
      seizures: [
        { start: 2951, end: 3030 },
        { start: 9196, end: 9267 },
      ],
    });
  });

  it('knows how long a recording lasts, also where the clock starts anew at midnight or goes on', () => {
    const lasting = (start: string, end: string): number | undefined =>
      parseChbSummary(`File Name: chb01_01.edf\nFile Start Time: ${start}\nFile End Time: ${end}\n`, 'x')
        .files[0]?.seconds;
    expect(lasting('11:42:54', '12:42:54')).toBe(3600);
    expect(lasting('23:42:54', '24:42:54')).toBe(3600);
    expect(lasting('23:42:54', '0:42:53')).toBe(3599);
    expect(lasting('soon', '0:42:53')).toBeUndefined();
  });

  for (const [name, lines] of [
    [
      'another number than is said',
      ['Number of Seizures in File: 2', 'Seizure Start Time: 1 seconds', 'Seizure End Time: 2 seconds'],
    ],
    ['a beginning without an end', ['Seizure Start Time: 1 seconds']],
    ['an end before its beginning', ['Seizure Start Time: 9 seconds', 'Seizure End Time: 2 seconds']],
    ['a line that is not understood', ['Seizure 1 Start Time: soon']],
  ] as const)
    it(`doubts ${name}, and no other recording`, () => {
      const text = [
        'File Name: chb01_01.edf',
        ...lines,
        'File Name: chb01_02.edf',
        'Number of Seizures in File: 0',
      ].join('\n');
      const { files } = parseChbSummary(text, 'x');
      expect(files[0]?.fault).toBeDefined();
      expect(files[1]?.fault).toBeUndefined();
    });

  it('refuses what is no summary, and names that lead elsewhere', () => {
    expect(() => parseChbSummary('<html>', 'x')).toThrow(UserError);
    expect(() => parseChbSummary('File Name: ../../x.edf', 'x')).toThrow('(x, line 1)');
  });

  it('gives back any summary that was written', () => {
    const seizures = fc
      .uniqueArray(fc.integer({ min: 0, max: 20_000 }), { maxLength: 12 })
      .map((edges) => edges.sort((a, b) => a - b))
      .map((edges) =>
        Array.from(
          { length: Math.floor(edges.length / 2) },
          (_, i) => [edges[2 * i]!, edges[2 * i + 1]!] as const,
        ),
      );
    const channels = fc.constantFrom<readonly string[]>(CHB_CHANNELS, ['F7-CS2', '-'], ['F7', 'T7']);
    const recordings = fc.array(fc.record({ seizures, channels }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(recordings, (list) => {
        const named = list.map((recording, i) => ({
          ...recording,
          name: `chb01_${String(i).padStart(2, '0')}.edf`,
        }));
        expect(parseChbSummary(makeChbSummary(named), 'x').files).toEqual(
          named.map((recording) => ({
            fileName: recording.name,
            channels: recording.channels,
            seconds: 3600,
            seizures: recording.seizures.map(([start, end]) => ({ start, end })),
          })),
        );
      }),
    );
  });

  it('gives a summary or a UserError for any text, in time', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'File Name: chb01_01.edf',
        'Seizure 1 Start Time: 5 seconds',
        'Seizure End Time: 9 seconds',
        'Channel 1: X',
      ),
      fc.string().map((text) => `Seizure ${text} Time: 5`),
      fc.string().map((text) => `File Name: ${text}`),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          for (const file of parseChbSummary(lines.join('\n'), 'x').files)
            if (file.fault === undefined)
              for (const { start, end } of file.seizures) expect(start).toBeLessThan(end);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

describe('reconcileSeizures', () => {
  const file = (...seizures: { start: number; end: number }[]) => ({
    fileName: 'x.edf',
    channels: [],
    seizures,
  });

  it('agrees where the sources do, to a second', () => {
    const told = { start: 10, end: 20 };
    expect(reconcileSeizures(file(told), [{ start: 10.3, end: 19.6 }])).toEqual({
      seizures: [{ start: 10.3, end: 19.6 }],
      disputed: [],
    });
    expect(reconcileSeizures(file(told), undefined).seizures).toEqual([told]);
    expect(reconcileSeizures(undefined, [told]).seizures).toEqual([told]);
  });

  it('disputes what only one of them calls a seizure', () => {
    expect(reconcileSeizures(file({ start: 2804, end: 2872 }), [{ start: 2404, end: 2872 }])).toEqual({
      seizures: [{ start: 2804, end: 2872 }],
      disputed: [{ start: 2404, end: 2804 }],
    });
  });

  it('says nothing where the numbers or the times are others, or nobody tells', () => {
    expect(reconcileSeizures(file(), [{ start: 1, end: 2 }]).fault).toBeDefined();
    expect(reconcileSeizures(file({ start: 1, end: 2 }), [{ start: 5, end: 6 }]).fault).toBeDefined();
    expect(reconcileSeizures(undefined, undefined).fault).toBeDefined();
  });

  it('reads beginnings and ends that take turns, and refuses others', () => {
    expect(parseSeizureFile(makeSeizureFile([[2996, 3036]]), 'x')).toEqual([{ start: 2996, end: 3036 }]);
    expect(() => parseSeizureFile(makeSeizureFile([[5, 5]]), 'x')).toThrow(UserError);
  });
});

describe('reconcileChannels', () => {
  it('finds channels by name, wherever they are, the first of those that come twice', () => {
    const labels = ['T8-P8', '-', ' fp1-f7 ', 'T8-P8'];
    expect(reconcileChannels(labels, ['FP1-F7', 'T8-P8'])).toEqual({
      ok: true,
      channels: [
        { name: 'FP1-F7', plus: 2 },
        { name: 'T8-P8', plus: 0 },
      ],
    });
  });

  it('turns channels round and takes differences of electrodes with one reference', () => {
    expect(
      reconcileChannels(['P7-T7', 'F7-CS2', 'FP1-CS2', '01', 'P7'], ['T7-P7', 'FP1-F7', 'P7-O1']),
    ).toEqual({
      ok: true,
      channels: [
        { name: 'T7-P7', minus: 0 },
        { name: 'FP1-F7', plus: 2, minus: 1 },
        { name: 'P7-O1', plus: 4, minus: 3 },
      ],
    });
  });

  it('never mixes references, and lists all that is missing', () => {
    expect(reconcileChannels(['FP1-Ref', 'F7-CS2', 'ECG', 'VNS', ''], ['FP1-F7', 'CZ-PZ'])).toEqual({
      ok: false,
      missing: ['FP1-F7', 'CZ-PZ'],
    });
  });

  it('finds any order of any superset', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...CHB_CHANNELS, 'ECG', '-'], { minLength: 1 }), (labels) => {
        const result = reconcileChannels(labels, CHB_MIT_CHANNELS);
        const missing = CHB_MIT_CHANNELS.filter(
          (name) => !labels.includes(name) && !labels.includes(name.split('-').reverse().join('-')),
        );
        expect(result.ok ? [] : result.missing).toEqual(missing);
        if (result.ok)
          for (const { name, plus } of result.channels)
            if (plus !== undefined) expect(labels[plus]).toBe(name);
      }),
    );
  });
});

describe('chb_mit', () => {
  const corpus = makeChbMitFiles([
    { name: 'chb01_02.edf' },
    { name: 'chb01_03.edf', seizures: [[20, 35]] },
    {
      name: 'chb02_16+.edf',
      seconds: 30,
      seizures: [
        [3, 9],
        [12, 20],
      ],
    },
    { name: 'chb17a_03.edf', seconds: 30, channels: ['F7-CS2'] },
    { name: 'chb21_01.edf', seconds: 30 },
    { name: 'chb24_01.edf', seconds: 30, seizures: [[5, 9]] },
    { name: 'chb24_02.edf', seconds: 30, isUnsummarized: true },
  ]);

  it('lists recordings with channels and seizures, and fetches no signal', async () => {
    const server = await startPhysionet({ chbmit: corpus });
    cleanups.push(() => server.close());
    const context = testContext({ rawDir: folder(), mirror: server.mirror });
    const source = await chbMitDataset.obtain(context);
    expect(
      source.recordings.map(({ id, subject, seizures, fault }) => [id, subject, seizures.length, fault]),
    ).toEqual([
      ['chb01_02', 'chb01', 0, undefined],
      ['chb01_03', 'chb01', 1, undefined],
      ['chb02_16+', 'chb02', 2, undefined],
      ['chb17a_03', 'chb17', 0, undefined],
      ['chb21_01', 'chb01', 0, undefined],
      ['chb24_01', 'chb24', 1, undefined],
      ['chb24_02', 'chb24', 0, undefined],
    ]);
    expect(source.recordings[1]!.seizures).toEqual([{ start: 20, end: 35 }]);
    expect(source.recordings[3]!.channels).toEqual(['F7-CS2']);
    expect(context.notes).toEqual([]);
    expect(context.fetched.filter((name) => name.endsWith('.edf'))).toEqual([]);
    await chbMitDataset.obtainFiles(['chb02/chb02_16+.edf'], context);
    const files = await chbMitDataset.openFiles({ rawDir: context.rawDir });
    expect((await files.read('chb02/chb02_16+.edf'))?.bytes.length).toBe(
      corpus.get('chb02/chb02_16+.edf')?.length,
    );
    expect(chbMitDataset.identityOf?.('chb21/chb21_01.edf')).toBe('chb01');
  });

  it('takes cases by name or number', async () => {
    const server = await startPhysionet({ chbmit: corpus });
    cleanups.push(() => server.close());
    const context = testContext({ rawDir: folder(), mirror: server.mirror, subjects: ['2', 'chb17'] });
    const source = await chbMitDataset.obtain(context);
    expect(source.recordings.map(({ id }) => id)).toEqual(['chb02_16+', 'chb17a_03']);
    expect(context.fetched.some((name) => name.startsWith('chb01/'))).toBe(false);
  });

  it('doubts recordings of a folder in which nothing tells their seizures', async () => {
    const manualDir = folder();
    await writeCorpus(manualDir, corpus);
    for (const name of corpus.keys()) if (name.endsWith('.seizures')) unlinkSync(join(manualDir, name));
    const context = testContext({ rawDir: folder(), manualDir });
    const source = await chbMitDataset.obtain(context);
    expect(source.recordings.filter(({ fault }) => fault !== undefined).map(({ id }) => id)).toEqual([
      'chb24_02',
    ]);
    expect(context.notes[0]).toContain('chb24_02');
  });
});
