/** A made-up corpus in VGGFace2's exact formats, drawn by our own code: VGGFace2 without its archives. */

import type { Dataset } from '../dataset.js';
import { madeCorpus, madeCorpusFolder } from '../made_corpus.js';
import { openVggFace2Files, prepareVggFace2 } from '../vggface2/prepare.js';
import { type VggFace2Source, vggFace2Identity } from '../vggface2/vggface2.js';

/** Changes when the drawn corpus does: another folder is then made. */
const CORPUS_VERSION = 'v1';

export const vggface2TinyDataset: Dataset<VggFace2Source> = {
  name: 'vggface2_tiny',
  title: 'A tiny made-up VGGFace2',
  description:
    'Drawn faces of a dozen made-up people, several pictures of each, in the exact formats of VGGFace2. It comes with ' +
    'the program, so that the whole way can be tried without the set’s archives.',
  homepage: '',
  citation: 'Drawn by t2t-ts.',
  licence: {
    name: 'CC0 1.0',
    url: 'https://creativecommons.org/publicdomain/zero/1.0/',
    terms: 'Drawn by this program; nobody is shown. Do with it as you please.',
    agreementNeeded: false,
  },
  resources: [],
  async obtain(context) {
    await context.agree();
    return prepareVggFace2(await corpusFolder(context.rawDir), context);
  },
  async openFiles({ rawDir }) {
    return openVggFace2Files(rawDir, madeCorpusFolder(rawDir, CORPUS_VERSION));
  },
  identityOf: vggFace2Identity,
};

function corpusFolder(rawDir: string): Promise<string> {
  return madeCorpus(rawDir, CORPUS_VERSION, async (folder) => {
    // Loaded where it is used: workers, which draw nothing, start without the drawing code.
    const { makeTinyVggFace2 } = await import('../../../fixtures/vggface2_tree.js');
    await makeTinyVggFace2(folder);
  });
}
