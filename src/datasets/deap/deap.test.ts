import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeDeapFile, makeDictOfArrays } from '../../../fixtures/deap_file.js';
import { UserError } from '../../io/errors.js';
import { testContext } from '../physionet/obtain_context.test.helper.js';
import { deapDataset } from './deap.js';
import { DEAP_BODY_CHANNELS, DEAP_EEG_CHANNELS, DEAP_SAMPLES, readDeapFile } from './layout.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 't2t-deap-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('deap', () => {
  it('is only read from a folder of one’s own', async () => {
    const context = testContext({ rawDir: folder() });
    await expect(deapDataset.obtain(context)).rejects.toThrow('--manual-dir');
    expect(deapDataset.licence.agreementNeeded).toBe(true);
    await expect(deapDataset.obtain(testContext({ rawDir: folder(), manualDir: folder() }))).rejects.toThrow(
      's01.dat',
    );
  });

  it('lists the people whose files are there', async () => {
    const manualDir = folder();
    for (const name of ['s02.dat', 's01.dat', 's10.dat', 'notes.txt'])
      writeFileSync(join(manualDir, name), 'x');
    const context = testContext({ rawDir: folder(), manualDir, subjects: ['2-32'] });
    const source = await deapDataset.obtain(context);
    expect(source.recordings.map(({ id, participant, trials }) => [id, participant, trials])).toEqual([
      ['s02', 2, 40],
      ['s10', 10, 40],
    ]);
    expect(context.notes).toEqual(['3 of the 32 participants are there']);
    expect(deapDataset.identityOf?.('data/s02.dat')).toBe('s02');
  });
});

describe('readDeapFile', () => {
  it('finds every sample and rating in its place', () => {
    const file = readDeapFile(
      makeDeapFile({
        sample: (trial, channel, sample) => trial * 1e6 + channel * 1e4 + sample,
        rating: (trial, rating) => 1 + (trial % 8) + rating / 10,
      }),
      's01.dat',
    );
    const samples = file.samples(39, 12);
    expect(samples).toHaveLength(DEAP_SAMPLES);
    expect([samples[0], samples[8063]]).toEqual([39_120_000, 39_128_063]);
    expect(file.rating(7, 'liking')).toBeCloseTo(8.3);
    expect(() => file.samples(40, 0)).toThrow(RangeError);
    expect(DEAP_EEG_CHANNELS.length + DEAP_BODY_CHANNELS.length).toBe(40);
    expect(new Set(DEAP_EEG_CHANNELS).size).toBe(32);
  });

  it('refuses other pickles, and those that would run code', () => {
    const other = makeDictOfArrays({ data: { shape: [2, 3], data: new Float64Array(6) } });
    expect(() => readDeapFile(other, 's01.dat')).toThrow('40 × 40 × 8064');
    const hostile = Buffer.from("cos\nsystem\n(S'echo'\ntR.", 'latin1');
    expect(() => readDeapFile(hostile, 's01.dat')).toThrow(UserError);
    expect(() => readDeapFile(Buffer.from('}.', 'latin1'), 's01.dat')).toThrow(UserError);
  });
});
