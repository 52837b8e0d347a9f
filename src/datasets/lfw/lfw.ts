/** Labeled Faces in the Wild (LFW): what it is, and how its pairs and pictures are obtained. For evaluation. */

import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../io/errors.js';
import { IndexedTar } from '../../io/tar_index.js';
import type { Dataset, ObtainContext } from '../dataset.js';
import { PictureFiles, type PictureTree } from '../picture_files.js';
import { indexBelow, openPreparedFiles, writePreparedFiles } from '../prepared_files.js';
import { type LfwPair, readLfwPairs } from './pairs.js';

export type { LfwPair } from './pairs.js';

/** The opened dataset: the pairs of the published protocol (View 2). */
export interface LfwSource {
  /** In the order of the file. */
  readonly pairs: readonly LfwPair[];
}

export const lfwDataset: Dataset<LfwSource> = {
  name: 'lfw',
  title: 'Labeled Faces in the Wild (LFW)',
  description:
    '13,233 photographs of 5,749 people from news pages, 250 × 250 pixels with the face in the middle, and 6,000 pairs ' +
    'of them in ten folds, half of one person and half of two: the classic test of face verification.',
  homepage: 'http://vis-www.cs.umass.edu/lfw/',
  citation:
    'G. B. Huang, M. Ramesh, T. Berg and E. Learned-Miller. Labeled Faces in the Wild: A Database for Studying Face ' +
    'Recognition in Unconstrained Environments. University of Massachusetts, Amherst, Technical Report 07-49, 2007.',
  licence: {
    name: 'LFW, for research',
    url: 'http://vis-www.cs.umass.edu/lfw/',
    terms:
      'Published by the University of Massachusetts for research, without an agreement. The photographs belong to the ' +
      'news agencies that they come from and show people who were not asked: use them to compare methods, do not pass ' +
      'them on. Its authors warn that a good result here says little about use on people of every age, sex and skin.',
    agreementNeeded: false,
  },
  // Sizes and checksums are those that scikit-learn and several other loaders publish for the same files.
  resources: [
    {
      name: 'pairs.txt',
      url: 'http://vis-www.cs.umass.edu/lfw/pairs.txt',
      bytes: 155_335,
      sha256: 'ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592',
    },
    {
      name: 'lfw.tgz',
      url: 'http://vis-www.cs.umass.edu/lfw/lfw.tgz',
      bytes: 180_566_744,
      sha256: '055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0',
    },
  ],
  async obtain(context) {
    await context.agree();
    if (context.manualDir !== undefined) return prepareLfw(context.manualDir, context);
    for (const resource of lfwDataset.resources) await context.fetch(resource);
    return prepareLfw(context.rawDir, context);
  },
  async openFiles({ rawDir, manualDir }) {
    return openPreparedFiles({ rawDir, folder: manualDir ?? rawDir });
  },
  identityOf: (fileName) => /^([^/]+)\/[^/]+$/.exec(fileName)?.[1],
};

/**
 * Opens a folder with pairs.txt and the pictures, in lfw.tgz or unpacked, at most three levels down.
 * @throws UserError where one of the two is not there, or pairs.txt is malformed.
 */
export async function prepareLfw(folder: string, context: ObtainContext): Promise<LfwSource> {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new UserError('--manual-dir is not a folder', { where: folder, exitCode: 2 });
  const folders = foldersBelow(realpathSync(folder), 3);
  const pairsPath = folders.map((path) => join(path, 'pairs.txt')).find(isFile);
  if (pairsPath === undefined) throw notThere('pairs.txt', folder);
  const pairs = readLfwPairs(pairsPath);
  const names = [...new Set(pairs.flatMap(({ images }) => images))];
  const tree = treeOfFolders(folders, names) ?? (await treeOfArchives(folders, names, context));
  if (tree === undefined)
    throw notThere('lfw.tgz, nor a folder lfw with Abel_Pacheco/Abel_Pacheco_0001.jpg …', folder);
  const pictures = PictureFiles.open(tree);
  try {
    const missing = names.filter((name) => pictures.stamp(name) === undefined).length;
    if (missing > 0)
      context.note(`${missing} of the ${names.length} pictures that pairs.txt names are not there`);
  } finally {
    pictures.close();
  }
  writePreparedFiles(context.rawDir, folder, { tree });
  return { pairs };
}

function notThere(what: string, folder: string): UserError {
  return new UserError(`the folder does not hold ${what}`, {
    where: folder,
    remedy: 'put there pairs.txt and lfw.tgz (or the folder that it unpacks to)',
    exitCode: 2,
  });
}

/** Pictures that are looked for to tell that a place is LFW: a few may be missing. */
const PROBES = 50;

function treeOfFolders(folders: readonly string[], names: readonly string[]): PictureTree | undefined {
  const path = folders.find((candidate) =>
    names.slice(0, PROBES).some((name) => isFile(join(candidate, ...name.split('/')))),
  );
  return path === undefined ? undefined : { folders: [{ path }], archives: [] };
}

async function treeOfArchives(
  folders: readonly string[],
  names: readonly string[],
  context: ObtainContext,
): Promise<PictureTree | undefined> {
  const archives = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^lfw.*\.(tgz|tar\.gz|tar)$/i.test(name))
      .sort()
      .map((name) => join(folder, name)),
  );
  for (const path of archives.filter(isFile)) {
    const indexPath = await indexBelow(path, context);
    const prefix = prefixIn(path, { indexPath, names: names.slice(0, PROBES) });
    if (prefix !== undefined) return { folders: [], archives: [{ path, indexPath, prefix }] };
  }
  return undefined;
}

/** What precedes the pictures' names in an archive, most often `lfw/`. */
function prefixIn(
  archive: string,
  { indexPath, names }: { readonly indexPath: string; readonly names: readonly string[] },
): string | undefined {
  const tar = IndexedTar.open(archive, indexPath);
  try {
    const wanted = new Set(names);
    for (const member of tar.names()) {
      const name = member.split('/').slice(-2).join('/');
      if (wanted.has(name)) return member.slice(0, member.length - name.length);
    }
    return undefined;
  } finally {
    tar.close();
  }
}

/** The folder, then those below it, level by level; folders that are links are left out. */
function foldersBelow(root: string, levels: number): string[] {
  const all = [root];
  let level = [root];
  for (let depth = 1; depth < levels; depth++) {
    level = level.flatMap((path) =>
      readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map((entry) => join(path, entry.name))
        .sort(),
    );
    all.push(...level);
  }
  return all;
}

/** Links are no files here: they may lead anywhere. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true && realpathSync(path) === path;
}
