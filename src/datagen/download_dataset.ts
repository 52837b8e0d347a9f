/** Downloads a dataset's raw data: its own files, and every file that its rows point to. */

import type { Dataset } from '../datasets/dataset.js';
import { type FetchFailureKind, TRANSIENT_KINDS } from '../io/fetch_outcome.js';
import { fetchUrls, type WaitingHost } from '../io/fetch_urls.js';
import { fetchOptions } from './fetch_options.js';
import { openFetched } from './input_records.js';
import { obtainRawData, type RawDataOptions } from './raw_data.js';

export interface DownloadOptions extends RawDataOptions {
  /** Kinds of earlier failures to ask for again, beside those that pass by themselves (time-outs, 5xx …). */
  readonly retry?: readonly FetchFailureKind[];
}

export interface DownloadSummary {
  readonly dataset: string;
  /** Files of the dataset's own that are here now. */
  readonly files: number;
  readonly urls: number;
  readonly ok: number;
  readonly failed: Readonly<Partial<Record<FetchFailureKind, number>>>;
  readonly bytes: number;
  readonly seconds: number;
}

/** Fetches what is unknown or worth asking again; every URL ends with a fate in the journal. */
export async function downloadDataset(dataset: Dataset, options: DownloadOptions): Promise<DownloadSummary> {
  const startedMs = performance.now();
  const raw = await obtainRawData(dataset, options);
  const web = await dataset.serve?.(raw.context);
  const { journal, store } = openFetched(raw.rawDir);
  const retry = new Set<FetchFailureKind>([...TRANSIENT_KINDS, ...(options.retry ?? [])]);
  retry.delete('struck');
  const failed: Partial<Record<FetchFailureKind, number>> = {};
  let ok = 0;
  let done = 0;
  let bytes = 0;
  let waiting: readonly WaitingHost[] = [];
  try {
    const urls = dataset.rowUrls?.(raw.source) ?? [];
    const fates = fetchUrls(urls, {
      ...fetchOptions(dataset, options, {
        connectTo: web?.connectTo ?? {},
        retryKinds: (kind) => retry.has(kind),
      }),
      store,
      journal,
      onEvent: (event) => {
        if (event.type === 'note') options.onEvent?.({ type: 'note', text: event.text });
        if (event.type === 'waiting') waiting = event.hosts;
        if (event.type === 'received') bytes += event.bytes;
      },
    });
    for await (const fate of fates) {
      done += 1;
      if (fate.status === 'ok') ok += 1;
      else failed[fate.kind] = (failed[fate.kind] ?? 0) + 1;
      options.onEvent?.({ type: 'progress', stage: 'inputs', done, bytes, waiting });
    }
    const files = dataset.fileNames?.(raw.source) ?? [];
    if (files.length > 0) await dataset.obtainFiles?.(files, raw.context);
    options.signal?.throwIfAborted();
    return {
      files: files.length,
      dataset: dataset.name,
      urls: done,
      ok,
      failed,
      bytes,
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    await web?.close();
    await journal.close();
  }
}
