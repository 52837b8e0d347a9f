/** The preflight: what a run will ask for, of whom, and what it will cost, before the first byte. */

import { statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { datasetFileName } from '../problems/problem.js';
import type { Preflight } from './events.js';
import { fateOf, urlOf } from './input_records.js';
import type { Run } from './shard_run.js';

/** A 1024-pixel Flickr JPEG is about this large; used until journaled sizes say better. */
const GUESSED_IMAGE_BYTES = 180_000;
/** A 128-pixel JPEG crop at quality 92 with the rest of its record. */
const GUESSED_INPUT_BYTES = 7_000;
/** Files a second that one site gives without throttling, as people report of Flickr; a guess, shown as one. */
const GUESSED_FILES_PER_SECOND = 20;
/** Inputs that a worker prepares in a second, of 1024-pixel photographs. */
const GUESSED_INPUTS_PER_WORKER_SECOND = 150;
const HOSTS_SHOWN = 12;

/** Counts what is known; what is guessed stands under `estimate`. `wanted` are the inputs to obtain. */
export function preflightOf(run: Run, wanted: ReadonlySet<number>): Preflight {
  const { records, splits, options } = run;
  const { own } = records;
  const needed = new Set<string>();
  const isOwn = (input: number): boolean => datasetFileName(urlOf(records.table, input)) !== undefined;
  let here = 0;
  let gone = 0;
  const files = new Set<string>();
  const filesToPrepare = new Set<string>();
  const filesToFetch = new Set<string>();
  const count = (input: number): void => {
    const url = urlOf(records.table, input);
    if (isOwn(input)) {
      files.add(url);
      if (!wanted.has(input)) return;
      filesToPrepare.add(url);
      // Asked only where files may be fetched: of millions of pictures in an archive it would take a minute.
      if (own?.isFetched === true && own.files.stamp(datasetFileName(url) as string) === undefined)
        filesToFetch.add(url);
      return;
    }
    if (needed.has(url)) return;
    needed.add(url);
    const fate = fateOf(records, input);
    if (fate?.status === 'ok') here += 1;
    else if (fate?.status === 'failed' && !wanted.has(input)) gone += 1;
  };
  for (const { shards } of splits)
    for (const shard of shards) if (shard.head === undefined) for (const input of shard.inputs) count(input);
  for (const input of wanted) count(input);

  const toFetch = new Set<string>();
  for (const input of wanted)
    if (!isOwn(input) && fateOf(records, input)?.status !== 'ok') toFetch.add(urlOf(records.table, input));
  const perHost = new Map<string, number>();
  for (const url of toFetch) {
    const host = hostOf(url);
    perHost.set(host, (perHost.get(host) ?? 0) + 1);
  }
  const hosts = [...perHost]
    .map(([host, urls]) => ({ host, urls }))
    .sort((a, b) => b.urls - a.urls || (a.host < b.host ? -1 : 1));
  const fetchSeconds = toFetch.size / GUESSED_FILES_PER_SECOND;
  const prepareSeconds =
    wanted.size / GUESSED_INPUTS_PER_WORKER_SECOND / (options.workers ?? availableParallelism());
  const uses = splits
    .flatMap(({ shards }) => shards)
    .filter((shard) => shard.head === undefined)
    .reduce((sum, shard) => sum + shard.inputs.length, 0);
  const downloadBytes = toFetch.size * GUESSED_IMAGE_BYTES;
  return {
    splits: splits.map(({ settings, shards }) => ({
      split: settings.split,
      planned: shards.reduce((sum, shard) => sum + shard.lines.starts.length, 0),
      rejectedByPlan: shards.reduce((sum, shard) => sum + shard.rejectedByPlan, 0),
      shards: shards.length,
      finished: shards.filter((shard) => shard.head !== undefined).length,
    })),
    files: files.size,
    filesToPrepare: filesToPrepare.size,
    filesToFetch: filesToFetch.size,
    urls: needed.size,
    here,
    gone,
    toFetch: toFetch.size,
    hosts: hosts.slice(0, HOSTS_SHOWN),
    hostCount: hosts.length,
    estimate: {
      downloadBytes,
      diskBytes: downloadBytes + (wanted.size + uses) * GUESSED_INPUT_BYTES,
      seconds: Math.max(fetchSeconds, prepareSeconds),
    },
    freeBytes: Math.min(freeBytes(options.dataDir), freeBytes(options.tmpDir)),
  };
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return '(not a URL)';
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
