/** Keeps two processes from making the same index at once. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { UserError } from './errors.js';
import { isLeftover, processTag } from './process_tag.js';

/**
 * Does something while `<indexPath>.lock` is this process's. The lock of a process of this machine that has ended is taken
 * over. @throws UserError where another process holds it.
 */
export async function locked(indexPath: string, action: () => Promise<void>): Promise<void> {
  const lock = `${indexPath}.lock`;
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(lock, processTag(), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
    if (tries === 0 && (owner === '' || isLeftover(owner))) rmSync(lock, { force: true });
    else if (tries > 0 || owner !== '')
      throw new UserError('another process is indexing this archive', {
        where: indexPath,
        remedy: `wait until it has done so; if it was killed on another machine, delete ${lock}`,
      });
  }
  try {
    await action();
  } finally {
    rmSync(lock, { force: true });
  }
}
