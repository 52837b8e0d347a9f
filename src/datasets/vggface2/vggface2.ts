/** VGGFace2: what it is, under which terms it was published, and how it is opened from a folder of one's own. */

import { existsSync, statSync } from 'node:fs';
import { UserError } from '../../io/errors.js';
import type { Dataset, ObtainContext } from '../dataset.js';
import type { VggFace2Source } from './identities.js';
import { openVggFace2Files, prepareVggFace2 } from './prepare.js';

export type { Identity, IdentityImages, VggFace2Part, VggFace2Source } from './identities.js';

export const vggface2Dataset: Dataset<VggFace2Source> = {
  name: 'vggface2',
  title: 'VGGFace2',
  description:
    '3.31 million loose crops of 9,131 people (8,631 for training, 500 for testing), 362 a person on average, across ' +
    'pose, age, light and background, each with a box and five landmarks. Its authors no longer publish it: it comes ' +
    'from archives that you have, which are read as they are, without unpacking them.',
  homepage: 'https://www.robots.ox.ac.uk/~vgg/data/vgg_face2/',
  citation:
    'Q. Cao, L. Shen, W. Xie, O. M. Parkhi and A. Zisserman. VGGFace2: A dataset for recognising faces across pose and ' +
    'age. IEEE FG 2018.',
  licence: {
    name: 'VGGFace2 terms (withdrawn)',
    url: 'https://www.robots.ox.ac.uk/~vgg/data/vgg_face2/',
    terms:
      'The University of Oxford withdrew this set in December 2020 and no longer hands it out; before, it was given for ' +
      'research, to those who agreed to its terms, the annotations under CC BY-SA 4.0. Use only a copy that you obtained ' +
      'from the authors, within what you agreed to then; copies from elsewhere are of doubtful right. The photographs ' +
      'belong to those who took them and show people who were not asked: do not pass them on, do not use a model to ' +
      'identify people, and strike whom you are asked to strike (`t2t-ts forget --identity`).',
    agreementNeeded: true,
  },
  resources: [],
  async obtain(context) {
    await context.agree();
    return prepareVggFace2(manualFolder(context), context);
  },
  async openFiles({ rawDir, manualDir }) {
    return openVggFace2Files(rawDir, manualFolder({ manualDir }));
  },
  identityOf: vggFace2Identity,
};

/** `n000001` of `n000001/0001_01.jpg`; undefined for another name. */
export function vggFace2Identity(fileName: string): string | undefined {
  return /^(n\d{6})\//.exec(fileName)?.[1];
}

/** @throws UserError where there is no such folder. */
function manualFolder({
  manualDir,
}: {
  readonly manualDir?: ObtainContext['manualDir'] | undefined;
}): string {
  if (manualDir === undefined)
    throw new UserError('VGGFace2 is no longer published and can only come from a folder of your own', {
      where: 'no --manual-dir is given',
      remedy: 'give the folder that holds vggface2_train.tar.gz, vggface2_test.tar.gz and bb_landmark.tar.gz',
      exitCode: 2,
    });
  if (!existsSync(manualDir) || !statSync(manualDir).isDirectory())
    throw new UserError('--manual-dir is not a folder', { where: manualDir, exitCode: 2 });
  return manualDir;
}
