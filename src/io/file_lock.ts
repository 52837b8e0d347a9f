/** One process a file: a lock file beside it, taken over from a process of this machine that has ended. */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { storeError } from './content_store.js';
import { UserError } from './errors.js';
import { isLeftover, processTag } from './process_tag.js';

/**
 * Locks `path` by making `<path>.lock`; gives what takes the lock off again.
 * @param doing what the other process does that has the lock, for the sentence that says so.
 * @throws UserError where another process has it: two would write over each other.
 */
export function lockFile(path: string, doing = 'fetching this file'): () => void {
  const lockPath = `${path}.lock`;
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (isTaken(lockPath)) return () => release(lockPath);
      const owner = textOf(lockPath);
      if (owner === undefined) continue; // Its owner has just taken it off.
      if (!isLeftover(owner)) break;
      removeLeftover(lockPath, owner);
    }
  } catch (error) {
    throw storeError(error, dirname(path));
  }
  throw new UserError(`another process is ${doing}`, {
    where: path,
    remedy: `wait until it has done so; if none runs that could, here or on another machine, delete ${lockPath}`,
  });
}

/** Each try is lost to another process that was quicker. */
const MAX_TRIES = 10;

/**
 * Makes the lock, together with its owner's name: whoever finds it can read whose it is. A file that is made first and
 * written then is empty for a moment, and looks like one that a kill has left.
 */
function isTaken(lockPath: string): boolean {
  const ours = `${lockPath}.part-${processTag()}`;
  writeFileSync(ours, processTag());
  try {
    linkSync(ours, lockPath);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === undefined || !NO_LINKS.has(code)) throw error;
    return isTakenWithoutLink(lockPath);
  } finally {
    rmSync(ours, { force: true });
  }
}

/** File systems without hard links: those of memory cards and of some networks. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

function isTakenWithoutLink(lockPath: string): boolean {
  try {
    writeFileSync(lockPath, processTag(), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the lock aside before it is removed: where another process was quicker it is that one's now, and is put back. */
function removeLeftover(lockPath: string, owner: string): void {
  const aside = `${lockPath}.part-${processTag()}`;
  try {
    renameSync(lockPath, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (textOf(aside) === owner) rmSync(aside, { force: true });
  else renameSync(aside, lockPath);
}

function release(lockPath: string): void {
  if (textOf(lockPath) === processTag()) rmSync(lockPath, { force: true });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
