/** A made-up corpus in EEGMMIDB's exact formats, computed by our own code: EEGMMIDB without its server. */

import type { Dataset, DatasetPlace } from '../dataset.js';
import { type EegmmidbSource, eegmmidbDataset } from '../eegmmidb/eegmmidb.js';
import { madeCorpus, madeCorpusFolder } from '../made_corpus.js';
import { openRecordingFiles } from '../recordings.js';

/** Changes when the made-up corpus does: another folder is then made. */
const CORPUS_VERSION = 'v1';

/** Of S088 the true recordings have another sampling rate, and so has this one: it shows what a rejection is. */
const SUBJECTS = [1, 2, 3, 4, 5, 6, 88];

/** Left or right fist, imagined. */
const RUNS = [4, 8];

export const eegTinyDataset: Dataset<EegmmidbSource> = {
  name: 'eeg_tiny',
  title: 'A tiny made-up EEGMMIDB',
  description:
    'Recordings of half a dozen made-up people in the exact formats of EEGMMIDB, whose mu rhythm stops over the side of ' +
    'the head that imagines. It comes with the program, so that the whole way can be tried without the network.',
  homepage: '',
  citation: 'Made by t2t-ts.',
  licence: {
    name: 'CC0 1.0',
    url: 'https://creativecommons.org/publicdomain/zero/1.0/',
    terms: 'Computed by this program; nobody was recorded. Do with it as you please.',
    agreementNeeded: false,
  },
  resources: [],
  async obtain(context) {
    await context.agree();
    return eegmmidbDataset.obtain({ ...context, manualDir: await corpusFolder(context.rawDir) });
  },
  fileNames: eegmmidbDataset.fileNames,
  async openFiles({ rawDir }: DatasetPlace) {
    return openRecordingFiles(madeCorpusFolder(rawDir, CORPUS_VERSION));
  },
  identityOf: eegmmidbDataset.identityOf,
};

function corpusFolder(rawDir: string): Promise<string> {
  return madeCorpus(rawDir, CORPUS_VERSION, async (folder) => {
    // Loaded where it is used: workers, which make nothing, start without this code.
    const { makeEegmmidbFiles } = await import('../../../fixtures/eegmmidb_files.js');
    const { writeCorpus } = await import('../../../fixtures/physionet.js');
    await writeCorpus(folder, makeEegmmidbFiles({ subjects: SUBJECTS, runs: RUNS, trials: 5 }));
  });
}
