/** The names of files in a data folder, and how a file gets its final name: whole or not at all. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { isLeftover, processTag } from '../io/process_tag.js';
import { writeFully } from '../io/write_fully.js';
import type { Split } from '../problems/problem.js';

/** tensor2tensor's name of a shard, e.g. `fec-train-00003-of-00010`. */
export function shardName(problem: string, split: Split, index: number, of: number): string {
  return `${problem}-${split}-${fiveDigits(index)}-of-${fiveDigits(of)}`;
}

/** A shard's name taken apart, or undefined for another file's. */
export function parseShardName(
  name: string,
): { problem: string; split: Split; index: number; of: number } | undefined {
  const match = /^(.+)-(train|dev|test)-(\d{5,})-of-(\d{5,})$/.exec(name);
  if (match === null) return undefined;
  const [, problem, split, index, of] = match as unknown as [string, string, Split, string, string];
  return { problem, split, index: Number(index), of: Number(of) };
}

export function indexName(shard: string): string {
  return `${shard}.idx`;
}

export function manifestPath(dataDir: string, problem: string, split: Split): string {
  return join(dataDir, `${problem}.${split}.manifest.json`);
}

/** The Problems of which a data folder holds manifests. */
export function namesIn(dataDir: string): string[] {
  if (!existsSync(dataDir)) return [];
  const names = readdirSync(dataDir).flatMap(
    (file) => /^(.+)\.(?:train|dev|test)\.manifest\.json$/.exec(file)?.[1] ?? [],
  );
  return [...new Set(names)].sort();
}

/** The folder of a split's ledgers: a file a shard, a line an example planned. */
export function ledgerFolder(dataDir: string, problem: string, split: Split): string {
  return join(dataDir, `${problem}.${split}.ledger`);
}

export function ledgerPath(
  dataDir: string,
  problem: string,
  split: Split,
  index: number,
  of: number,
): string {
  return join(ledgerFolder(dataDir, problem, split), `${fiveDigits(index)}-of-${fiveDigits(of)}.jsonl`);
}

/** A temporary name in the same folder, which no other process uses; leading dot, so that no glob for shards finds it. */
export function temporaryPath(path: string): string {
  serial += 1;
  return join(dirname(path), `.${basename(path)}.${threadId}-${serial}.${processTag()}.tmp`);
}

let serial = 0;

/** Removes temporary files that killed processes of this machine left in a folder. */
export function removeLeftovers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const tag = /^\..+\.\d+-\d+\.([^/]+)\.tmp$/.exec(name)?.[1];
    if (tag !== undefined && isLeftover(tag)) rmSync(join(folder, name), { force: true });
  }
}

/** Writes a small file: temporary name, sync, rename. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryPath(path);
  const file = openSync(temporary, 'wx');
  try {
    writeFully(file, Buffer.from(text));
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** Makes renames in a folder outlast a power failure. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, '0');
}
