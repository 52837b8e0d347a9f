/**
 * From a run of EEGMMIDB to a written shard of labelled windows, signal steps included: ours against MNE, by the clock and
 * by processor time. Both are one thread that is warm, and wait until the disk holds the file; ours also has checksums.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEegmmidbFiles } from '../fixtures/eegmmidb_files.js';
import { sharedData } from '../fixtures/shared_data.js';
import type { EegmmidbRecording, EegmmidbSource } from '../src/datasets/eegmmidb/eegmmidb.js';
import { parseEventFile } from '../src/datasets/eegmmidb/events.js';
import { taskOfRun } from '../src/datasets/eegmmidb/tasks.js';
import { createExampleEncoder } from '../src/io/example.js';
import { createExampleParser } from '../src/io/example_parser.js';
import { RecordWriter } from '../src/io/tfrecord.js';
import { readRecords } from '../src/io/tfrecord_reader.js';
import { EegMotorImagery } from '../src/problems/eeg_motor_imagery.js';
import { type PlanRow, type PreparedInput, withOptions } from '../src/problems/problem.js';
import { alternate, type BenchFigure, type BenchMissing, figure, median } from './harness.js';
import { startPython } from './python_lines.js';

/** A run in which fists are imagined to be closed. */
const RUN = 4;
const SUBJECT = 'S001';
const FILE = `${SUBJECT}/${SUBJECT}R04.edf`;

/** 15 trials in the true run, of 4.1 seconds each. */
const TRIALS = 15;

const WINDOW_SECONDS = 4;
const BAND = { low: 4, high: 38, order: 4 };
const HERTZ = 128;

const RUNS = 15;

/** A corpus has hundreds of recordings: code that is compiled while it runs is compiled after as many. */
const WARM_RUNS = 20;

