/** What runs know of inputs, below a dataset's raw folder: fates of URLs, files, prepared crops. */

import { join } from 'node:path';
import { type Dataset, type DatasetFiles, identityOfFile } from '../datasets/dataset.js';
import { ContentStore } from '../io/content_store.js';
import type { FetchFailureKind, UrlFate } from '../io/fetch_outcome.js';
import { UrlJournal } from '../io/url_journal.js';
import { datasetFileName, type Preparation } from '../problems/problem.js';
import { REASON_OF_FETCH_FAILURE } from '../problems/rejection.js';
import { type InputOutcome, InputTable, missingFile } from './input_table.js';
import { PreparedStore } from './prepared_store.js';
import { softwareVersions } from './versions.js';

export interface InputRecords {
  readonly table: InputTable;
  readonly journal: UrlJournal;
  readonly store: ContentStore;
  readonly prepared: PreparedStore;
  /** The dataset's own files, where it has some. */
  readonly own: OwnFiles | undefined;
}

export interface OwnFiles {
  readonly files: DatasetFiles;
  readonly identityOf: (fileName: string) => string | undefined;
  /** Identities whose files are not to be used. */
  readonly struck: ReadonlySet<string>;
  /** True where a file that is not here may be fetched. */
  readonly isFetched: boolean;
}

/** Opens the records. Another version of the image library prepares into another folder: its bytes may differ. */
export function openRecords(
  preparation: Preparation,
  rawDir: string,
  own: OwnFiles | undefined,
): InputRecords {
  return {
    table: new InputTable(),
    ...openFetched(rawDir),
    prepared: new PreparedStore(join(rawDir, 'prepared', preparationName(preparation))),
    own,
  };
}

/** The dataset's own files without those of struck identities; undefined where it has none. */
export async function openOwnFiles(
  dataset: Dataset<never> | Dataset,
  place: { readonly rawDir: string; readonly manualDir?: string },
  struck: readonly string[],
): Promise<OwnFiles | undefined> {
  if (dataset.openFiles === undefined) return undefined;
  const files = await dataset.openFiles(place);
  return {
    files,
    identityOf: (fileName) => identityOfFile(dataset, files, fileName),
    struck: new Set(struck),
    isFetched: dataset.obtainFiles !== undefined && place.manualDir === undefined,
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
  records.own?.files.close();
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
  const name = datasetFileName(urlOf(records.table, input));
  if (name !== undefined) return ownOutcome(records, input, name);
  const fate = fateOf(records, input);
  if (fate === undefined) return undefined;
  return fate.status === 'ok'
    ? records.prepared.get(fate.sha256, records.table.parts[input])
    : failedOutcome(fate);
}

function ownOutcome(records: InputRecords, input: number, name: string): InputOutcome | undefined {
  const { own, prepared, table } = records;
  if (own === undefined) return undefined; // The worker will say that the dataset has no files.
  const identity = own.identityOf(name);
  if (identity !== undefined && own.struck.has(identity))
    return { ok: false, reason: 'struck', detail: `identity ${identity}` };
  const stamp = own.files.stamp(name);
  if (stamp === undefined) return own.isFetched ? undefined : missingFile(name);
  const known = prepared.get(urlOf(table, input), table.parts[input]);
  return known?.stamp === stamp ? known : undefined;
}

/** True where a dataset's own file was prepared when it was another file than now. */
export function isReplacedFile(records: InputRecords, input: number): boolean {
  const url = urlOf(records.table, input);
  const name = datasetFileName(url);
  const known = name === undefined ? undefined : records.prepared.get(url, records.table.parts[input]);
  return known !== undefined && known.stamp !== records.own?.files.stamp(name as string);
}

/** The outcome of an input whose URL failed. */
export function failedOutcome(fate: UrlFate & { status: 'failed' }): InputOutcome & { ok: false } {
  const kind: FetchFailureKind = fate.kind;
  return { ok: false, reason: REASON_OF_FETCH_FAILURE[kind], detail: fate.detail };
}

export function urlOf(table: InputTable, input: number): string {
  return table.url(input);
}
