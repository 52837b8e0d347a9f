/** One process a file: a lock file beside it, taken over from a process of this machine that has ended. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { storeError } from './content_store.js';
import { UserError } from './errors.js';
import { isLeftover, processTag } from './process_tag.js';

/**
 * Locks `path` by making `<path>.lock`; gives what takes the lock off again.
 * @throws UserError where another process has it: two would write over each other.
 */
export function lockFile(path: string): () => void {
  const lockPath = `${path}.lock`;
  for (let tries = 0; tries < 2; tries++) {
    try {
      writeFileSync(lockPath, processTag(), { flag: 'wx' });
      return () => rmSync(lockPath, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storeError(error, dirname(path));
    }
    const owner = existsSync(lockPath) ? readFileSync(lockPath, 'utf8') : '';
    if (owner === '' || isLeftover(owner)) rmSync(lockPath, { force: true });
  }
  throw new UserError('another process is fetching this file', {
    where: path,
    remedy: `wait until it has it; if it was killed on another machine, delete ${lockPath}`,
  });
}
