/** The EEG Motor Movement/Imagery Dataset: its recordings by subject and run, and what its events mean. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Dataset, ObtainContext } from '../dataset.js';
import {
  ODC_BY,
  obtainPhysionetFiles,
  openPhysionet,
  openPhysionetFiles,
  PHYSIONET_CITATION,
  type PhysionetProject,
} from '../physionet/physionet.js';
import type { RecordingEntry } from '../recordings.js';
import { selectSubjects } from '../subjects.js';
import { type EegmmidbEvent, parseEventFile } from './events.js';
import { type EegmmidbTask, taskOfRun } from './tasks.js';

export interface EegmmidbRecording extends RecordingEntry {
  /** 1 to 14. */
  readonly run: number;
  readonly task: EegmmidbTask;
  /** Why it should be rejected, where it should be. */
  readonly anomaly?: EegmmidbAnomaly;
}

/** `sampling-rate`: not 160 Hz. `trial-timing`: numbers and lengths of trials are not the protocol's. */
export interface EegmmidbAnomaly {
  readonly kind: 'sampling-rate' | 'trial-timing';
  readonly detail: string;
}

export interface EegmmidbSource {
  /** By subject, then run. */
  readonly recordings: readonly EegmmidbRecording[];
  /** In order of time, from the small file beside the recording: nothing of the signals is read. */
  events(recording: EegmmidbRecording): readonly EegmmidbEvent[];
}

const PROJECT: PhysionetProject = {
  slug: 'eegmmidb',
  version: '1.0.0',
  accepts: (name) => FILE.test(basename(name)),
};

export const eegmmidbDataset = {
  name: 'eegmmidb',
  title: 'EEG Motor Movement/Imagery Dataset',
  description:
    '1,526 recordings of one or two minutes, 64 channels at 160 Hz, of 109 people who opened and closed a fist, both ' +
    'fists or both feet, or imagined to; two further runs of each person at rest, with open and with closed eyes.',
  homepage: 'https://physionet.org/content/eegmmidb/1.0.0/',
  citation:
    'G. Schalk, D. J. McFarland, T. Hinterberger, N. Birbaumer and J. R. Wolpaw. BCI2000: A General-Purpose ' +
    `Brain-Computer Interface (BCI) System. IEEE TBME 51(6), pp. 1034-1043, 2004. ${PHYSIONET_CITATION}`,
  licence: {
    ...ODC_BY,
    terms:
      'Free to use, share and change, also commercially, where its source is named: cite the two articles. The 109 ' +
      'volunteers are known by number only; do not try to find out who they are.',
  },
  resources: [],
  obtain: obtainEegmmidb,
  fileNames: ({ recordings }: EegmmidbSource) => recordings.map(({ fileName }) => fileName),
  obtainFiles: (names, context) => obtainPhysionetFiles(PROJECT, names, context),
  openFiles: openPhysionetFiles,
  identityOf: (fileName) => FILE.exec(basename(fileName))?.[1],
} satisfies Dataset<EegmmidbSource>;

const FILE = /^(S\d{3})R(\d{2})\.edf(\.event)?$/;

/**
 * Known since the corpus is used (MOABB issues 50 and 538; Shuqfa et al., Data in Brief 2024, 110181): three subjects were
 * recorded at 128 Hz, and of one the trials have other numbers and lengths than the protocol's.
 */
const OTHER_RATE: EegmmidbAnomaly = {
  kind: 'sampling-rate',
  detail: 'recorded at 128 Hz instead of 160 Hz',
};
const ANOMALIES: ReadonlyMap<string, EegmmidbAnomaly> = new Map([
  ['S088', OTHER_RATE],
  ['S092', OTHER_RATE],
  ['S100', OTHER_RATE],
  ['S104', { kind: 'trial-timing', detail: 'its trials have other lengths than the protocol’s' }],
]);

async function obtainEegmmidb(context: ObtainContext): Promise<EegmmidbSource> {
  await context.agree();
  const files = await openPhysionet(PROJECT, context);
  const entries = files.names.flatMap(entryOf);
  const subjects = new Set(
    selectSubjects([...new Set(entries.map(({ subject }) => subject))], context.subjects),
  );
  const recordings = entries.filter(({ subject }) => subjects.has(subject)).sort(byId);
  const known = new Set(files.names);
  const eventNames = recordings.map(({ fileName }) => `${fileName}.event`).filter((name) => known.has(name));
  const paths = await files.obtain(eventNames);
  const pathOf = new Map(eventNames.map((name, i) => [name, paths[i] as string]));
  const without = recordings.length - eventNames.length;
  if (without > 0) context.note(`${without} recordings have no .event file beside them and give no events`);
  return {
    recordings,
    events(recording) {
      const path = pathOf.get(`${recording.fileName}.event`);
      return path === undefined
        ? []
        : parseEventFile(readFileSync(path), { run: recording.run, where: path });
    },
  };
}

function entryOf(fileName: string): EegmmidbRecording[] {
  const [, subject, runText, event] = FILE.exec(basename(fileName)) ?? [];
  const run = Number(runText);
  const task = taskOfRun(run);
  if (subject === undefined || event !== undefined || task === undefined) return [];
  const anomaly = ANOMALIES.get(subject);
  return [
    {
      id: `${subject}R${runText}`,
      subject,
      session: `R${runText}`,
      fileName,
      run,
      task,
      ...(anomaly === undefined ? {} : { anomaly }),
    },
  ];
}

function byId(a: EegmmidbRecording, b: EegmmidbRecording): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : a.fileName < b.fileName ? -1 : 1;
}
