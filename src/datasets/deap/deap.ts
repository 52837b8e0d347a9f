/** DEAP: how the preprocessed files of 32 people who watched music videos are found, and under which agreement. */

import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ArchiveEntry } from '../../io/archive_entry.js';
import { UserError } from '../../io/errors.js';
import { DamagedMemberError } from '../../io/tar_index.js';
import { readZip } from '../../io/zip.js';
import type { Dataset, DatasetFiles, ObtainContext } from '../dataset.js';
import { listFiles, MAX_RECORDING_BYTES, openRecordingFiles, type RecordingEntry } from '../recordings.js';
import { selectSubjects } from '../subjects.js';
import { DEAP_TRIALS } from './layout.js';

export interface DeapRecording extends RecordingEntry {
  /** 1 to 32. */
  readonly participant: number;
  /** Trials in the file: one a video, in the order of the videos' numbers, not of their showing. */
  readonly trials: number;
}

export interface DeapSource {
  /** By participant. */
  readonly recordings: readonly DeapRecording[];
}

const FILE = /^(s(\d{2}))\.dat$/;

/** As it is published: 2.9 GB, which need not be unpacked. */
const ZIP = 'data_preprocessed_python.zip';

export const deapDataset = {
  name: 'deap',
  title: 'DEAP',
  description:
    '32 people watching 40 one-minute music videos each: 32 channels of EEG and 8 of the body at 128 Hz, and how pleasant, ' +
    'exciting, overwhelming and likeable each video was to them, from 1 to 9.',
  homepage: 'https://www.eecs.qmul.ac.uk/mmv/datasets/deap/',
  citation:
    'S. Koelstra, C. Mühl, M. Soleymani, J.-S. Lee, A. Yazdani, T. Ebrahimi, T. Pun, A. Nijholt and I. Patras. DEAP: A ' +
    'Database for Emotion Analysis Using Physiological Signals. IEEE Transactions on Affective Computing 3(1), pp. 18-31, 2012.',
  licence: {
    name: 'DEAP end user licence agreement',
    url: 'https://www.eecs.qmul.ac.uk/mmv/datasets/deap/download.html',
    terms:
      'Given by Queen Mary University of London for academic research to those who sign its agreement; it is never fetched ' +
      'by this program. Do not pass it on, use it for nothing commercial, and do not try to find out who the people are.',
    agreementNeeded: true,
  },
  resources: [],
  obtain: obtainDeap,
  fileNames: ({ recordings }: DeapSource) => recordings.map(({ fileName }) => fileName),
  openFiles: ({ manualDir }) => openDeapFiles(manualFolder(manualDir)),
  identityOf: (fileName) => FILE.exec(basename(fileName))?.[1],
} satisfies Dataset<DeapSource>;

async function obtainDeap(context: ObtainContext): Promise<DeapSource> {
  const folder = manualFolder(context.manualDir);
  await context.agree();
  const byName = new Map<string, string>();
  const unpacked = listFiles(folder, (name) => FILE.test(basename(name)));
  for (const fileName of [...unpacked, ...(await zippedFiles(folder)).keys()]) {
    const name = basename(fileName, '.dat');
    if (!byName.has(name)) byName.set(name, fileName);
  }
  if (byName.size === 0)
    throw new UserError(`--manual-dir holds neither ${ZIP} nor any of s01.dat to s32.dat`, {
      where: folder,
      remedy: `put ${ZIP} there`,
      exitCode: 2,
    });
  const subjects = selectSubjects([...byName.keys()].sort(), context.subjects);
  if (byName.size < PARTICIPANTS)
    context.note(`${byName.size} of the ${PARTICIPANTS} participants are there`);
  return {
    recordings: subjects.map((subject) => ({
      id: subject,
      subject,
      fileName: byName.get(subject) as string,
      participant: Number(subject.slice(1)),
      trials: DEAP_TRIALS,
    })),
  };
}

const PARTICIPANTS = 32;

/** Files of the folder, or else of the archive in it, each unpacked into memory when it is read. */
async function openDeapFiles(folder: string): Promise<DatasetFiles> {
  const files = openRecordingFiles(folder);
  const zipped = await zippedFiles(folder);
  return {
    stamp(name) {
      const entry = zipped.get(name);
      return files.stamp(name) ?? (entry && `${files.stamp(ZIP)}-${entry.bytes}`);
    },
    async read(name) {
      const entry = zipped.get(name);
      return (await files.read(name)) ?? (entry && { bytes: await contentsOf(entry) });
    },
    close: () => files.close(),
  };
}

/** @throws DamagedMemberError where the archive is damaged there: the other people's files may be whole. */
async function contentsOf(entry: ArchiveEntry): Promise<Uint8Array> {
  try {
    return await buffer(entry.open());
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new DamagedMemberError(cause.what, { where: `${ZIP}, ${entry.name}`, cause });
  }
}

/** The participants' files in the archive, by their names there; none where there is no archive. */
async function zippedFiles(folder: string): Promise<Map<string, ArchiveEntry>> {
  const entries = new Map<string, ArchiveEntry>();
  if (openRecordingFiles(folder).path(ZIP) === undefined) return entries;
  // A file may be read again for each shard, so that there is no limit for all readings together.
  const limits = { maxEntryBytes: MAX_RECORDING_BYTES, maxTotalBytes: Number.POSITIVE_INFINITY };
  for await (const entry of readZip(join(folder, ZIP), { limits }))
    if (entry.kind === 'file' && FILE.test(basename(entry.name))) entries.set(entry.name, entry);
  return entries;
}

function manualFolder(manualDir: string | undefined): string {
  if (manualDir !== undefined) return manualDir;
  throw new UserError(
    'DEAP is only given to those who sign its agreement, and can only come from a folder of your own',
    {
      where: 'no --manual-dir is given',
      remedy: `ask for it on its page, and give the folder that holds ${ZIP}, or s01.dat to s32.dat`,
      exitCode: 2,
    },
  );
}
