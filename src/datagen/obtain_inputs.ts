/** Obtains and prepares inputs: each URL asked once, each face cropped once, both while the other goes on. */

import pLimit from 'p-limit';
import { type FetchUrlsOptions, fetchUrls, type WaitingHost } from '../io/fetch_urls.js';
import { datasetFileName } from '../problems/problem.js';
import { type MissedFiles, missedOutcome } from './fetch_own_files.js';
import { failedOutcome, type InputRecords, urlOf } from './input_records.js';
import { type InputOutcome, UNREADABLE } from './input_table.js';
import type { RejectionTally } from './worker_messages.js';
import type { WorkerPool } from './worker_pool.js';

export interface InputsProgress {
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  readonly rejected: RejectionTally;
  readonly waiting: readonly WaitingHost[];
}

export interface ObtainInputsOptions {
  readonly records: InputRecords;
  /** Numbers of the inputs wanted. */
  readonly wanted: readonly number[];
  /** Files of the dataset's own that could not be fetched. */
  readonly missed: MissedFiles;
  readonly pool: WorkerPool;
  readonly fetch: Omit<FetchUrlsOptions, 'store' | 'journal'>;
  readonly onProgress?: (progress: InputsProgress) => void;
}

/** A stored file that was altered is fetched again, but not for ever. */
const MAX_ROUNDS = 3;

/**
 * Gives every input of `wanted` an outcome in the table: asks for its URL and prepares it on the pool. An image is asked
 * for once however many faces are wanted of it, and its faces are cropped as soon as it is there.
 */
export async function obtainInputs(options: ObtainInputsOptions): Promise<void> {
  const { table } = options.records;
  let missing = options.wanted;
  for (let round = 0; round < MAX_ROUNDS && missing.length > 0; round++) {
    await obtainRound({ ...options, wanted: missing });
    // A stopped fetch ends quietly; what it left is not known to have failed.
    options.fetch.signal?.throwIfAborted();
    missing = missing.filter((input) => !table.outcomes.has(input));
  }
  for (const input of missing)
    table.outcomes.set(input, {
      ok: false,
      reason: 'undecodable-image',
      detail: 'the stored file changed each time after it was fetched',
    });
}

async function obtainRound(options: ObtainInputsOptions): Promise<void> {
  const { records, pool } = options;
  const { table, store, journal, prepared } = records;
  const byUrl = new Map<string, number[]>();
  const own: number[] = [];
  for (const input of options.wanted) {
    const url = urlOf(table, input);
    if (datasetFileName(url) !== undefined) {
      own.push(input);
      continue;
    }
    const inputs = byUrl.get(url);
    if (inputs === undefined) byUrl.set(url, [input]);
    else inputs.push(input);
  }
  const rejected: RejectionTally = {};
  let done = 0;
  let bytes = 0;
  let waiting: readonly WaitingHost[] = [];
  const report = (): void =>
    options.onProgress?.({ done, total: options.wanted.length, bytes, rejected, waiting });
  const settle = (input: number, outcome: InputOutcome): void => {
    table.outcomes.set(input, outcome);
    done += 1;
    if (!outcome.ok) rejected[outcome.reason] = (rejected[outcome.reason] ?? 0) + 1;
  };

  const preparing = new Set<Promise<void>>();
  let failure: unknown;
  const prepare = async (content: string, inputs: readonly number[]): Promise<void> => {
    const parts = inputs.map((input) => table.parts[input]);
    const result = await pool.run({ kind: 'prepare', path: store.path(content), content, parts });
    if (result.kind === 'altered') {
      store.remove(content);
      return;
    }
    for (const [i, input] of inputs.entries()) {
      const outcome = result.outcomes[i] as InputOutcome;
      prepared.add(content, table.parts[input], outcome);
      settle(input, outcome);
    }
    report();
  };

  const preparingOwn = prepareOwnFiles(options, own, settle, report);
  preparingOwn.catch((error: unknown) => {
    failure ??= error;
  });

  const fates = fetchUrls(byUrl.keys(), {
    ...options.fetch,
    store,
    journal,
    onEvent: (event) => {
      options.fetch.onEvent?.(event);
      if (event.type === 'waiting') waiting = event.hosts;
      if (event.type === 'received') bytes += event.bytes;
      report();
    },
  });
  for await (const fate of fates) {
    const inputs = byUrl.get(fate.url) as number[];
    if (fate.status === 'failed') {
      for (const input of inputs) settle(input, failedOutcome(fate));
      report();
      continue;
    }
    const unprepared: number[] = [];
    for (const input of inputs) {
      const known = prepared.get(fate.sha256, table.parts[input]);
      if (known === undefined) unprepared.push(input);
      else settle(input, known);
    }
    if (unprepared.length > 0) {
      const task = prepare(fate.sha256, unprepared).catch((error: unknown) => {
        failure ??= error;
      });
      preparing.add(task);
      void task.finally(() => preparing.delete(task));
      // Downloads wait for the crops when they run ahead of them, so that neither memory nor the pool's queue grows.
      while (preparing.size >= pool.capacity * 2) await Promise.race(preparing);
    }
    if (failure !== undefined) throw failure;
    report();
  }
  await Promise.all([...preparing, preparingOwn]);
  if (failure !== undefined) throw failure;
}

