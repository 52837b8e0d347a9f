/** Obtains a dataset's own files: licence first, then resources, then the metadata opened. */

import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Dataset, Licence, ObtainContext, Resource } from '../datasets/dataset.js';
import { type DownloadFileOptions, downloadFile } from '../io/download_file.js';
import { downloadRanges } from '../io/download_ranges.js';
import { UserError } from '../io/errors.js';
import { makeFolder } from '../io/make_folder.js';
import type { OnEvent } from './events.js';
import type { FetchTuning } from './fetch_options.js';

export interface RawDataOptions {
  readonly tmpDir: string;
  readonly manualDir?: string;
  /** See `ObtainContext`. */
  readonly subjects?: readonly string[];
  readonly mirror?: string;
  /** True where the person agrees, or a question to them. */
  readonly acceptLicence?: boolean | ((dataset: string, licence: Licence) => Promise<boolean>);
  readonly allowPrivateHosts?: boolean;
  /** `host` or `host:port` to `address:port`, as curl’s --connect-to; may lead to private addresses. */
  readonly connectTo?: Readonly<Record<string, string>>;
  readonly fetch?: FetchTuning;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnEvent;
}

/** An opened dataset and the folder in which its raw data lies. */
export interface RawData<Source> {
  readonly source: Source;
  readonly rawDir: string;
  readonly context: ObtainContext;
  readonly notes: readonly string[];
}

/** `<tmp_dir>/<dataset>`. */
export function rawDirOf(tmpDir: string, dataset: string): string {
  return join(tmpDir, dataset);
}

/**
 * Obtains and opens a dataset.
 * @throws UserError where an agreement is needed and was not given, or a file can't be had.
 */
export async function obtainRawData<Source>(
  dataset: Dataset<Source>,
  options: RawDataOptions,
): Promise<RawData<Source>> {
  const rawDir = rawDirOf(options.tmpDir, dataset.name);
  makeFolder(rawDir);
  const notes: string[] = [];
  const context: ObtainContext = {
    rawDir,
    ...(options.manualDir === undefined ? {} : { manualDir: options.manualDir }),
    ...(options.subjects === undefined ? {} : { subjects: options.subjects }),
    ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    agree: () => agree(dataset, rawDir, options),
    fetch: (resource) => fetchResource(resource, rawDir, options),
    note(text) {
      if (notes.includes(text)) return;
      notes.push(text);
      options.onEvent?.({ type: 'note', text });
    },
    say: (text) => options.onEvent?.({ type: 'note', text }),
    progress: (name, bytes, totalBytes) =>
      options.onEvent?.({ type: 'resource', activity: 'reading', name, bytes, totalBytes }),
  };
  return { source: await dataset.obtain(context), rawDir, context, notes };
}

/**
 * Shows the licence where it was not agreed to before. Files that the person brings with `--manual-dir` were agreed to
 * where they came from, so there it is shown and no answer is asked for.
 */
async function agree(dataset: Dataset, rawDir: string, options: RawDataOptions): Promise<void> {
  const marker = join(rawDir, 'licence-accepted.json');
  if (existsSync(marker)) return;
  const { licence } = dataset;
  options.onEvent?.({ type: 'licence', dataset: dataset.title, licence });
  if (!licence.agreementNeeded || options.manualDir !== undefined) return;
  const accept = options.acceptLicence ?? false;
  if (!(typeof accept === 'boolean' ? accept : await accept(dataset.title, licence)))
    throw new UserError(`${dataset.title} is only fetched after you agree to its terms`, {
      where: licence.url,
      remedy: 'read them and give --accept-licence, or bring your own files with --manual-dir',
      exitCode: 2,
    });
  const accepted = {
    licence: licence.name,
    url: licence.url,
    at: new Date().toISOString(),
    host: hostname(),
  };
  writeFileSync(marker, `${JSON.stringify(accepted)}\n`);
}

async function fetchResource(resource: Resource, rawDir: string, options: RawDataOptions): Promise<string> {
  const path = join(rawDir, resource.name);
  if (existsSync(path)) return path;
  const file: DownloadFileOptions = {
    url: resource.url,
    path,
    expected: {
      ...(resource.bytes === undefined ? {} : { bytes: resource.bytes }),
      ...(resource.sha256 === undefined ? {} : { sha256: resource.sha256 }),
    },
    allowPrivateHosts: options.allowPrivateHosts ?? false,
    ...(options.connectTo === undefined ? {} : { connectTo: options.connectTo }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: ({ bytes, totalBytes }) =>
      options.onEvent?.({
        type: 'resource',
        activity: 'download',
        name: resource.name,
        bytes,
        ...(totalBytes === undefined ? {} : { totalBytes }),
      }),
  };
  const { connections = 1 } = resource;
  if (connections > 1) await downloadRanges({ ...file, connections });
  else await downloadFile(file);
  return path;
}
