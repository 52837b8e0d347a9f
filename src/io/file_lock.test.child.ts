/** A process of file_lock.test.ts: takes and leaves a lock again and again, and tells whether another one held it, too. */

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { UserError } from './errors.js';
import { lockFile } from './file_lock.js';

const [path, rounds] = process.argv.slice(2) as [string, string];
let [taken, clashes] = [0, 0];
for (let round = 0; round < Number(rounds); round++) {
  let release: (() => void) | undefined;
  try {
    release = lockFile(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  if (release !== undefined) {
    taken++;
    try {
      writeFileSync(`${path}.held`, '', { flag: 'wx' });
      await setTimeout(0);
      rmSync(`${path}.held`);
    } catch {
      clashes++;
    }
    release();
  }
  await setTimeout(0);
}
process.stdout.write(JSON.stringify({ taken, clashes }));
