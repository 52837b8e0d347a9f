/** The worker thread: prepares inputs and makes shards as it is told. */

import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { DatasetFile, DatasetFiles } from '../datasets/dataset.js';
import { contentHash } from '../io/content_store.js';
import { UserError } from '../io/errors.js';
import { DamagedMemberError } from '../io/tar_index.js';
import { failureOf } from '../io/worker_thread.js';
import '../problems/all.js';
import { type PreparationOutcome, type Problem, withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { type InputOutcome, missingFile, UNREADABLE } from './input_table.js';
import { makeShard } from './make_shard.js';
import { PackWriter, packed } from './prepared_store.js';
import type {
  PrepareFilesResult,
  PrepareFilesTask,
  PrepareResult,
  PrepareTask,
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
  switch (task.kind) {
    case 'prepare':
      return prepare(task);
    case 'prepare-files':
      return prepareFiles(task);
    case 'shard':
      return { kind: 'made', head: await makeShard(ours, setup.preparedFolder, task) };
  }
}

async function prepare(task: PrepareTask): Promise<PrepareResult> {
  let raw: Buffer;
  try {
    raw = readFileSync(task.path);
  } catch {
    return { kind: 'altered' };
  }
  if (contentHash(raw) !== task.content) return { kind: 'altered' };
  const outcomes = await preparation.prepare(
    raw,
    task.parts.map((part) => part ?? {}),
  );
  return { kind: 'prepared', outcomes: outcomes.map((outcome) => keep(task.content, outcome)) };
}

let files: Promise<DatasetFiles> | undefined;

async function prepareFiles(task: PrepareFilesTask): Promise<PrepareFilesResult> {
  if (ours.dataset.openFiles === undefined)
    throw new UserError(`the dataset ${ours.dataset.name} has no files of its own`, {
      where: `${ours.name}, input ${task.files[0]?.name}`,
      remedy: 'give the Dataset an openFiles(), or inputs with http addresses',
    });
  files ??= ours.dataset.openFiles(setup.place);
  const open = await files;
  const outcomes: InputOutcome[] = [];
  for (const { name, parts } of task.files) {
    const file = await readFile(open, name);
    if ('ok' in file) {
      outcomes.push(...parts.map(() => file));
      continue;
    }
    const { bytes, ...hint } = file;
    const content = contentHash(bytes);
    const wanted = parts.map((part) => ({ ...hint, ...part }));
    for (const outcome of await preparation.prepare(bytes, wanted)) outcomes.push(keep(content, outcome));
  }
  return { kind: 'files-prepared', outcomes };
}

/** The file, or its outcome where it is missing or its archive is damaged at that place: others may still be whole. */
async function readFile(
  open: DatasetFiles,
  name: string,
): Promise<DatasetFile | (InputOutcome & { ok: false })> {
  try {
    return (await open.read(name)) ?? missingFile(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isDamage = error instanceof DamagedMemberError || FILE_DAMAGE.has(code ?? '');
    if (!isDamage) throw error;
    return { ok: false, reason: UNREADABLE, detail: `${name}: ${(error as Error).message}` };
  }
}

/** What the system says of one file; what it says of all (too many open, no memory) ends the run. */
const FILE_DAMAGE = new Set(['EIO', 'EACCES', 'EPERM', 'EISDIR', 'ENAMETOOLONG']);

function keep(content: string, outcome: PreparationOutcome): InputOutcome {
  return outcome.ok ? { ok: true, content, ...pack.append(packed(outcome.bytes, outcome.facts)) } : outcome;
}
