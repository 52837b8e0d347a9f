/** Whole recordings decoded to physical values: ours against `edfjs`, and against pyedflib where Python has it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEdf } from '../fixtures/eeg_recording.js';
import { openEdfFile } from '../src/io/edf.js';
import { seededRandom } from '../src/io/random.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { startPython } from './python_lines.js';

/** As EEGMMIDB has it: 64 channels at 160 Hz in records of a second, here for 16 minutes: 20 MB. */
const CHANNELS = 64;
const RATE = 160;
const SECONDS = 1000;

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-edf-'));
  try {
    const edf = writeRecording(join(folder, 'recording.edf'), 'EDF+C');
    const bdf = writeRecording(join(folder, 'recording.bdf'), 'BDF+C');
    yield* againstEdfjs(edf);
    yield* againstPyedflib(edf, bdf);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* againstEdfjs(path: string): AsyncGenerator<BenchFigure | BenchMissing> {
  const peer = await importEdfjs();
  if (peer === undefined) {
    yield {
      bench: 'edf/decode',
      missing: 'edfjs',
      reason: 'it is a development dependency and not installed',
    };
    return;
  }
  const medians = await alternate({
    runs: 9,
    ours: () => decodeOurs(path, 'float32'),
    theirs: () => decodeWithEdfjs(peer, path),
  });
  yield figure('edf/decode', 'edfjs', 'MB/s', medians);
}

async function* againstPyedflib(edf: string, bdf: string): AsyncGenerator<BenchFigure | BenchMissing> {
  const python = startPython(['-c', DECODE_WITH_PYEDFLIB]);
  try {
    if ((await python.answer()) !== 'ready') {
      yield { bench: 'edf/decode', missing: 'pyedflib', reason: 'set T2T_PYTHON to a Python that has it' };
      return;
    }
    for (const [name, path] of [
      ['edf/decode', edf],
      ['edf/decode-bdf', bdf],
    ] as const) {
      const medians = await alternate({
        runs: 9,
        ours: () => decodeOurs(path, 'float64'),
        theirs: async () => {
          python.ask(path);
          return checked(Number(await python.answer()));
        },
      });
      yield figure(name, 'pyedflib', 'MB/s', medians);
    }
  } finally {
    python.process.kill();
  }
}

/** What to decode to: `edfjs` gives floats, pyedflib doubles. */
type Precision = 'float32' | 'float64';

/** Megabytes of 16-bit samples, where all were decoded: a reader that stops early must not look fast. */
function checked(samples: number): number {
  if (samples !== CHANNELS * RATE * SECONDS) throw new Error(`decoded ${samples} samples`);
  return (samples * 2) / 1e6;
}

async function decodeOurs(path: string, precision: Precision): Promise<number> {
  const recording = await openEdfFile(path);
  try {
    const ranges = recording.signals.map((_, signal) => ({ signal }));
    const values: readonly { readonly length: number }[] =
      precision === 'float32'
        ? await recording.readSignalsFloat32(ranges)
        : await recording.readSignals(ranges);
    await recording.annotations();
    return checked(values.reduce((sum, { length }) => sum + length, 0));
  } finally {
    await recording.close();
  }
}

/** What of `edfjs` is used; it has no types. */
interface Edfjs {
  readonly EDF: new () => {
    read_buffer(buffer: ArrayBufferLike): void;
    readonly annotations: unknown;
    readonly channels: readonly { readonly label: string }[];
    get_physical_samples(
      from: number,
      seconds: number | null,
      labels: readonly string[],
    ): Promise<Readonly<Record<string, ArrayLike<number>>>>;
  };
}

async function importEdfjs(): Promise<Edfjs | undefined> {
  const name = 'edfjs';
  return (await import(name).catch(() => undefined)) as Edfjs | undefined;
}

async function decodeWithEdfjs({ EDF }: Edfjs, path: string): Promise<number> {
  const bytes = readFileSync(path);
  const edf = new EDF();
  edf.read_buffer(bytes.buffer);
  const labels = edf.channels
    .map(({ label }) => label)
    .filter((label) => !label.startsWith('EDF Annotations'));
  const values = await edf.get_physical_samples(0, null, labels);
  if (edf.annotations === undefined) throw new Error('no annotations');
  return checked(Object.values(values).reduce((sum, { length }) => sum + length, 0));
}

/** Python stays, so that its start is not timed: a path in, a number of samples out. */
const DECODE_WITH_PYEDFLIB = `
import sys
try:
    import pyedflib
except ImportError:
    print("absent", flush=True)
    sys.exit()
print("ready", flush=True)
for line in sys.stdin:
    with pyedflib.EdfReader(line.strip()) as file:
        values = [file.readSignal(i) for i in range(file.signals_in_file)]
        file.readAnnotations()
    print(sum(len(signal) for signal in values), flush=True)
`;

function writeRecording(path: string, format: 'EDF+C' | 'BDF+C'): string {
  const random = seededRandom(format);
  const values = Float64Array.from({ length: 9973 }, () => 200 * (random.next() - 0.5));
  const signals = Array.from({ length: CHANNELS }, (_, i) => ({
    label: `C${i}`,
    samplingRate: RATE,
    valueAt: (t: number) => values[Math.round(t * RATE + i * 31) % values.length]!,
  }));
  const annotations = Array.from({ length: SECONDS / 4 }, (_, i) => ({
    onset: i * 4,
    duration: 4,
    text: 'T0',
  }));
  writeFileSync(path, makeEdf({ format, signals, seconds: SECONDS, annotations }));
  return path;
}
