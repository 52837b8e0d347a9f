/** Recordings of one's own: any folder of EDF, BDF, BrainVision or Muse files, with a table of labels or the files' annotations. */

import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../io/errors.js';
import { isRecordingName, openRecording } from '../../io/open_recording.js';
import type { Recording, Segment } from '../../io/recording.js';
import type { Dataset, ObtainContext } from '../dataset.js';
import { listFiles, openRecordingFiles, type RecordingEntry } from '../recordings.js';
import { type LabelledEvent, type LabelTable, readLabelTable } from './label_table.js';

export type { LabelledEvent } from './label_table.js';

export interface EegFolderSource {
  /** By file name. */
  readonly recordings: readonly RecordingEntry[];
  /**
   * What happens in a recording, in order: its rows of the table where the folder has one, else its own annotations, for
   * which the file is opened. An event without an onset is about the whole recording.
   * @throws UserError where the recording can't be read.
   */
  events(recording: RecordingEntry): Promise<readonly LabelledEvent[]>;
  /** The stretches without gaps of a recording, for which the file is opened. @throws UserError where it can't be read. */
  segments(recording: RecordingEntry): Promise<readonly Segment[]>;
}

/** The table's name, in the folder that is given. */
export const LABELS_FILE = 'labels.csv';

export const eegFolderDataset = {
  name: 'eeg_folder',
  title: 'A folder of EEG recordings',
  description:
    'Your own recordings: EDF, BDF, BrainVision (.vhdr) or Muse (.csv) files, in folders as you like, with labels.csv ' +
    '(file, subject, label, onset, duration) or the annotations that the files have themselves.',
  homepage: '',
  citation: 'Your own recordings.',
  licence: {
    name: 'Yours',
    url: '',
    terms:
      'What the people whom you recorded agreed to. EEG tells about health: keep it where only you can read it.',
    agreementNeeded: false,
  },
  resources: [],
  obtain: obtainFolder,
  fileNames: ({ recordings }: EegFolderSource) => recordings.map(({ fileName }) => fileName),
  async openFiles({ manualDir }) {
    const folder = givenFolder(manualDir);
    const files = openRecordingFiles(folder);
    // Of the table only the people are wanted: `obtain` has told what is wrong with it.
    let subjects: ReadonlyMap<string, string> | undefined;
    return {
      ...files,
      identityOf(name) {
        subjects ??= labelsOf(folder, recordingNames(folder))?.subjects ?? new Map();
        return subjects.get(name);
      },
      // A BrainVision recording is three files of one name: where any of them is another, the recording is.
      stamp(name) {
        const companions = /\.vhdr$/i.test(name) ? ['.eeg', '.vmrk'] : [];
        const stamps = companions.map((ending) => files.stamp(name.replace(/\.vhdr$/i, ending)) ?? '');
        const own = files.stamp(name);
        return own === undefined ? undefined : [own, ...stamps].join(' ').trim();
      },
    };
  },
  identityOf: subjectOfPath,
} satisfies Dataset<EegFolderSource>;

async function obtainFolder(context: ObtainContext): Promise<EegFolderSource> {
  const folder = givenFolder(context.manualDir);
  await context.agree();
  const names = recordingNames(folder);
  const fileNames = names.filter((name) => !/\.csv$/i.test(name) || isMuseCsv(join(folder, name)));
  const others = names.length - fileNames.length;
  if (others > 0) context.note(`${others} CSV files of the folder are no Muse recordings and are not used`);
  if (fileNames.length === 0)
    throw new UserError('the folder holds no recording', {
      where: folder,
      remedy: 'put .edf, .bdf, .vhdr or Muse .csv files there',
      exitCode: 2,
    });
  const table = labelsOf(folder, fileNames);
  for (const note of table?.notes ?? []) context.note(note);
  const recordings = selectFolder(
    fileNames.map((fileName) => entryOf(fileName, table)),
    context,
  );
  return {
    recordings,
    async events({ fileName }) {
      if (table !== undefined) return table.events.get(fileName) ?? [];
      const annotations = await withRecording(folder, fileName, (recording) => recording.annotations());
      return annotations.map(({ onset, duration, text }) => ({
        onset,
        label: text,
        ...(duration === undefined ? {} : { duration }),
      }));
    },
    segments: ({ fileName }) => withRecording(folder, fileName, (recording) => recording.segments()),
  };
}

function recordingNames(folder: string): string[] {
  return listFiles(folder, (name) => isRecordingName(name) && name !== LABELS_FILE);
}

function labelsOf(folder: string, fileNames: readonly string[]): LabelTable | undefined {
  const path = join(folder, LABELS_FILE);
  return existsSync(path) ? readLabelTable(path, fileNames) : undefined;
}

async function withRecording<T>(
  folder: string,
  fileName: string,
  read: (recording: Recording) => Promise<T>,
): Promise<T> {
  const recording = await openRecording(join(folder, ...fileName.split('/')));
  try {
    return await read(recording);
  } finally {
    await recording.close();
  }
}

/** Tables of other things have the same ending: the header must name an electrode that every Muse has. */
function isMuseCsv(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(512);
    const read = readSync(file, head, 0, head.length, 0);
    return /(^|,)\s*"?(TP9|AF7)\b/i.test(head.toString('latin1', 0, read).split(/[\r\n]/)[0] ?? '');
  } finally {
    closeSync(file);
  }
}

function entryOf(fileName: string, table: LabelTable | undefined): RecordingEntry {
  return {
    id: fileName,
    subject: table?.subjects.get(fileName) ?? subjectOfPath(fileName),
    fileName,
  };
}

/** Subjects of one's own have any names: no numbers or ranges here. */
function selectFolder(entries: readonly RecordingEntry[], context: ObtainContext): readonly RecordingEntry[] {
  const { subjects } = context;
  if (subjects === undefined) return entries;
  const known = new Set(entries.map(({ subject }) => subject));
  for (const subject of subjects)
    if (!known.has(subject))
      throw new UserError(`there is no subject ${JSON.stringify(subject)}`, {
        where: '--subjects',
        remedy: `there are ${[...known].slice(0, 10).join(', ')}${known.size > 10 ? ' …' : ''}`,
        exitCode: 2,
      });
  return entries.filter(({ subject }) => subjects.includes(subject));
}

/**
 * Whose recording a file is where no table says so: the name behind `sub-` (BIDS), else the outermost folder, else the
 * file's own name, which is right where each person was recorded once.
 */
export function subjectOfPath(fileName: string): string {
  const parts = fileName.split('/');
  for (const part of parts) {
    const bids = /^(sub-[A-Za-z0-9]+)(?:_|$)/.exec(part)?.[1];
    if (bids !== undefined) return bids;
  }
  return parts.length > 1 ? (parts[0] as string) : fileName.replace(/\.[^.]*$/, '');
}

function givenFolder(manualDir: string | undefined): string {
  if (manualDir !== undefined) return manualDir;
  throw new UserError('these recordings can only come from a folder of your own', {
    where: 'no --manual-dir is given',
    remedy: 'give the folder that holds them',
    exitCode: 2,
  });
}
