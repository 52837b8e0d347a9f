/** Names for a process's own temporary files, and a look at whether the process that left some still runs. */

import { hostname } from 'node:os';

/** When this process began, in a form for file names: process ids come again (always 1 in a container), this does not. */
const STARTED = Math.round(performance.timeOrigin).toString(36);

/** `<host>~<pid>~<start>`: unlike any other process's, also where machines share a folder. */
export function processTag(): string {
  return `${hostname()}~${process.pid}~${STARTED}`;
}

/** True where the tag is of this machine and its process has ended: what it left may be removed. */
export function isLeftover(tag: string): boolean {
  const [, host, pidText] = /^(.+)~(\d+)~[0-9a-z]+$/.exec(tag) ?? [];
  const pid = Number(pidText);
  if (host !== hostname() || !(pid > 0)) return false;
  if (pid === process.pid) return tag !== processTag();
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
