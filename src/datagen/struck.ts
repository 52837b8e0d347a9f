/** What a person struck: kept in the data folder, so that they stay struck when the raw data is gone. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './data_files.js';

/** Beside the shards: they hold nothing of what is struck, whoever makes them anew. */
export function struckPath(dataDir: string, problem: string): string {
  return join(dataDir, `${problem}.struck.txt`);
}

/** Beside a dataset's raw data: no Problem over it uses what is struck. URLs are struck in the journal there. */
export function datasetStruckPath(rawDir: string): string {
  return join(rawDir, 'struck.txt');
}

/** What was struck: addresses, and identities or subjects of the dataset. */
export interface Struck {
  readonly urls: readonly string[];
  readonly identities: readonly string[];
}

const IDENTITY = 'identity ';

/** One entry a line, sorted: a URL, or the word `identity` and its id. */
export function readStruck(path: string): Struck {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return {
    urls: lines.filter((line) => line !== '' && !line.startsWith(IDENTITY)),
    identities: lines.filter((line) => line.startsWith(IDENTITY)).map((line) => line.slice(IDENTITY.length)),
  };
}

/** Adds to what is struck. */
export function writeStruck(path: string, struck: Struck): void {
  const known = readStruck(path);
  const lines = new Set([
    ...known.urls,
    ...struck.urls,
    ...[...known.identities, ...struck.identities].map((id) => `${IDENTITY}${id}`),
  ]);
  const text = [...lines].sort().map((line) => `${line}\n`);
  writeWhole(path, text.join(''));
}
