/** DEAP: how the preprocessed files of 32 people who watched music videos are found, and under which agreement. */

import { basename } from 'node:path';
import { UserError } from '../../io/errors.js';
import type { Dataset, ObtainContext } from '../dataset.js';
import { listFiles, openRecordingFiles, type RecordingEntry } from '../recordings.js';
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
  async openFiles({ manualDir }) {
    return openRecordingFiles(manualFolder(manualDir));
  },
  identityOf: (fileName) => FILE.exec(basename(fileName))?.[1],
} satisfies Dataset<DeapSource>;

async function obtainDeap(context: ObtainContext): Promise<DeapSource> {
  const folder = manualFolder(context.manualDir);
  await context.agree();
  const byName = new Map<string, string>();
  for (const fileName of listFiles(folder, (name) => FILE.test(basename(name)))) {
    const name = basename(fileName, '.dat');
    if (!byName.has(name)) byName.set(name, fileName);
  }
  if (byName.size === 0)
    throw new UserError('--manual-dir holds none of s01.dat to s32.dat', {
      where: folder,
      remedy: 'unpack data_preprocessed_python.zip there',
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

function manualFolder(manualDir: string | undefined): string {
  if (manualDir !== undefined) return manualDir;
  throw new UserError(
    'DEAP is only given to those who sign its agreement, and can only come from a folder of your own',
    {
      where: 'no --manual-dir is given',
      remedy: 'ask for it on its page, and give the folder that holds s01.dat to s32.dat',
      exitCode: 2,
    },
  );
}
