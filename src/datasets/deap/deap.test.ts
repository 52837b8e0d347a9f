import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { makeDeapFile, makeDictOfArrays } from '../../../fixtures/deap_file.js';
import { UserError } from '../../io/errors.js';
import { DamagedMemberError } from '../../io/tar_index.js';
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

describe('deap in its archive', () => {
  const contents = (name: string): Buffer => Buffer.from(`${name} `.repeat(50_000));

  /** The archive as it is published, of small files, and what else lies beside it. */
  async function archive(names: readonly string[]): Promise<string> {
    const manualDir = folder();
    const zip = new ZipFile();
    for (const name of names) zip.addBuffer(contents(name), `data_preprocessed_python/${name}`);
    zip.end();
    writeFileSync(join(manualDir, 'data_preprocessed_python.zip'), await buffer(zip.outputStream));
    return manualDir;
  }

  it('is read without unpacking it, any file at any time, as often as asked', async () => {
    const manualDir = await archive(['s01.dat', 's02.dat', 's03.dat', 'readme.txt']);
    const { recordings } = await deapDataset.obtain(testContext({ rawDir: folder(), manualDir }));
    expect(recordings.map(({ id }) => id)).toEqual(['s01', 's02', 's03']);
    const files = await deapDataset.openFiles({ rawDir: folder(), manualDir });
    for (const { id, fileName } of [...recordings.toReversed(), ...recordings]) {
      expect(Buffer.compare((await files.read(fileName))!.bytes, contents(`${id}.dat`))).toBe(0);
      expect(files.stamp(fileName)).toBeDefined();
    }
    expect(await files.read('data_preprocessed_python/s04.dat')).toBeUndefined();
    expect(await files.read('data_preprocessed_python/readme.txt')).toBeUndefined();
    expect(files.stamp('data_preprocessed_python/s04.dat')).toBeUndefined();
    expect(readdirSync(manualDir)).toEqual(['data_preprocessed_python.zip']);
    files.close();
  });

  it('gives way to files that are unpacked, and gives the others', async () => {
    const manualDir = await archive(['s01.dat', 's02.dat']);
    writeFileSync(join(manualDir, 's02.dat'), 'mine');
    const { recordings } = await deapDataset.obtain(testContext({ rawDir: folder(), manualDir }));
    const files = await deapDataset.openFiles({ rawDir: folder(), manualDir });
    const [first, second] = recordings;
    expect(recordings.map(({ id }) => id)).toEqual(['s01', 's02']);
    expect(Buffer.compare((await files.read(first!.fileName))!.bytes, contents('s01.dat'))).toBe(0);
    expect((await files.read(second!.fileName))!.bytes).toEqual(Buffer.from('mine'));
  });

  it('that is damaged is one clear error, or one for the file that is', async () => {
    const manualDir = await archive(['s01.dat']);
    const path = join(manualDir, 'data_preprocessed_python.zip');
    const whole = readFileSync(path);
    const open = async () => {
      const { recordings } = await deapDataset.obtain(testContext({ rawDir: folder(), manualDir }));
      const files = await deapDataset.openFiles({ rawDir: folder(), manualDir });
      return files.read(recordings[0]!.fileName);
    };
    writeFileSync(path, whole.subarray(0, whole.length - 40));
    await expect(open()).rejects.toThrow(UserError);
    const changed = Buffer.from(whole);
    changed[200]! ^= 0xff;
    writeFileSync(path, changed);
    await expect(open()).rejects.toThrow(DamagedMemberError);
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
