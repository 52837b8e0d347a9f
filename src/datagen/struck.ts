/** What a person struck: kept in the data folder, so that they stay struck when the raw data is gone. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './data_files.js';

export function struckPath(dataDir: string, problem: string): string {
  return join(dataDir, `${problem}.struck.txt`);
}

/** What was struck: addresses, and identities or subjects of the dataset. */
export interface Struck {
  readonly urls: readonly string[];
  readonly identities: readonly string[];
}

const IDENTITY = 'identity ';

/** One entry a line, sorted: a URL, or the word `identity` and its id. */
export function readStruck(dataDir: string, problem: string): Struck {
  const path = struckPath(dataDir, problem);
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return {
    urls: lines.filter((line) => line !== '' && !line.startsWith(IDENTITY)),
    identities: lines.filter((line) => line.startsWith(IDENTITY)).map((line) => line.slice(IDENTITY.length)),
  };
}

/** Adds to what is struck. */
export function writeStruck(dataDir: string, problem: string, struck: Struck): void {
  const known = readStruck(dataDir, problem);
  const lines = new Set([
    ...known.urls,
    ...struck.urls,
    ...[...known.identities, ...struck.identities].map((id) => `${IDENTITY}${id}`),
  ]);
  const text = [...lines].sort().map((line) => `${line}\n`);
  writeWhole(struckPath(dataDir, problem), text.join(''));
}
