import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { openEdfFile } from './edf.js';
import { voltsPerUnit } from './recording.js';

/** Real recordings from other readers' tests, checked against the values that lie beside them. */
const real =
  sharedData('eeg-eegmmidb') === undefined ? undefined : (...parts: string[]) => sharedData(...parts)!;
const skipped = real === undefined ? ' (skipped: shared/data is absent)' : '';
const at = (...parts: string[]): string => join(...[real!(parts[0]!)], ...parts.slice(1));

describe.skipIf(real === undefined)(`real recordings${skipped}`, () => {
  test.each(['S001R03', 'S001R04', 'S001R07', 'S001R08', 'S001R11'])(
    'of EEGMMIDB have the events of their .event files: %s',
    async (name) => {
      const recording = await openEdfFile(at('eeg-eegmmidb', `${name}.edf`));
      const events = readFileSync(at('eeg-eegmmidb', `${name}.edf.event`), 'latin1');
      const expected = [...events.matchAll(/(T\d) duration: (\d+\.?\d*)/g)].map(([, text, duration]) => [
        text,
        Number(duration),
      ]);
      const annotations = await recording.annotations();
      expect(annotations.map(({ text, duration }) => [text, duration])).toEqual(expected);
      expect(expected).toHaveLength(30);
      expect(recording.signals).toHaveLength(64);
      expect(
        recording.signals.every(({ samplingRate, samples }) => samplingRate === 160 && samples === 20_000),
      ).toBe(true);
      expect(recording.warnings).toEqual([]);
      await recording.close();
    },
  );

  test('of Sleep-EDF have the header that edfio reads', async () => {
    const recording = await openEdfFile(at('eeg-readers-edfio', 'short_psg.edf'));
    const reference = JSON.parse(
      readFileSync(at('eeg-readers-edfio', 'short_psg_header_reference.json'), 'utf8'),
    ) as readonly unknown[];
    const ours = recording.signals.map((signal) => ({
      label: signal.label,
      transducer_type: signal.transducer,
      physical_dimension: signal.unit,
      physical_min: signal.physicalMin,
      physical_max: signal.physicalMax,
      digital_min: signal.digitalMin,
      digital_max: signal.digitalMax,
      prefiltering: signal.prefilter,
      samples_per_data_record: signal.samplesPerRecord,
      reserved: signal.reserved,
      sampling_frequency: signal.samplingRate,
    }));
    expect(ours).toEqual(reference);
    await recording.close();
  });

  test('of Sleep-EDF have a hypnogram of a day, without any signal', async () => {
    const recording = await openEdfFile(at('eeg-sleepedf', 'SC4001EC-Hypnogram.edf'));
    const stages = await recording.annotations();
    expect(stages).toHaveLength(154);
    expect(stages[0]).toEqual({ onset: 0, duration: 30_630, text: 'Sleep stage W' });
    // Each stage begins where the one before it ends.
    for (const [i, { onset, duration }] of stages.slice(0, -1).entries())
      expect(stages[i + 1]!.onset).toBe(onset + duration!);
    expect(recording.signals).toEqual([]);
    expect(await recording.segments()).toEqual([]);
    await recording.close();
  });

  test('have the values that MNE’s tests expect of them', async () => {
    const recording = await openEdfFile(at('eeg-readers-mne', 'test_edf_stim_channel.edf'));
    expect(recording.header.recordSeconds).toBe(9.59375);
    const rows = readFileSync(at('eeg-readers-mne', 'test_edf_stim_channel.txt'), 'utf8')
      .trim()
      .split(/[\r\n]+/);
    const signals = await recording.readSignals(recording.signals.map((_, signal) => ({ signal })));
    for (const [i, row] of rows.entries())
      for (const [k, value] of row.trim().split(/\s+/).map(Number).entries()) {
        const { physicalMin, physicalMax, label } = recording.signals[k]!;
        // The text is of the data before they became EDF: a digital step and seven printed digits lie between.
        const tolerance = (physicalMax - physicalMin) / 65535 + 6e-7 * Math.abs(value);
        if (label === 'DIG DTRIG') expect(Math.round(signals[k]![i]!)).toBe(value);
        else expect(Math.abs(signals[k]![i]! - value)).toBeLessThanOrEqual(tolerance);
      }
    expect(rows.length).toBeGreaterThan(700);
    await recording.close();
  });

  test('of the vendor of BDF are in microvolts, their triggers in 24 bits', async () => {
    const recording = await openEdfFile(at('eeg-biosemi', 'Newtest17-256.bdf'));
    const triggers = recording.signals.at(-1)!;
    expect(triggers).toMatchObject({ label: 'Status', unit: 'Boolean' });
    expect(voltsPerUnit(recording.signals[0]!.unit)).toBe(1e-6);
    const digital = await recording.readDigital(16);
    const physical = await recording.readSignal(16);
    expect(Float64Array.from(digital)).toEqual(physical);
    expect(new Set(digital.map((value) => value & 0xff)).size).toBeGreaterThan(1);
    await recording.close();
  });

  test('of one night in two formats are the same signals', async () => {
    const [edf, bdf] = await Promise.all(
      ['bdf_test.edf', 'bdf_test.bdf'].map((name) => openEdfFile(at('eeg-readers-EDFjl', name))),
    );
    const correlations = await Promise.all(
      edf!.signals.map(async (_, i) => correlation(await edf!.readSignal(i), await bdf!.readSignal(i))),
    );
    for (const value of correlations) expect(value).toBeGreaterThan(0.999);
    await Promise.all([edf!.close(), bdf!.close()]);
  });

  test('with Chinese annotations and a start between two seconds are read', async () => {
    const recording = await openEdfFile(at('eeg-readers-pyedflib', 'test_utf8.edf'));
    expect(recording.start).toBe('2020-01-24T04:05:56.395');
    const texts = (await recording.annotations()).map(({ text }) => text);
    expect(texts).toContain('中文测试八个字');
    await recording.close();
  });

  test.each([
    ['crlf-damaged_S001R05.edf', 'line-endings'],
    ['crlf-and-cut_S001R01.edf', 'line-endings'],
    ['truncated_S001R01.edf', 'truncated'],
  ])('that are damaged are refused for what they are: %s, %s', async (name, fault) => {
    await expect(openEdfFile(at('eeg-nasty', name))).rejects.toMatchObject({ fault });
  });
});

function correlation(a: Float64Array, b: Float64Array): number {
  const meanOf = (values: Float64Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  const [ab, aa, bb] = a.reduce(
    ([xy, xx, yy], value, i) => {
      const [x, y] = [value - meanA, b[i]! - meanB];
      return [xy! + x * y, xx! + x * x, yy! + y * y];
    },
    [0, 0, 0] as number[],
  );
  return ab! / Math.sqrt(aa! * bb!);
}
