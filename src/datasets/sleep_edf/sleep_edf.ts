/** Sleep-EDF Expanded: its nights by person and part, each a recording and its hypnogram. */

import { basename } from 'node:path';
import { openEdfFile } from '../../io/edf.js';
import type { Annotation } from '../../io/recording.js';
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

/** Cassette: at home, healthy people. Telemetry: in hospital, after temazepam or placebo, people who sleep badly. */
export type SleepEdfPart = 'cassette' | 'telemetry';

export interface SleepEdfRecording extends RecordingEntry {
  readonly part: SleepEdfPart;
  /** 1 or 2. */
  readonly night: number;
  readonly hypnogramFile: string;
}

export interface SleepEdfSource {
  /** By part, person, night. */
  readonly recordings: readonly SleepEdfRecording[];
  /** The hypnogram: see `sleepEpochs`. Nothing of the signals is read. @throws EdfError where it is damaged. */
  hypnogram(recording: SleepEdfRecording): Promise<readonly Annotation[]>;
}

const PROJECT: PhysionetProject = {
  slug: 'sleep-edfx',
  version: '1.0.0',
  accepts: (name) => sleepEdfName(basename(name)) !== undefined,
};

export const sleepEdfDataset = {
  name: 'sleep_edf',
  title: 'Sleep-EDF Database Expanded',
  description:
    '197 whole-night recordings with EEG (Fpz-Cz, Pz-Oz), EOG and chin EMG at 100 Hz, scored by experts every 30 seconds: ' +
    '153 cassette nights of 78 healthy people at home, 44 telemetry nights of 22 people in hospital.',
  homepage: 'https://physionet.org/content/sleep-edfx/1.0.0/',
  citation:
    'B. Kemp, A. H. Zwinderman, B. Tuk, H. A. C. Kamphuisen and J. J. L. Oberyé. Analysis of a Sleep-Dependent Neuronal ' +
    `Feedback Loop: The Slow-Wave Microcontinuity of the EEG. IEEE TBME 47(9), pp. 1185-1194, 2000. ${PHYSIONET_CITATION}`,
  licence: {
    ...ODC_BY,
    terms:
      'Free to use, share and change, also commercially, where its source is named: cite the two articles. Do not try to ' +
      'find out who the people are.',
  },
  resources: [],
  obtain: obtainSleepEdf,
  fileNames: ({ recordings }: SleepEdfSource) => recordings.map(({ fileName }) => fileName),
  obtainFiles: (names, context) => obtainPhysionetFiles(PROJECT, names, context),
  openFiles: openPhysionetFiles,
  identityOf: (fileName) => sleepEdfName(basename(fileName))?.subject,
} satisfies Dataset<SleepEdfSource>;

/** What the name of a file tells. */
export interface SleepEdfName {
  readonly kind: 'psg' | 'hypnogram';
  readonly part: SleepEdfPart;
  /** The part and the person's number, e.g. `SC400` or `ST701`. */
  readonly subject: string;
  readonly night: number;
  /** Shared by a recording and its hypnogram, e.g. `SC4001E`: the last letter of a hypnogram is the scorer's. */
  readonly key: string;
}

/** `SC4001E0-PSG.edf`, `ST7011JP-Hypnogram.edf` …; undefined for another name. */
export function sleepEdfName(name: string): SleepEdfName | undefined {
  const match = /^((SC4|ST7)(\d{2})(\d)[A-Z])[A-Z0-9]-(PSG|Hypnogram)\.edf$/.exec(name);
  if (match === null) return undefined;
  const [, key, series, person, night, kind] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    kind: kind === 'PSG' ? 'psg' : 'hypnogram',
    part: series === 'SC4' ? 'cassette' : 'telemetry',
    subject: series + person,
    night: Number(night),
    key,
  };
}

async function obtainSleepEdf(context: ObtainContext): Promise<SleepEdfSource> {
  await context.agree();
  const files = await openPhysionet(PROJECT, context);
  const { recordings: all, alone } = pairNights(files.names);
  if (alone.length > 0)
    context.note(`${alone.length} files have no counterpart and are not used, the first is ${alone[0]}`);
  const subjects = new Set(selectSubjects([...new Set(all.map(({ subject }) => subject))], context.subjects));
  const recordings = all.filter(({ subject }) => subjects.has(subject));
  const paths = await files.obtain(recordings.map(({ hypnogramFile }) => hypnogramFile));
  const pathOf = new Map(recordings.map(({ id }, i) => [id, paths[i] as string]));
  return {
    recordings,
    async hypnogram({ id }) {
      const edf = await openEdfFile(pathOf.get(id) as string);
      try {
        return await edf.annotations();
      } finally {
        await edf.close();
      }
    },
  };
}

/** Pairs recordings with hypnograms by what their names share; files without the other are told. */
export function pairNights(fileNames: readonly string[]): {
  readonly recordings: readonly SleepEdfRecording[];
  readonly alone: readonly string[];
} {
  const nights = new Map<string, { psg?: string; hypnogram?: string; name: SleepEdfName }>();
  const alone: string[] = [];
  for (const fileName of fileNames) {
    const name = sleepEdfName(basename(fileName));
    if (name === undefined) continue;
    const night = nights.get(name.key) ?? { name };
    // A second file of the same night: nobody could tell which is meant.
    if (night[name.kind] !== undefined) alone.push(fileName);
    else night[name.kind] = fileName;
    nights.set(name.key, night);
  }
  const recordings: SleepEdfRecording[] = [];
  for (const [, { psg, hypnogram, name }] of [...nights].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (psg === undefined || hypnogram === undefined) {
      alone.push((psg ?? hypnogram) as string);
      continue;
    }
    recordings.push({
      id: `${name.subject}${name.night}`,
      subject: name.subject,
      session: String(name.night),
      part: name.part,
      night: name.night,
      fileName: psg,
      hypnogramFile: hypnogram,
    });
  }
  return { recordings, alone };
}
