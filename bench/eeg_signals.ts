/** From an EEG file to labelled windows, signal steps included: ours against MNE, where Python has it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEdf, noise } from '../fixtures/eeg_recording.js';
import { electrodeNames } from '../src/eeg/montage.js';
import { readSignal } from '../src/eeg/read_signal.js';
import { signalTensor } from '../src/eeg/signal.js';
import { applySteps, channelsToRead, type SignalStep } from '../src/eeg/steps.js';
import { cutWindow, eventWindows, stretchesOf } from '../src/eeg/windows.js';
import { openEdfFile } from '../src/io/edf.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { startPython } from './python_lines.js';

/** As a run of EEGMMIDB: 64 channels at 160 Hz, two minutes, an event every four seconds or so. */
const CHANNELS = electrodeNames().slice(0, 64);
const RATE = 160;
const SECONDS = 125;
const EVERY_SECONDS = 4.1;
const WINDOW_SECONDS = 4;
const EVENTS = Math.floor(SECONDS / EVERY_SECONDS);

const BAND_PASS: SignalStep = { step: 'bandPass', low: 1, high: 40, order: 4 };
const RESAMPLE: SignalStep = { step: 'resample', hertz: 128 };
const MOTOR: SignalStep = { step: 'pick', channels: ['C3', 'Cz', 'C4'] };

const LISTS: Readonly<Record<string, readonly SignalStep[]>> = {
  'eeg/windows': [],
  'eeg/windows-filtered': [BAND_PASS],
  'eeg/windows-filtered-resampled': [BAND_PASS, RESAMPLE],
  'eeg/windows-three-channels': [MOTOR, BAND_PASS, RESAMPLE],
};

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-eeg-'));
  const python = startPython(['-c', WINDOWS_BY_MNE]);
  try {
    if ((await python.answer()) !== 'ready') {
      yield { bench: 'eeg/windows', missing: 'MNE', reason: 'set T2T_PYTHON to a Python that has it' };
      return;
    }
    const path = writeRecording(join(folder, 'recording.edf'));
    for (const [name, steps] of Object.entries(LISTS)) {
      const medians = await alternate({
        runs: 9,
        ours: () => windowsByUs(path, steps),
        theirs: async () => {
          python.ask(JSON.stringify({ path, steps, seconds: WINDOW_SECONDS }));
          return checked(Number(await python.answer()));
        },
      });
      yield figure(name, 'MNE', 'windows/s', medians);
    }
  } finally {
    python.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All windows must be there: who leaves some out must not look fast. */
function checked(windows: number): number {
  if (windows !== EVENTS) throw new Error(`${windows} windows`);
  return windows;
}

async function windowsByUs(path: string, steps: readonly SignalStep[]): Promise<number> {
  const recording = await openEdfFile(path);
  try {
    const channels = channelsToRead(steps);
    const signal = applySteps(await readSignal(recording, channels && { channels }), steps);
    const stretches = stretchesOf(await recording.segments(), signal.samplingRate);
    const events = await recording.annotations();
    const tensors = eventWindows(stretches, signal.samplingRate, events, { seconds: WINDOW_SECONDS }).flatMap(
      ({ window }) => (window === undefined ? [] : [signalTensor(cutWindow(signal, window))]),
    );
    return checked(tensors.length);
  } finally {
    await recording.close();
  }
}

/** Python stays, so that its start and imports are not timed: a job in, a number of windows out. */
const WINDOWS_BY_MNE = `
import json, sys
try:
    import mne
except ImportError:
    print("absent", flush=True)
    sys.exit()
mne.set_log_level("ERROR")
print("ready", flush=True)
for line in sys.stdin:
    job = json.loads(line)
    raw = mne.io.read_raw_edf(job["path"], preload=True)
    for step in job["steps"]:
        if step["step"] == "pick":
            raw.pick(step["channels"])
        elif step["step"] == "bandPass":
            params = dict(order=step["order"], ftype="butter", output="sos")
            raw.filter(step["low"], step["high"], method="iir", iir_params=params)
        elif step["step"] == "resample":
            raw.resample(step["hertz"], method="polyphase")
    events, ids = mne.events_from_annotations(raw)
    last = job["seconds"] - 1 / raw.info["sfreq"]
    epochs = mne.Epochs(raw, events, tmin=0, tmax=last, baseline=None, preload=True)
    values = epochs.get_data(units="uV").astype("float32")
    print(len(values), flush=True)
`;

function writeRecording(path: string): string {
  const signals = CHANNELS.map((label) => ({
    label,
    samplingRate: RATE,
    valueAt: noise(label, 50),
    unit: 'uV',
  }));
  const annotations = Array.from({ length: EVENTS }, (_, i) => ({
    onset: i * EVERY_SECONDS,
    duration: EVERY_SECONDS,
    text: `T${i % 3}`,
  }));
  writeFileSync(path, makeEdf({ format: 'EDF+C', signals, seconds: SECONDS, annotations }));
  return path;
}
