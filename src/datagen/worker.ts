/** The worker thread: prepares inputs and makes shards as it is told. */

import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { contentHash } from '../io/content_store.js';
import { UserError } from '../io/errors.js';
import '../problems/all.js';
import { type Problem, withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { reasonOfCropFailure } from '../problems/rejection.js';
import type { InputOutcome } from './input_table.js';
import { makeShard } from './make_shard.js';
import { PackWriter } from './prepared_store.js';
import type {
  PrepareResult,
  PrepareTask,
  WorkerFailure,
  WorkerResult,
  WorkerSetup,
  WorkerTask,
} from './worker_messages.js';

const port = parentPort;
if (port === null) throw new Error('worker.js is started by the worker pool, not by hand');
const setup = workerData as WorkerSetup;

for (const module of setup.imports) await import(module);
const ours: Problem = withOptions(problem(setup.problem), setup.options);
const { preparation } = ours;
const pack = new PackWriter(setup.preparedFolder, setup.worker);

port.on('message', ({ id, task }: { id: number; task: WorkerTask }) => {
  perform(task).then(
    (result) => port.postMessage({ id, result }),
    (error: unknown) => port.postMessage({ id, failure: failureOf(error) }),
  );
});

async function perform(task: WorkerTask): Promise<WorkerResult> {
  return task.kind === 'prepare'
    ? prepare(task)
    : { kind: 'made', head: await makeShard(ours, setup.preparedFolder, task) };
}

async function prepare(task: PrepareTask): Promise<PrepareResult> {
  let raw: Buffer;
  try {
    raw = readFileSync(task.path);
  } catch {
    return { kind: 'altered' };
  }
  if (contentHash(raw) !== task.content) return { kind: 'altered' };
  const crops = await preparation.prepare(raw, task.boxes);
  const outcomes = crops.map(
    (crop): InputOutcome =>
      crop.ok
        ? { ok: true, content: task.content, ...pack.append(crop.jpeg) }
        : { ok: false, reason: reasonOfCropFailure(crop.failure), detail: crop.detail },
  );
  return { kind: 'prepared', outcomes };
}

function failureOf(error: unknown): WorkerFailure {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  if (error instanceof UserError)
    return {
      what: error.what,
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      ...stack,
    };
  return { what: error instanceof Error ? error.message : String(error), ...stack };
}
