/** Makes a folder that a person named, where Node's own recursive `mkdir` may never return. */

import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it that are missing; nothing where it is there. Node's `mkdir` with `recursive` runs for
 * ever below folders that answer ENOENT to every new name, such as /proc: here each folder is tried once.
 * @throws the system's error (ENOENT, EACCES, ENOTDIR, …).
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !exists(folder); folder = dirname(folder)) missing.push(folder);
  for (const folder of missing.reverse())
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process may have made it since.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  // What is in the way may be a file.
  if (missing.length === 0) mkdirSync(path, { recursive: true });
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
