/** Files of a dataset's own that are fetched when the plan is known: which came, and what is kept of those that did not. */

import { DownloadFailure } from '../io/download_failure.js';
import { UserError } from '../io/errors.js';
import { FETCH_FAILURE_KINDS, type FetchFailure, type FetchFailureKind } from '../io/fetch_outcome.js';
import { datasetFileName } from '../problems/problem.js';
import { REASON_OF_FETCH_FAILURE, type RejectionReason } from '../problems/rejection.js';
import { type InputRecords, recordedOutcome, urlOf } from './input_records.js';
import type { InputOutcome } from './input_table.js';
import type { Run } from './shard_run.js';

/** By file name. */
export type MissedFiles = ReadonlyMap<string, FetchFailure>;

/**
 * Fetches those files of the dataset's own that some input of `wanted` asks for and that are not here; gives those that
 * could not be had.
 * @throws UserError where a file is another one than expected, where the host gives nothing any more, and where no file
 * that the shards ask for is here then.
 */
export async function fetchOwnFiles(run: Run, wanted: Iterable<number>): Promise<MissedFiles> {
  const { problem, records, context, splits } = run;
  const { own } = records;
  const missed = new Map<string, FetchFailure>();
  if (own?.isFetched !== true) return missed;
  const isHere = (name: string): boolean => own.files.stamp(name) !== undefined;
  const names = [...namesOf(records, wanted)].filter((name) => !isHere(name)).sort();
  if (names.length === 0) return missed;
  try {
    await problem.dataset.obtainFiles?.(names, {
      ...context,
      async fetch(resource) {
        try {
          return await context.fetch(resource);
        } catch (error) {
          if (error instanceof DownloadFailure) missed.set(resource.name, error.failure);
          throw error;
        }
      },
    });
  } catch (error) {
    // What is neither here nor known to have failed was not asked for: nobody may say that it is gone.
    if (!names.every((name) => missed.has(name) || isHere(name))) throw error;
    const needed = namesOf(
      records,
      splits.flatMap(({ shards }) => shards.flatMap(({ inputs }) => [...inputs])),
    );
    if (error instanceof DownloadFailure && ![...needed].some(isHere)) throw nothingCame(error);
  }
  const first = names.find((name) => missed.has(name));
  if (first !== undefined)
    context.say(
      `${missed.size} of ${names.length} files could not be fetched, what needs them is rejected; ` +
        `the first is ${first}: ${missed.get(first)?.detail}`,
    );
  return missed;
}

/** The outcome of inputs that are such a file. */
export function missedOutcome({ kind, detail }: FetchFailure): InputOutcome & { ok: false } {
  return { ok: false, reason: REASON_OF_FETCH_FAILURE[kind], detail };
}

/**
 * What an earlier run has kept of an input whose file it could not fetch; undefined where the file is here now, is
 * struck, or was not asked for. Such a record has no stamp, so that the file, once here, is seen to be another one.
 */
export function recordedMiss(
  records: InputRecords,
  input: number,
): { readonly kind: FetchFailureKind; readonly outcome: InputOutcome } | undefined {
  const { own, prepared, table } = records;
  if (own?.isFetched !== true) return undefined;
  const url = urlOf(table, input);
  const name = datasetFileName(url);
  const known = name === undefined ? undefined : prepared.get(url, table.parts[input]);
  if (known === undefined || known.ok || known.stamp !== undefined) return undefined;
  const kind = KIND_OF_REASON.get(known.reason);
  const isMissed =
    own.files.stamp(name as string) === undefined && recordedOutcome(records, input) === undefined;
  return kind !== undefined && isMissed ? { kind, outcome: known } : undefined;
}

const KIND_OF_REASON: ReadonlyMap<RejectionReason, FetchFailureKind> = new Map(
  FETCH_FAILURE_KINDS.map((kind) => [REASON_OF_FETCH_FAILURE[kind], kind]),
);

function namesOf({ table }: InputRecords, inputs: Iterable<number>): Set<string> {
  const names = new Set<string>();
  for (const input of inputs) {
    const name = datasetFileName(urlOf(table, input));
    if (name !== undefined) names.add(name);
  }
  return names;
}

function nothingCame({ failure, where, remedy }: DownloadFailure): UserError {
  return new UserError(`none of the files can be fetched that the examples are made of: ${failure.detail}`, {
    ...(where === undefined ? {} : { where }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
