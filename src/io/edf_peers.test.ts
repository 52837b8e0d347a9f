import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { WITNESS_PYTHON, witnessRecordings } from '../../fixtures/edf_witness.js';
import { eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { sharedData } from '../../fixtures/shared_data.js';
import { openEdfFile } from './edf.js';
import { voltsPerUnit } from './recording.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-edf-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SHARED = [
  'biosemi',
  'eegmmidb',
  'readers-EDFjl',
  'readers-edfio',
  'readers-mne',
  'readers-pyedflib',
  'sleepedf',
];
const shared = SHARED.map((name) => sharedData(`eeg-${name}`))
  .flatMap((path) => (path === undefined ? [] : readdirSync(path).map((name) => join(path, name))))
  .filter((path) => /\.[be]df$/.test(path));
const paths = [...writeMade(), ...shared];

for (const reader of ['pyedflib', 'mne'] as const) {
  const witnessed = witnessRecordings(reader, paths);
  const isThere = witnessed !== undefined;
  const name = `what ${reader} reads, sample by sample${isThere ? '' : ` (skipped: ${WITNESS_PYTHON} has no ${reader})`}`;
  test.skipIf(!isThere).each(paths.map((path, i) => [basename(path), path, i] as const))(
    `%s is ${name}`,
    async (_, path, number) => {
      const theirs = witnessed![number]!;
      if ('refused' in theirs) {
        // EDFlib takes no EDF+ without annotations, and no number with a blank before it.
        expect([reader, basename(path)].join(' ')).toMatch(/^pyedflib (bdf_test\.edf|test\.bdf)$/);
        return;
      }
      const ours = await openEdfFile(path);
      expect(ours.signals.map(({ label }) => label)).toEqual(theirs.labels);
      const fastest = Math.max(...ours.signals.map(({ samplingRate }) => samplingRate));
      for (const [i, signal] of ours.signals.entries()) {
        if (reader === 'mne' && signal.samplingRate !== fastest) continue;
        expect(signal.samplingRate).toBeCloseTo(theirs.rates[i]!, 9);
        const values = await ours.readSignal(i);
        expect(values.length).toBe(theirs.values[i]!.length);
        if (reader === 'pyedflib')
          expect(Buffer.compare(bytesOf(values), bytesOf(theirs.values[i]!))).toBe(0);
        else {
          // MNE has volts and rounds elsewhere: equal to the last bits of the largest value that can be.
          const scale = voltsPerUnit(signal.unit) ?? 1;
          const most = scale * Math.max(Math.abs(signal.physicalMin), Math.abs(signal.physicalMax));
          expect(furthest(values, theirs.values[i]!, scale)).toBeLessThanOrEqual(4 * Number.EPSILON * most);
        }
      }
      const annotations = await ours.annotations();
      const expected = theirs.annotations.toSorted(([a], [b]) => a - b);
      expect(annotations.map(({ text }) => text)).toEqual(expected.map(([, , text]) => text));
      for (const [i, [onset, duration]] of expected.entries()) {
        // pyedflib counts in 100 ns, MNE rounds to a microsecond; -1 is no duration.
        expect(Math.abs(onset - annotations[i]!.onset)).toBeLessThan(1e-6);
        expect(Math.abs(Math.max(0, duration) - (annotations[i]!.duration ?? 0))).toBeLessThan(1e-6);
      }
      await ours.close();
    },
  );
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function furthest(ours: Float64Array, theirs: Float64Array, scale: number): number {
  let difference = 0;
  for (let i = 0; i < ours.length; i++)
    difference = Math.max(difference, Math.abs(ours[i]! * scale - theirs[i]!));
  return difference;
}

function writeMade(): string[] {
  const labels = ['Fp1', 'Cz', 'O1'];
  return (['EDF', 'EDF+C', 'BDF', 'BDF+C'] as const).map((format) => {
    const recording = eyesRecording({ seed: format, seconds: 30, format, labels });
    const isPlus = format.includes('+');
    const path = join(folder, `${format}.${format.slice(0, 3).toLowerCase()}`);
    const annotated = isPlus ? { ...recording, annotationSignals: 2 } : { ...recording, annotations: [] };
    writeFileSync(path, makeEdf(annotated));
    return path;
  });
}