/** Ours and MNE's windows differ by less, in standard deviations: who computes something else must not look fast. */
const MOST_DIFFERENCE = 0.01;

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-eeg-'));
  const python = startPython(['-c', WINDOWS_BY_MNE]);
  try {
    if ((await python.answer()) !== 'ready') {
      yield { bench: 'eeg_windows/shard', missing: 'MNE', reason: 'set T2T_PYTHON to a Python that has it' };
      return;
    }
    const path = recordingIn(folder);
    const [shard, floats] = [join(folder, 'shard'), join(folder, 'floats')];
    const job = { path, out: floats, ...BAND, hertz: HERTZ, seconds: WINDOW_SECONDS };
    const processor = { ours: [] as number[], theirs: [] as number[] };
    const ours = async (): Promise<number> => {
      const start = process.cpuUsage();
      const windows = await shardByUs(path, shard);
      const { user, system } = process.cpuUsage(start);
      processor.ours.push((windows / (user + system)) * 1e6);
      return windows;
    };
    const theirs = async (): Promise<number> => {
      python.ask(JSON.stringify(job));
      const [windows, seconds] = ((await python.answer()) ?? '').split(' ').map(Number) as [number, number];
      processor.theirs.push(windows / seconds);
      return windows;
    };
    for (let run = 0; run < WARM_RUNS; run++) {
      for (const out of [shard, floats]) rmSync(out, { force: true });
      await ours();
      await theirs();
    }
    await compare(shard, floats);
    const medians = await alternate({
      runs: RUNS,
      ours,
      theirs,
      // A shard's name is never there before it is written.
      before: () => {
        rmSync(shard, { force: true });
        rmSync(floats, { force: true });
      },
    });
    yield figure('eeg_windows/shard', 'MNE', 'windows/s', medians);
    const [ourTime, theirTime] = [processor.ours, processor.theirs].map((rates) =>
      median(rates.slice(-RUNS)),
    );
    yield figure('eeg_windows/shard-processor', 'MNE', 'windows/s of processor time', {
      ours: ourTime as number,
      theirs: theirTime as number,
      n: RUNS,
    });
  } finally {
    python.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The true run where it is there, else a made-up one of the same form; with its `.event` file beside it. */
function recordingIn(folder: string): string {
  const path = join(folder, 'recording.edf');
  const real = sharedData('eeg-eegmmidb', `${SUBJECT}R04.edf`);
  const made =
    real === undefined ? makeEegmmidbFiles({ subjects: [1], runs: [RUN], trials: TRIALS }) : undefined;
  for (const end of ['', '.event'])
    writeFileSync(`${path}${end}`, made?.get(`${FILE}${end}`) ?? readFileSync(`${real}${end}`));
  return path;
}

/** The Problem as datagen uses it, without processes: plan, prepare, example, write. */
async function shardByUs(path: string, shard: string): Promise<number> {
  const problem = motorImagery();
  const { preparation, features } = problem;
  const task = taskOfRun(RUN) as EegmmidbRecording['task'];
  const recording = { id: `${SUBJECT}R04`, subject: SUBJECT, session: 'R04', fileName: FILE, run: RUN, task };
  const source: EegmmidbSource = {
    recordings: [recording],
    events: ({ run }) => parseEventFile(readFileSync(`${path}.event`), { run, where: path }),
  };
  const rows = [];
  for await (const row of problem.plan('train', source, { seed: 0, note: () => {} })) {
    if ('rejected' in row) throw new Error(`${row.key} is rejected: ${row.rejected}`);
    rows.push(row);
  }
  const raw = readFileSync(path);
  const inputs = rows.flatMap((row) => problem.inputs(row));
  const prepared = await preparation.prepare(raw, inputs);
  const encoder = createExampleEncoder(features);
  const writer = RecordWriter.create(shard);
  for (const [i, outcome] of prepared.entries()) {
    if (!outcome.ok) throw new Error(outcome.detail);
    const input = { ...outcome, input: inputs[i], contentSha256: '' } as PreparedInput;
    writer.writeExample(encoder, problem.example(rows[i] as (typeof rows)[number] & PlanRow, [input]));
  }
  return writer.finish().records;
}

function motorImagery(): EegMotorImagery {
  return withOptions(new EegMotorImagery(), {
    window_seconds: WINDOW_SECONDS,
    band_low: BAND.low,
    band_high: BAND.high,
    band_order: BAND.order,
    resample: HERTZ,
    standardise: 'channel',
    dev_fraction: 0,
    test_fraction: 0,
  });
}

/** Fails where what was written differs: labels, numbers of windows, samples. */
async function compare(shard: string, floats: string): Promise<void> {
  const parser = createExampleParser(motorImagery().features);
  const theirs = new Float32Array(Uint8Array.from(readFileSync(floats)).buffer);
  let at = 0;
  for await (const { data } of readRecords(shard)) {
    const { targets, 'eeg/raw': samples } = parser.parse(data);
    if (theirs[at] !== targets)
      throw new Error(`window ${at} is a ${theirs[at]} for MNE, a ${targets} for us`);
    at += 1;
    for (const value of samples) {
      const difference = Math.abs(value - (theirs[at++] as number));
      if (!(difference < MOST_DIFFERENCE)) throw new Error(`windows differ by ${difference} deviations`);
    }
  }
  if (at !== theirs.length || at === 0) throw new Error(`${at} values by us, ${theirs.length} by MNE`);
}

/** Python stays, so that its start and imports are not timed: a job in; the windows written and its processor time, in seconds, out. */
const WINDOWS_BY_MNE = `
import json, os, sys, time
try:
    import mne
    import numpy
except ImportError:
    print("absent", flush=True)
    sys.exit()
mne.set_log_level("ERROR")
print("ready", flush=True)
for line in sys.stdin:
    job = json.loads(line)
    start = time.process_time()
    raw = mne.io.read_raw_edf(job["path"], preload=True)
    params = dict(order=job["order"], ftype="butter", output="sos")
    raw.filter(job["low"], job["high"], method="iir", iir_params=params)
    raw.resample(job["hertz"], method="polyphase")
    events, ids = mne.events_from_annotations(raw, event_id={"T1": 1, "T2": 2})
    last = job["seconds"] - 1 / raw.info["sfreq"]
    epochs = mne.Epochs(raw, events, tmin=0, tmax=last, baseline=None, preload=True)
    values = epochs.get_data()
    values = (values - values.mean(axis=2, keepdims=True)) / values.std(axis=2, keepdims=True)
    with open(job["out"], "wb") as out:
        for target, window in zip(epochs.events[:, 2] - 1, values.astype("<f4")):
            out.write(numpy.float32(target).tobytes() + window.tobytes())
        out.flush()
        os.fsync(out.fileno())
    print(len(values), time.process_time() - start, flush=True)
`;
