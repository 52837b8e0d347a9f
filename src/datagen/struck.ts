/** URLs that a person struck: kept in the data folder, so that they stay struck when the raw data is gone. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './data_files.js';

export function struckPath(dataDir: string, problem: string): string {
  return join(dataDir, `${problem}.struck.txt`);
}

/** One URL a line, sorted. */
export function readStruck(dataDir: string, problem: string): string[] {
  const path = struckPath(dataDir, problem);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Adds URLs to those that are struck. */
export function writeStruck(dataDir: string, problem: string, urls: readonly string[]): void {
  const all = new Set([...readStruck(dataDir, problem), ...urls]);
  writeWhole(
    struckPath(dataDir, problem),
    [...all]
      .sort()
      .map((url) => `${url}\n`)
      .join(''),
  );
}
