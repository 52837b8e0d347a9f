/** Finds what there is of VGGFace2 in a folder, however it was unpacked: folders, archives, lists, boxes, landmarks. */

import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import type { VggFace2Part } from './identities.js';

/** Paths below the folder. What is not there is absent or empty. */
export interface VggFace2Layout {
  /** Folders in which folders of identities (`n000001`) lie, the shallowest first. */
  readonly pictureFolders: readonly PicturePlace[];
  /** tar, tar.gz and tgz files with pictures. */
  readonly pictureArchives: readonly PicturePlace[];
  /** Archives like bb_landmark.tar.gz. */
  readonly annotationArchives: readonly string[];
  readonly files: MetadataFiles;
  /** Sentences about what is there and not used. */
  readonly notes: readonly string[];
}

export interface PicturePlace {
  readonly path: string;
  /** As the names of the folders or the archive tell. */
  readonly part?: VggFace2Part;
}

export interface MetadataFiles {
  readonly meta?: string;
  readonly trainList?: string;
  readonly testList?: string;
  readonly boxes: readonly string[];
  readonly landmarks: readonly string[];
}

/** `…/VGG-Face2/data/train/n000001` has three above the identity; one more for a folder of one's own. */
const MAX_DEPTH = 5;

/** Looks through a folder, but not into the folders of identities. Links that lead out of it are not followed. */
export function findVggFace2(folder: string): VggFace2Layout {
  const root = realpathSync(folder);
  const found: Found = {
    pictureFolders: [],
    pictureArchives: [],
    annotationArchives: [],
    metadata: new Map(),
    notes: [],
  };
  let level = [root];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++)
    level = level.flatMap((path) => lookInto(path, root, found));
  return {
    pictureFolders: found.pictureFolders,
    pictureArchives: found.pictureArchives,
    annotationArchives: found.annotationArchives,
    files: metadataFiles(found.metadata),
    notes: found.notes,
  };
}

/** The part that a path speaks of: `…/vggface2_train/n000001` and `vggface2_train.tar.gz` are train. The last word counts. */
export function partOfPath(path: string): VggFace2Part | undefined {
  for (const name of path.split(/[\\/]/).reverse()) {
    const words = new Set(name.toLowerCase().split(/[^a-z]+/));
    if (words.has('train') !== words.has('test')) return words.has('train') ? 'train' : 'test';
  }
  return undefined;
}

interface Found {
  readonly pictureFolders: PicturePlace[];
  readonly pictureArchives: PicturePlace[];
  readonly annotationArchives: string[];
  /** By the name in lower case; the shallowest wins. */
  readonly metadata: Map<string, string>;
  readonly notes: string[];
}

const METADATA_NAME = /^(identity_meta\.csv|(train|test)_list\.txt|loose_(bb|landmark)_(train|test)\.csv)$/i;

/** Takes what lies in a folder, and gives the folders below it. */
function lookInto(path: string, root: string, found: Found): string[] {
  const below: string[] = [];
  let hasIdentities = false;
  for (const entry of readdirSync(path, { withFileTypes: true }).sort(byName)) {
    if (entry.name.startsWith('.')) continue;
    const full = join(path, entry.name);
    if (entry.isDirectory()) {
      if (/^n\d{6}$/.test(entry.name)) hasIdentities = true;
      else below.push(full);
    } else if (isFileBelow(entry, full, { root, notes: found.notes })) takeFile(full, root, found);
  }
  if (hasIdentities) found.pictureFolders.push(place(path, root));
  return below;
}

function takeFile(path: string, root: string, found: Found): void {
  const name = basename(path).toLowerCase();
  if (METADATA_NAME.test(name)) {
    if (!found.metadata.has(name)) found.metadata.set(name, path);
    else found.notes.push(`${relative(root, path)} is there twice: the first is used`);
  }
  if (!/\.(tar|tar\.gz|tgz)$/.test(name)) return;
  if (/landmark|bb_|_bb/.test(name)) found.annotationArchives.push(path);
  else if (/vgg|train|test/.test(name)) found.pictureArchives.push(place(path, root));
  else found.notes.push(`${relative(root, path)} has no name of VGGFace2’s archives: it is passed over`);
}

/** The folder's own name counts, too: it may be the `train` itself. */
function place(path: string, root: string): PicturePlace {
  const part = partOfPath(join(basename(root), relative(root, path)));
  return { path, ...(part === undefined ? {} : { part }) };
}

function isFileBelow(
  entry: Dirent,
  path: string,
  { root, notes }: { readonly root: string; readonly notes: string[] },
): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  let target: string;
  try {
    target = realpathSync(path);
  } catch {
    return false; // Broken, or a ring.
  }
  if (target.startsWith(root.endsWith(sep) ? root : root + sep)) return statSync(target).isFile();
  notes.push(
    `${relative(root, path)} is a link that leads out of the folder and is not followed: put the files themselves there`,
  );
  return false;
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

function metadataFiles(metadata: ReadonlyMap<string, string>): MetadataFiles {
  const meta = metadata.get('identity_meta.csv');
  const trainList = metadata.get('train_list.txt');
  const testList = metadata.get('test_list.txt');
  const both = (stem: string): string[] =>
    ['train', 'test'].flatMap((part) => metadata.get(`${stem}_${part}.csv`) ?? []);
  return {
    ...(meta === undefined ? {} : { meta }),
    ...(trainList === undefined ? {} : { trainList }),
    ...(testList === undefined ? {} : { testList }),
    boxes: both('loose_bb'),
    landmarks: both('loose_landmark'),
  };
}
