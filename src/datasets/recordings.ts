/** What every corpus of recordings gives a plan: which recordings there are, of whom, and the files that hold them. */

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { UserError } from '../io/errors.js';
import { readRegularFile } from '../io/read_regular_file.js';
import { isSafeRelativePath } from '../io/sha256_sums.js';
import type { DatasetFile, DatasetFiles } from './dataset.js';

/** One recording. Plain data. */
export interface RecordingEntry {
  /** Unique in the corpus, e.g. `S001R04`. */
  readonly id: string;
  /** The person: what splits are made by, and what `t2t-ts forget --subject` names. */
  readonly subject: string;
  /** Below the folder of the corpus, with `/` between its parts: what `datasetFile()` takes. */
  readonly fileName: string;
  /** Run or night, where one person has several. */
  readonly session?: string;
  /** Which acquisition, where a corpus has several, e.g. `cassette`. */
  readonly part?: string;
}

/** A corpus's files on disk. */
export interface RecordingFiles extends DatasetFiles {
  /** Where a file lies; undefined where there is none. For readers that want ranges of it only. */
  path(name: string): string | undefined;
}

/** A longer file is not read whole: those of CHB-MIT have up to 180 MB. */
export const MAX_RECORDING_BYTES = 2 ** 30;

/** Nested as people unpack archives: `physionet.org/files/<name>/<version>/<folder>/<file>`. */
const MAX_DEPTH = 6;

/** Files below a folder, sorted by their names; hidden ones and links that lead out of it are passed over. */
export function listFiles(root: string, accepts: (name: string) => boolean): string[] {
  const real = realFolder(root);
  const names: string[] = [];
  const look = (folder: string, depth: number): void => {
    for (const entry of readdirSync(join(real, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && depth < MAX_DEPTH) look(name, depth + 1);
      else if (
        (entry.isFile() || entry.isSymbolicLink()) &&
        accepts(name) &&
        locate(real, name) !== undefined
      )
        names.push(name);
    }
  };
  look('', 1);
  return names.sort((a, b) => (a < b ? -1 : 1));
}

/** Opens the files below a folder; nothing outside it is ever read. @throws UserError where there is no such folder. */
export function openRecordingFiles(root: string): RecordingFiles {
  const real = realFolder(root);
  return {
    stamp(name) {
      const path = locate(real, name);
      if (path === undefined) return undefined;
      const { size, mtimeMs } = lstatSync(path);
      return `${size}-${Math.round(mtimeMs)}`;
    },
    path: (name) => locate(real, name),
    async read(name): Promise<DatasetFile | undefined> {
      const path = locate(real, name);
      const bytes = path === undefined ? undefined : readRegularFile(path, MAX_RECORDING_BYTES);
      return path === undefined || bytes === undefined ? undefined : { bytes, path };
    },
    close() {},
  };
}

/** The true path of a file below a folder, links followed; undefined where it is none or lies elsewhere. */
function locate(realRoot: string, name: string): string | undefined {
  if (!isSafeRelativePath(name)) return undefined;
  try {
    const path = realpathSync(join(realRoot, ...name.split('/')));
    return path.startsWith(realRoot + sep) && lstatSync(path).isFile() ? path : undefined;
  } catch {
    return undefined; // There is none, or a ring of links.
  }
}

function realFolder(root: string): string {
  try {
    const real = realpathSync(root);
    if (lstatSync(real).isDirectory()) return real;
  } catch {
    // Said below.
  }
  throw new UserError('there is no such folder', { where: root, remedy: 'check the path', exitCode: 2 });
}
