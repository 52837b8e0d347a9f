/** What the corpora of PhysioNet share: where their files are, what each file must be, and how a part of them is fetched. */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { DownloadFailure } from '../../io/download_failure.js';
import { UserError } from '../../io/errors.js';
import { parseSha256Sums } from '../../io/sha256_sums.js';
import type { Licence, ObtainContext, Resource } from '../dataset.js';
import { listFiles, openRecordingFiles, type RecordingFiles } from '../recordings.js';

/** A published version of a corpus. */
export interface PhysionetProject {
  /** As in its address, e.g. `sleep-edfx`. */
  readonly slug: string;
  readonly version: string;
  /** The files that we know what to do with, by their names below the corpus's folder. */
  accepts(name: string): boolean;
}

/** The files of a corpus, here or to be fetched. */
export interface PhysionetFiles {
  /** Sorted by code units. */
  readonly names: readonly string[];
  /** Fetches some where they are not here yet, verified by their SHA-256; gives their paths in the same order. */
  obtain(names: readonly string[]): Promise<string[]>;
}

export const PHYSIONET_URL = 'https://physionet.org/files/';

/** Connections at once to PhysioNet, which gives each about 25 KB/s: as many as a browser opens to one host, or a few more. */
const MAX_CONNECTIONS = 8;

/** So many files in a row that the host did not give for another reason than being gone: it has a bad day. */
const MAX_REFUSALS = 8;

export const ODC_BY: Omit<Licence, 'terms'> = {
  name: 'Open Data Commons Attribution License 1.0 (ODC-By)',
  url: 'https://opendatacommons.org/licenses/by/1-0/',
  agreementNeeded: false,
};

/** Asked of everybody who uses a corpus from there, besides the corpus's own. */
export const PHYSIONET_CITATION =
  'A. L. Goldberger et al. PhysioBank, PhysioToolkit, and PhysioNet: Components of a New Research Resource for Complex ' +
  'Physiologic Signals. Circulation 101(23), pp. e215-e220, 2000.';

/**
 * The files of a corpus: those that `SHA256SUMS.txt` lists, which is fetched first, or those in `--manual-dir`.
 * @throws UserError where neither can be had.
 */
export async function openPhysionet(
  project: PhysionetProject,
  context: ObtainContext,
): Promise<PhysionetFiles> {
  const { manualDir } = context;
  if (manualDir !== undefined) {
    const names = listFiles(manualDir, project.accepts);
    return { names, obtain: async (wanted) => wanted.map((name) => join(manualDir, ...name.split('/'))) };
  }
  const sums = await fetchSums(project, context);
  const names = [...sums.keys()].filter(project.accepts).sort((a, b) => (a < b ? -1 : 1));
  return { names, obtain: (wanted) => fetchFiles(wanted, { project, context, sums }) };
}

/** `obtainFiles` of such a dataset. */
export async function obtainPhysionetFiles(
  project: PhysionetProject,
  names: readonly string[],
  context: ObtainContext,
): Promise<void> {
  if (context.manualDir !== undefined) return;
  await fetchFiles([...new Set(names)], { project, context, sums: await fetchSums(project, context) });
}

/** `openFiles` of such a dataset. */
export async function openPhysionetFiles(place: {
  readonly rawDir: string;
  readonly manualDir?: string;
}): Promise<RecordingFiles> {
  return openRecordingFiles(place.manualDir ?? place.rawDir);
}

/** Where a file is. `+` and the like are escaped: an object store reads a bare `+` as a blank. */
export function physionetUrl(
  { slug, version }: PhysionetProject,
  name: string,
  root: string = PHYSIONET_URL,
): string {
  const path = [slug, version, ...name.split('/')].map(encodeURIComponent).join('/');
  return `${root.endsWith('/') ? root : `${root}/`}${path}`;
}

const SUMS = 'SHA256SUMS.txt';

async function fetchSums(project: PhysionetProject, context: ObtainContext): Promise<Map<string, string>> {
  const url = physionetUrl(project, SUMS, context.mirror);
  const path = await context.fetch({ name: SUMS, url });
  return parseSha256Sums(readFileSync(path, 'utf8'), path);
}

/**
 * Fetches all that can be had, past files that can't.
 * @throws DownloadFailure in the end where some could not; at once where the host gives nothing any more. UserError where
 * a file is not the one that the list says.
 */
async function fetchFiles(
  names: readonly string[],
  run: {
    readonly project: PhysionetProject;
    readonly context: ObtainContext;
    readonly sums: ReadonlyMap<string, string>;
  },
): Promise<string[]> {
  const { project, context, sums } = run;
  const pathOf = (name: string): string => join(context.rawDir, ...name.split('/'));
  const missing = names.filter((name) => !existsSync(pathOf(name)));
  // Many files share the connections out among them; a few have several each.
  const files = Math.max(1, Math.min(MAX_CONNECTIONS, missing.length));
  const connections = Math.floor(MAX_CONNECTIONS / files);
  const limit = pLimit(files);
  let ending: unknown;
  let missed: DownloadFailure | undefined;
  let refusals = 0;
  const fetchOne = async (name: string): Promise<void> => {
    // After an end nothing new is begun, but what is on its way arrives.
    if (ending !== undefined) return;
    try {
      context.signal?.throwIfAborted();
      const sha256 = sums.get(name);
      if (sha256 === undefined) throw notListed(name, project);
      mkdirSync(dirname(pathOf(name)), { recursive: true });
      const url = physionetUrl(project, name, context.mirror);
      const resource: Resource = { name, url, sha256, connections };
      await context.fetch(resource);
      refusals = 0;
    } catch (error) {
      const isMiss = error instanceof DownloadFailure;
      if (isMiss) missed ??= error;
      // A file that is gone was denied by a host that answers.
      refusals = isMiss && error.failure.kind === 'dead' ? 0 : refusals + 1;
      if (!isMiss || refusals >= MAX_REFUSALS) ending ??= error;
    }
  };
  await Promise.all(missing.map((name) => limit(fetchOne, name)));
  if (ending !== undefined || missed !== undefined) throw ending ?? missed;
  return names.map(pathOf);
}

function notListed(name: string, { slug, version }: PhysionetProject): UserError {
  return new UserError(`${SUMS} does not list ${JSON.stringify(name)}`, {
    where: `${slug} ${version}`,
    remedy: 'run the command again with an empty --tmp-dir: what is there may be of another version',
  });
}
