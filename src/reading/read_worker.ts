/** The worker thread of a reader: reads, decodes and prepares the records it is told. */

import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from '../io/worker_thread.js';
import { isTensor } from '../problems/decoded.js';
import '../problems/all.js';
import { problemOfManifest } from '../datagen/manifest_problem.js';
import { UserError } from '../io/errors.js';
import { type Problem, withOptions } from '../problems/problem.js';
import { problem, problemNames } from '../problems/registry.js';
import type { Batch } from './collate.js';
import type { ReadAnswer, ReadSetup, ReadTask } from './read_messages.js';
import { SplitReader } from './split_reader.js';

const port = parentPort;
if (port === null) throw new Error('read_worker.js is started by a reader, not by hand');
const setup = workerData as ReadSetup;

const reader = openReader();
// Whoever asks for records is told what is wrong.
reader.catch(() => {});

/** One task after the other: what is compressed is read in order. */
let last: Promise<void> = Promise.resolve();
port.on('message', (task: ReadTask) => {
  last = last.then(() => answer(task));
});

async function answer({ id, records, epoch }: ReadTask): Promise<void> {
  try {
    const batch = await (await reader).decoded(records, epoch);
    send({ id, batch }, buffersOf(batch));
  } catch (error) {
    send({ id, failure: failureOf(error) }, []);
  }
}

function send(message: ReadAnswer, buffers: readonly ArrayBuffer[]): void {
  port?.postMessage(message, buffers);
}

async function openReader(): Promise<SplitReader> {
  for (const module of setup.imports) await import(module);
  return new SplitReader(setup.split, problemOf(setup), setup.settings);
}

function problemOf({ problem: name, options, manifest }: ReadSetup): Problem {
  if (problemNames().includes(name)) return withOptions(problem(name), options);
  if (manifest !== undefined) return problemOfManifest(manifest, `the manifest of ${name}`);
  throw new UserError(`worker threads know no Problem ${name}`, {
    remedy: 'name the module that registers it in `imports`, or read with workers: 0',
  });
}

/** What is handed over instead of copied: every buffer once. */
function buffersOf(batch: Batch): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const value of Object.values(batch).flat()) {
    const view = value instanceof Uint8Array ? value : isTensor(value) ? value.data : undefined;
    if (view?.buffer instanceof ArrayBuffer) buffers.add(view.buffer);
  }
  return [...buffers];
}
