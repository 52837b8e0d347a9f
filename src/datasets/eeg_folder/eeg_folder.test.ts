import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { eyesRecording, makeEdf } from '../../../fixtures/eeg_recording.js';
import { sharedData } from '../../../fixtures/shared_data.js';
import { UserError } from '../../io/errors.js';
import { testContext } from '../physionet/obtain_context.test.helper.js';
import { eegFolderDataset, subjectOfPath } from './eeg_folder.js';
import { readLabelTable } from './label_table.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 't2t-eeg-folder-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const labels = ['O1', 'O2'];
const edf = makeEdf(eyesRecording({ seed: 'a', seconds: 20, labels }));
const bdf = makeEdf(eyesRecording({ seed: 'b', seconds: 20, labels, format: 'BDF+C' }));

function filled(): string {
  const root = folder();
  mkdirSync(join(root, 'anna'));
  mkdirSync(join(root, 'bert'));
  writeFileSync(join(root, 'anna', 'eyes.edf'), edf);
  writeFileSync(join(root, 'bert', 'eyes.BDF'), bdf);
  writeFileSync(join(root, 'bert', 'people.csv'), 'name,age\nbert,30\n');
  return root;
}

describe('eeg_folder', () => {
  it('takes subjects from folders and events from the files’ own annotations', async () => {
    const context = testContext({ rawDir: folder(), manualDir: filled() });
    const source = await eegFolderDataset.obtain(context);
    expect(source.recordings).toEqual([
      { id: 'anna/eyes.edf', subject: 'anna', fileName: 'anna/eyes.edf' },
      { id: 'bert/eyes.BDF', subject: 'bert', fileName: 'bert/eyes.BDF' },
    ]);
    expect(context.notes).toEqual([expect.stringContaining('1 CSV files')]);
    for (const recording of source.recordings)
      expect(await source.events(recording)).toEqual([
        { onset: 0, duration: 10, label: 'eyes closed' },
        { onset: 10, duration: 10, label: 'eyes open' },
      ]);
  });

  it('takes subjects and events from labels.csv where there is one', async () => {
    const manualDir = filled();
    writeFileSync(
      join(manualDir, 'labels.csv'),
      '\uFEFFfile,subject,label,onset,duration\r\nanna/eyes.edf,P1,open,10,5\r\nanna/eyes.edf,P1,closed,0,10\r\n' +
        'bert/eyes.BDF,P2,rest,,\r\nnobody.edf,P3,rest,,\r\nanna/eyes.edf,P1,x,soon,\r\nanna/eyes.edf,P9,x,1,\r\nshort\r\n',
    );
    const context = testContext({ rawDir: folder(), manualDir, subjects: ['P1'] });
    const source = await eegFolderDataset.obtain(context);
    expect(source.recordings.map(({ subject }) => subject)).toEqual(['P1']);
    expect(await source.events(source.recordings[0]!)).toEqual([
      { onset: 0, duration: 10, label: 'closed' },
      { onset: 10, duration: 5, label: 'open' },
    ]);
    expect(context.notes.some((note) => note.includes('4 lines'))).toBe(true);
    await expect(
      eegFolderDataset.obtain(testContext({ rawDir: folder(), manualDir, subjects: ['P7'] })),
    ).rejects.toThrow('no subject "P7"');
  });

  it('says what is missing', async () => {
    await expect(eegFolderDataset.obtain(testContext({ rawDir: folder() }))).rejects.toThrow('--manual-dir');
    await expect(
      eegFolderDataset.obtain(testContext({ rawDir: folder(), manualDir: folder() })),
    ).rejects.toThrow('no recording');
    const manualDir = filled();
    writeFileSync(join(manualDir, 'labels.csv'), 'name\nx\n');
    await expect(eegFolderDataset.obtain(testContext({ rawDir: folder(), manualDir }))).rejects.toThrow(
      'lacks file, label',
    );
  });

  it('tells subjects from paths', () => {
    expect(subjectOfPath('study/sub-07/eeg/sub-07_task-rest_eeg.edf')).toBe('sub-07');
    expect(subjectOfPath('sub-07_task-rest_eeg.edf')).toBe('sub-07');
    expect(subjectOfPath('anna/monday/1.edf')).toBe('anna');
    expect(subjectOfPath('anna.edf')).toBe('anna');
  });

  const muse = sharedData('eeg-muse');
  it.skipIf(muse === undefined)(
    'reads true Muse recordings (skipped where shared data is absent)',
    async () => {
      const source = await eegFolderDataset.obtain(
        testContext({ rawDir: folder(), manualDir: muse as string }),
      );
      expect(source.recordings).toHaveLength(4);
      const [first] = source.recordings;
      expect((await source.events(first!)).length).toBeGreaterThan(10);
    },
  );
});

describe('readLabelTable', () => {
  it('gives a table or a UserError for any text, and every row is used or counted', () => {
    const path = join(folder(), 'labels.csv');
    const cell = fc.constantFrom('a.edf', 'x', '', '1', '-1', '1e9', '"', 'P1', 'öä');
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 6 })), (rows) => {
        writeFileSync(path, ['file,label,onset,subject', ...rows.map((row) => row.join(','))].join('\n'));
        try {
          for (const [file, events] of readLabelTable(path, ['a.edf']).events) {
            expect(file).toBe('a.edf');
            for (const { onset = 0 } of events) expect(onset).toBeGreaterThanOrEqual(0);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 60 },
    );
  });
});