/** Files a task: enough that neighbours in an archive are read together, few enough that all workers have some. */
const FILES_PER_TASK = 16;

async function prepareOwnFiles(
  { records, missed, pool, fetch }: ObtainInputsOptions,
  inputs: readonly number[],
  settle: (input: number, outcome: InputOutcome) => void,
  report: () => void,
): Promise<void> {
  const { table, prepared, own } = records;
  const named: { readonly name: string; readonly input: number }[] = [];
  for (const input of inputs) {
    const name = datasetFileName(urlOf(table, input)) as string;
    const failure = missed.get(name);
    if (failure === undefined) {
      named.push({ name, input });
      continue;
    }
    const outcome = missedOutcome(failure);
    prepared.add(urlOf(table, input), table.parts[input], outcome);
    settle(input, outcome);
  }
  report();
  // In the order of names, since archives are read in order fastest; all parts of a file at once.
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.input - b.input));
  const isFirst = (i: number): boolean => named[i]?.name !== named[i - 1]?.name;
  const firsts = named.flatMap((_, i) => (isFirst(i) ? [i] : []));
  const partsOf = (file: number) => named.slice(firsts[file], firsts[file + 1]);
  const limit = pLimit(pool.capacity);
  const size = Math.max(1, Math.min(FILES_PER_TASK, Math.ceil(firsts.length / pool.capacity)));
  const prepareSome = async (start: number): Promise<void> => {
    fetch.signal?.throwIfAborted();
    const files = Array.from({ length: Math.min(size, firsts.length - start) }, (_, i) => partsOf(start + i));
    const nameOf = (file: (typeof files)[number]): string => (file[0] as (typeof file)[number]).name;
    // Stamps are taken before: a file that changes meanwhile is then seen to be another one.
    const stamps = files.map((file) => own?.files.stamp(nameOf(file)));
    const { outcomes } = await pool.run({
      kind: 'prepare-files',
      files: files.map((file) => ({
        name: nameOf(file),
        parts: file.map(({ input }) => table.parts[input]),
      })),
    });
    let at = 0;
    for (const [i, file] of files.entries())
      for (const { input } of file) {
        const outcome = outcomes[at++] as InputOutcome;
        const stamp = stamps[i];
        const isKept = outcome.ok || outcome.reason !== UNREADABLE;
        if (stamp !== undefined && isKept)
          prepared.add(urlOf(table, input), table.parts[input], { ...outcome, stamp });
        settle(input, outcome);
      }
    report();
  };
  const starts = Array.from({ length: Math.ceil(firsts.length / size) }, (_, i) => i * size);
  await Promise.all(starts.map((start) => limit(() => prepareSome(start))));
}
