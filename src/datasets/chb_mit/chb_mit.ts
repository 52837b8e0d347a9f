/** The CHB-MIT Scalp EEG Database: its recordings by person, with their channels and seizures. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Dataset, ObtainContext } from '../dataset.js';
import {
  ODC_BY,
  obtainPhysionetFiles,
  openPhysionet,
  openPhysionetFiles,
  PHYSIONET_CITATION,
  type PhysionetFiles,
  type PhysionetProject,
} from '../physionet/physionet.js';
import type { RecordingEntry } from '../recordings.js';
import { selectSubjects } from '../subjects.js';
import { parseSeizureFile, reconcileSeizures, type Seizures } from './seizures.js';
import { type Interval, parseChbSummary, type SummarizedFile } from './summary.js';

export interface ChbMitRecording extends RecordingEntry, Seizures {
  /** `chb01` to `chb24`; of one person there are two, see `subject`. */
  readonly case: string;
  /** As the summary has them; empty where it has none, and the recording itself must tell. */
  readonly channels: readonly string[];
  /** How long it lasts, in whole seconds as the summary has it; absent where it does not tell. */
  readonly seconds?: number;
}

export interface ChbMitSource {
  /** By case, then file. */
  readonly recordings: readonly ChbMitRecording[];
}

const PROJECT: PhysionetProject = {
  slug: 'chbmit',
  version: '1.0.0',
  accepts: (name) => RECORDING.test(basename(name)) || SUMMARY.test(basename(name)),
};

export const chbMitDataset = {
  name: 'chb_mit',
  title: 'CHB-MIT Scalp EEG Database',
  description:
    '686 recordings of one to four hours, mostly 23 bipolar channels at 256 Hz, of 23 children and young people with ' +
    'intractable seizures at the Children’s Hospital Boston; the beginnings and ends of 198 seizures.',
  homepage: 'https://physionet.org/content/chbmit/1.0.0/',
  citation:
    'J. Guttag. CHB-MIT Scalp EEG Database (version 1.0.0). PhysioNet, 2010, https://doi.org/10.13026/C2K01R. A. Shoeb. ' +
    'Application of Machine Learning to Epileptic Seizure Onset Detection and Treatment. PhD thesis, MIT, 2009. ' +
    PHYSIONET_CITATION,
  licence: {
    ...ODC_BY,
    terms:
      'Free to use, share and change, also commercially, where its source is named: cite the works. The recordings are of ' +
      'children in hospital; do not try to find out who they are, and build nothing that decides about treatment on it.',
  },
  resources: [],
  obtain: obtainChbMit,
  fileNames: ({ recordings }: ChbMitSource) => recordings.map(({ fileName }) => fileName),
  obtainFiles: (names, context) => obtainPhysionetFiles(PROJECT, names, context),
  openFiles: openPhysionetFiles,
  identityOf: (fileName) => {
    const name = RECORDING.exec(basename(fileName))?.[1];
    return name === undefined ? undefined : subjectOf(name);
  },
} satisfies Dataset<ChbMitSource>;

/** `chb17a_03.edf` and `chb02_16+.edf` among them. */
const RECORDING = /^(chb\d{2})[a-z]?_\d{2}\+?\.edf(\.seizures)?$/;
const SUMMARY = /^(chb\d{2})-summary\.txt$/;

/** Case 21 is the girl of case 1, a year and a half later (the corpus's own page): on both sides of a split she would leak. */
function subjectOf(name: string): string {
  return name === 'chb21' ? 'chb01' : name;
}

async function obtainChbMit(context: ObtainContext): Promise<ChbMitSource> {
  await context.agree();
  const files = await openPhysionet(PROJECT, context);
  const caseOf = (name: string): string => basename(name).slice(0, 5);
  const cases = selectSubjects([...new Set(files.names.map(caseOf))], context.subjects);
  const names = files.names.filter((name) => cases.includes(caseOf(name)));
  const summaries = await readSummaries(names, files);
  const annotated = await readSeizureFiles(names, files);
  const recordings = names
    .filter((name) => name.endsWith('.edf'))
    .map((fileName): ChbMitRecording => {
      const name = basename(fileName);
      const summary = summaries.get(name);
      const own = annotated.get(name) ?? (annotated.size > 0 ? [] : undefined);
      return {
        id: name.slice(0, -'.edf'.length),
        subject: subjectOf(caseOf(name)),
        case: caseOf(name),
        session: caseOf(name),
        fileName,
        channels: summary?.channels ?? [],
        ...(summary?.seconds === undefined ? {} : { seconds: summary.seconds }),
        ...reconcileSeizures(summary, own),
      };
    });
  const doubtful = recordings.filter(({ fault }) => fault !== undefined);
  if (doubtful[0] !== undefined)
    context.note(
      `of ${doubtful.length} recordings the seizures are not known for sure, the first is ${doubtful[0].id}: ${doubtful[0].fault}`,
    );
  return { recordings };
}

async function readSummaries(
  names: readonly string[],
  files: PhysionetFiles,
): Promise<Map<string, SummarizedFile>> {
  const wanted = names.filter((name) => SUMMARY.test(basename(name)));
  const summarized = new Map<string, SummarizedFile>();
  for (const path of await files.obtain(wanted))
    for (const file of parseChbSummary(readFileSync(path, 'latin1'), path).files)
      summarized.set(file.fileName, file);
  return summarized;
}

/**
 * By recording. A recording without such a file has no seizures where others have one; a folder without any was filled by
 * somebody who left them out.
 */
async function readSeizureFiles(
  names: readonly string[],
  files: PhysionetFiles,
): Promise<Map<string, readonly Interval[]>> {
  const wanted = names.filter((name) => name.endsWith('.seizures'));
  const paths = await files.obtain(wanted);
  return new Map(
    wanted.map((name, i) => {
      const path = paths[i] as string;
      return [basename(name, '.seizures'), parseSeizureFile(readFileSync(path), path)] as const;
    }),
  );
}
