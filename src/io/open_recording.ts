/** Opens a recording of any format that we read, by the end of its name. */

import { extname } from 'node:path';
import { headerBeside, openBrainVisionFile } from './brainvision.js';
import { openEdfFile } from './edf.js';
import { UserError } from './errors.js';
import { openMuseCsvFile } from './muse_csv.js';
import type { Recording } from './recording.js';

const OPENERS: Readonly<Record<string, (path: string) => Promise<Recording>>> = {
  '.edf': openEdfFile,
  '.rec': openEdfFile,
  '.bdf': openEdfFile,
  '.vhdr': openBrainVisionFile,
  '.csv': openMuseCsvFile,
};

/** Whether `openRecording` takes a file of that name. */
export function isRecordingName(path: string): boolean {
  return Object.hasOwn(OPENERS, extname(path).toLowerCase());
}

/** Opens EDF, BDF (`.edf`, `.bdf`, `.rec`), BrainVision (`.vhdr`) and Muse (`.csv`) recordings. @throws UserError, EdfError. */
export async function openRecording(path: string): Promise<Recording> {
  const open = OPENERS[extname(path).toLowerCase()];
  if (open !== undefined) return open(path);
  const header = headerBeside(path);
  throw new UserError('the end of its name is that of no recording', {
    where: path,
    remedy:
      header === undefined
        ? `rename it: there are ${Object.keys(OPENERS).join(', ')}`
        : `name ${header} instead`,
  });
}
