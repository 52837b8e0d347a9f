/** A made-up corpus in VGGFace2's exact formats, drawn by our own code: VGGFace2 without its archives. */

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../dataset.js';
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
    return openVggFace2Files(rawDir, folderName(rawDir));
  },
  identityOf: vggFace2Identity,
};

function folderName(rawDir: string): string {
  return join(rawDir, `corpus-${CORPUS_VERSION}`);
}

/** Draws the corpus into a folder beside and renames it, so that a folder under its final name is whole. */
async function corpusFolder(rawDir: string): Promise<string> {
  const folder = folderName(rawDir);
  if (existsSync(folder)) return folder;
  const partial = await mkdtemp(`${folder}.part-`);
  // Loaded where it is used: workers, which draw nothing, start without the drawing code.
  const { makeTinyVggFace2 } = await import('../../../fixtures/vggface2_tree.js');
  await makeTinyVggFace2(partial);
  await rename(partial, folder).catch(async (error) => {
    // Another run may have drawn it meanwhile: theirs is the same.
    if (!existsSync(folder) || (await readdir(folder)).length === 0) throw error;
    await rm(partial, { recursive: true, force: true });
  });
  return folder;
}
