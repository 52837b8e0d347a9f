/** A made-up corpus in FEC's exact format, drawn by our own code and served over loopback: FEC without the network. */

import { join } from 'node:path';
import type { Dataset, ObtainContext } from '../dataset.js';
import { FEC_FILES, type FecSource, fecDataset, fecUrls, openFec } from '../fec/fec.js';
import { madeCorpus } from '../made_corpus.js';

/** Changes when the drawn corpus does: another folder is then made. */
const CORPUS_VERSION = 'v1';

export const fecTinyDataset: Dataset<FecSource> = {
  ...fecDataset,
  name: 'fec_tiny',
  title: 'A tiny made-up FEC',
  description:
    'A few dozen drawn photographs of drawn faces, with votes that follow the expressions drawn, in the exact format of ' +
    'FEC. It comes with the program and is served on loopback, so that the whole way can be tried without a network.',
  homepage: '',
  citation: 'Drawn by t2t-ts.',
  licence: {
    name: 'CC0 1.0',
    url: 'https://creativecommons.org/publicdomain/zero/1.0/',
    terms: 'Drawn by this program; nobody is shown. Do with it as you please.',
    agreementNeeded: false,
  },
  resources: [],
  urls: fecUrls,
  async obtain(context) {
    await context.agree();
    const folder = await corpusFolder(context);
    return openFec({ train: join(folder, FEC_FILES.train), test: join(folder, FEC_FILES.test) });
  },
  async serve(context) {
    const { startFaultServer } = await import('../../../fixtures/fault_server.js');
    const { readFecCorpusFiles } = await import('../../../fixtures/fec_corpus.js');
    const files = await readFecCorpusFiles(await corpusFolder(context));
    const server = await startFaultServer({ files });
    const address = `127.0.0.1:${server.port}`;
    const hosts = new Set([...files.keys()].map((url) => new URL(url).host));
    return {
      connectTo: Object.fromEntries([...hosts].map((host) => [host, address])),
      close: () => server.close(),
    };
  },
};

function corpusFolder(context: ObtainContext): Promise<string> {
  return madeCorpus(context.rawDir, CORPUS_VERSION, async (folder) => {
    // Loaded where it is used: workers, which read no corpus, start without the drawing code.
    const { makeTinyFecCorpus } = await import('../../../fixtures/fec_corpus.js');
    await makeTinyFecCorpus(folder);
  });
}
