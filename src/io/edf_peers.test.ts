import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { sharedData } from '../../fixtures/shared_data.js';
import { openEdfFile } from './edf.js';
import { voltsPerUnit } from './recording.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-edf-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = process.env.T2T_PYTHON ?? 'python3';
const witness = witnessScript();
const made = writeMade();
const shared = [
  'biosemi',
  'eegmmidb',
  'readers-EDFjl',
  'readers-edfio',
  'readers-mne',
  'readers-pyedflib',
  'sleepedf',
]
  .map((name) => sharedData(`eeg-${name}`))
  .flatMap((path) => (path === undefined ? [] : readdirSync(path).map((name) => join(path, name))))
  .filter((path) => /\.[be]df$/.test(path));

for (const reader of ['pyedflib', 'mne'] as const) {
  const isThere = askWitness(reader, made[0]!) !== 'absent';
  if (!isThere) console.warn(`SKIPPED: ${python} has no ${reader}; set T2T_PYTHON to one that has`);
  const name = `what ${reader} reads, sample by sample${isThere ? '' : ` (skipped: ${python} has no ${reader})`}`;
  test.skipIf(!isThere).each([...made, ...shared].map((path) => [basename(path), path]))(
    `%s is ${name}`,
    async (_, path) => {
      const theirs = askWitness(reader, path);
      if (typeof theirs === 'string') {
        // A reader refuses some that the other one reads, e.g. an EDF+ without annotations.
        expect(theirs, path).toMatch(
          reader === 'pyedflib' ? /not EDF\(\+\) or BDF\(\+\) compliant/ : /^refused: .*EDF\+D/,
        );
        return;
      }
      const ours = await openEdfFile(path);
      expect(ours.signals.map(({ label }) => label)).toEqual(
        reader === 'mne'
          ? theirs.labels.map((label, i) => unnumbered(label, ours.signals[i]?.label))
          : theirs.labels,
      );
      const fastest = Math.max(...ours.signals.map(({ samplingRate }) => samplingRate));
      for (const [i, signal] of ours.signals.entries()) {
        if (reader === 'mne' && signal.samplingRate !== fastest) continue;
        const scale = reader === 'mne' ? (voltsPerUnit(signal.unit) ?? 1) : 1;
        const values = await ours.readSignal(i);
        expect(values.length).toBe(theirs.values[i]!.length);
        // pyedflib computes as we do: to the last bit. MNE has volts, and rounds elsewhere.
        if (reader === 'pyedflib') expect(values).toEqual(theirs.values[i]);
        else expect(furthest(values, theirs.values[i]!, scale)).toBeLessThan(1e-12);
      }
      const annotations = (await ours.annotations()).map(({ onset, duration, text }) => [
        onset,
        duration ?? 0,
        text,
      ]);
      const expected = theirs.annotations
        .map(([onset, duration, text]) => [onset, Math.max(0, duration), text] as const)
        .sort(([a], [b]) => a - b);
      expect(annotations.map(([, , text]) => text)).toEqual(expected.map(([, , text]) => text));
      for (const [i, [onset, duration]] of expected.entries()) {
        // pyedflib counts in 100 ns, MNE rounds to a microsecond.
        expect(Math.abs(onset - Number(annotations[i]![0]))).toBeLessThan(1e-6);
        expect(Math.abs(duration - Number(annotations[i]![1]))).toBeLessThan(1e-6);
      }
      await ours.close();
    },
  );
}

/** The largest difference, relative to the largest value. */
function furthest(ours: Float64Array, theirs: Float64Array, scale: number): number {
  let [most, difference] = [1e-300, 0];
  for (let i = 0; i < ours.length; i++) {
    most = Math.max(most, Math.abs(theirs[i]!));
    difference = Math.max(difference, Math.abs(ours[i]! * scale - theirs[i]!));
  }
  return difference / most;
}

/** MNE numbers labels that are there twice. */
function unnumbered(label: string, ours: string | undefined): string {
  return ours !== undefined && label.replace(/-\d+$/, '') === ours ? ours : label;
}

function writeMade(): string[] {
  const labels = ['Fp1', 'Cz', 'O1'];
  return (['EDF', 'EDF+C', 'BDF', 'BDF+C'] as const).map((format) => {
    const recording = eyesRecording({ seed: format, seconds: 30, format, labels });
    const isPlus = format.includes('+');
    const path = join(folder, `${format}.${format.slice(0, 3).toLowerCase()}`);
    writeFileSync(
      path,
      makeEdf(isPlus ? { ...recording, annotationSignals: 2 } : { ...recording, annotations: [] }),
    );
    return path;
  });
}

interface Witnessed {
  readonly labels: readonly string[];
  readonly samples: readonly number[];
  readonly annotations: readonly (readonly [onset: number, duration: number, text: string])[];
  readonly values: readonly Float64Array[];
}

/** What a reader reads, `absent` where it is not installed, or why it refuses the file. */
function askWitness(reader: string, path: string): Witnessed | string {
  const out = join(folder, 'values');
  try {
    const line = execFileSync(python, [witness, reader, path, out], {
      timeout: 120_000,
      maxBuffer: 2 ** 28,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const found = JSON.parse(line) as Omit<Witnessed, 'values'>;
    const bytes = readFileSync(out);
    let at = 0;
    const values = found.samples.map((samples) => {
      at += samples * 8;
      return new Float64Array(Uint8Array.from(bytes.subarray(at - samples * 8, at)).buffer);
    });
    return { ...found, values };
  } catch (error) {
    const { status, code, stderr } = error as { status?: number; code?: string; stderr?: string };
    if (status === 3 || code === 'ENOENT') return 'absent';
    if (status === 4) return `refused: ${stderr}`;
    throw error;
  }
}

function witnessScript(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const path = join(at, 'fixtures', 'witness', 'edf_values.py');
    if (existsSync(path)) return path;
    if (at === dirname(at)) throw new Error('fixtures/witness/edf_values.py is missing');
    at = dirname(at);
  }
}
