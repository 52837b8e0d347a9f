/** What runs know of inputs, below a dataset's raw folder: fates of URLs, files, prepared crops. */

import { join } from 'node:path';
import { ContentStore } from '../io/content_store.js';
import type { FetchFailureKind, UrlFate } from '../io/fetch_outcome.js';
import { UrlJournal } from '../io/url_journal.js';
import type { Preparation } from '../problems/problem.js';
import { REASON_OF_FETCH_FAILURE } from '../problems/rejection.js';
import { type InputOutcome, InputTable } from './input_table.js';
import { PreparedStore } from './prepared_store.js';
import { softwareVersions } from './versions.js';

export interface InputRecords {
  readonly table: InputTable;
  readonly journal: UrlJournal;
  readonly store: ContentStore;
  readonly prepared: PreparedStore;
}

/** Opens the records. Another version of the image library prepares into another folder: its bytes may differ. */
export function openRecords(preparation: Preparation, rawDir: string): InputRecords {
  return {
    table: new InputTable(),
    ...openFetched(rawDir),
    prepared: new PreparedStore(join(rawDir, 'prepared', preparationName(preparation))),
  };
}

/** A way of preparing, with the versions of the image library: part of a split's settings, since it decides the bytes. */
export function preparationName(preparation: Preparation): string {
  const { sharp, vips } = softwareVersions();
  return `${preparation.id}-sharp${sharp}-vips${vips}`;
}

/** The journal and the files alone. */
export function openFetched(rawDir: string): { journal: UrlJournal; store: ContentStore } {
  return {
    journal: UrlJournal.open(join(rawDir, 'journal')),
    store: new ContentStore(join(rawDir, 'files')),
  };
}

export async function closeRecords(records: InputRecords): Promise<void> {
  records.prepared.close();
  await records.journal.close();
}

/** The fate of an input's URL in this or an earlier run. */
export function fateOf({ table, journal }: InputRecords, input: number): UrlFate | undefined {
  return journal.get(urlOf(table, input));
}

/**
 * What is known of an input: undefined where it was never asked for, or where its file is there but was not prepared.
 */
export function recordedOutcome(records: InputRecords, input: number): InputOutcome | undefined {
  const fate = fateOf(records, input);
  if (fate === undefined) return undefined;
  return fate.status === 'ok'
    ? records.prepared.get(fate.sha256, records.table.boxes[input])
    : failedOutcome(fate);
}

/** The outcome of an input whose URL failed. */
export function failedOutcome(fate: UrlFate & { status: 'failed' }): InputOutcome & { ok: false } {
  const kind: FetchFailureKind = fate.kind;
  return { ok: false, reason: REASON_OF_FETCH_FAILURE[kind], detail: fate.detail };
}

export function urlOf(table: InputTable, input: number): string {
  return table.urls[table.urlOf[input] as number] as string;
}
