/** Keeps two processes from making the same index at once. */

import { lockFile } from './file_lock.js';

/**
 * Does something while `<indexPath>.lock` is this process's. The lock of a process of this machine that has ended is taken
 * over. @throws UserError where another process holds it.
 */
export async function locked(indexPath: string, action: () => Promise<void>): Promise<void> {
  const release = lockFile(indexPath, 'indexing this archive');
  try {
    await action();
  } finally {
    release();
  }
}
