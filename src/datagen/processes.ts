/** Names for a process's own temporary files, and a look at whether the process that left some still runs. */

import { hostname } from 'node:os';

/** `<host>~<pid>`: unlike any other running process's, also where machines share a folder. */
export function processTag(): string {
  return `${hostname()}~${process.pid}`;
}

/** True where the tag is of this machine and its process has ended: what it left may be removed. */
export function isLeftover(tag: string): boolean {
  const at = tag.lastIndexOf('~');
  const pid = Number(tag.slice(at + 1));
  if (at < 0 || tag.slice(0, at) !== hostname() || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
