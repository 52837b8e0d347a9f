/** `npm run bench -- [NAME …] [--json]`: runs benchmarks and prints a line a figure, each against a named peer. */

import type { Bench, BenchFigure, BenchMissing } from './harness.js';

/** A name, and the module that measures it; loaded when it is run, since peers are heavy. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  tfrecord: () => import('./tfrecord.js'),
  edf: () => import('./edf.js'),
  faces: () => import('./faces.js'),
  tar: () => import('./tar.js'),
  read: () => import('./read.js'),
  sampling: () => import('./sampling.js'),
  eeg_windows: () => import('./eeg_windows.js'),
  eeg_signals: () => import('./eeg_signals.js'),
  train_step: () => import('./train_step.js'),
  datagen: () => import('./datagen.js'),
  download: () => import('./download.js'),
  image_bytes: () => import('./image_bytes.js'),
};

const words = process.argv.slice(2);
const isJson = words.includes('--json');
const asked = words.filter((word) => word !== '--json');
const unknown = asked.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  process.stderr.write(`no benchmark ${unknown.join(', ')}: there are ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
} else {
  for (const name of asked.length > 0 ? asked : Object.keys(BENCHES)) await run(name);
}

async function run(name: string): Promise<void> {
  const { bench } = await (BENCHES[name] as () => Promise<{ readonly bench: Bench }>)();
  for await (const line of bench())
    process.stdout.write(`${isJson ? JSON.stringify(line) : readable(line)}\n`);
}

function readable(line: BenchFigure | BenchMissing): string {
  if ('missing' in line) return `${line.bench.padEnd(28)} ${line.missing} is missing: ${line.reason}`;
  const { bench, ratio, against, ours, theirs, unit, n } = line;
  const figures = `${ours} against ${theirs} ${unit}, median of ${n}`;
  return `${bench.padEnd(28)} ${ratio.toString().padStart(7)} x ${against.padEnd(22)} ${figures}`;
}
