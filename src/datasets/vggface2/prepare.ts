/** Opens a folder with VGGFace2 in it: indexes its archives, converts its boxes and landmarks, and lists its pictures. */

import { createHash } from 'node:crypto';
import { existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { extractArchive } from '../../io/archive.js';
import { UserError } from '../../io/errors.js';
import { processTag } from '../../io/process_tag.js';
import { IndexedTar } from '../../io/tar_index.js';
import type { DatasetFiles, ObtainContext } from '../dataset.js';
import { FaceTable, writeFaceTable } from '../face_table.js';
import { KeyedRows } from '../keyed_rows.js';
import type { MalformedLines } from '../malformed_lines.js';
import type { PictureArchive } from '../picture_files.js';
import { isPictureName, PictureFolder } from '../picture_folder.js';
import { indexBelow, openPreparedFiles, writePreparedFiles } from '../prepared_files.js';
import { ANNOTATION_COLUMNS, type AnnotationKind, readAnnotations } from './face_annotations.js';
import {
  type PictureListing,
  type VggFace2Lists,
  type VggFace2Part,
  type VggFace2Source,
  vggFace2Source,
} from './identities.js';
import { readIdentityMeta } from './identity_meta.js';
import { readImageList } from './image_list.js';
import {
  findVggFace2,
  type MetadataFiles,
  type PicturePlace,
  partOfPath,
  type VggFace2Layout,
} from './layout.js';
import { pictureKey } from './picture_name.js';

/**
 * Makes below `rawDir` what workers need, and gives the identities. Whatever is missing or does not fit is said in a
 * note, and the work goes on without it.
 * @throws UserError where the folder holds no picture of VGGFace2.
 */
export async function prepareVggFace2(folder: string, context: ObtainContext): Promise<VggFace2Source> {
  const layout = findVggFace2(folder);
  for (const note of layout.notes) context.note(note);
  if (layout.pictureFolders.length + layout.pictureArchives.length === 0) throw nothingFound(folder);
  const files = await withArchived(layout, context);
  noteMissing(layout, files, context);
  const archives = await openArchives(layout.pictureArchives, context);
  try {
    const folders = layout.pictureFolders.map(({ path }) => ({ path }));
    const source = vggFace2Source(
      [...listFolders(layout.pictureFolders), ...archives.flatMap((archive) => archive.listings)],
      await readLists(files, context),
    );
    if (source.identities('train').length + source.identities('test').length === 0)
      throw nothingFound(folder);
    const faceTable = await faceTableOf(files, context);
    writePreparedFiles(context.rawDir, folder, {
      tree: { folders, archives: archives.flatMap((archive) => archive.places) },
      ...(faceTable === undefined ? {} : { faceTable }),
    });
    return source;
  } finally {
    for (const { tar } of archives) tar.close();
  }
}

/** The pictures with their boxes and landmarks, once `prepareVggFace2` has been there. */
export function openVggFace2Files(rawDir: string, folder: string): DatasetFiles {
  return openPreparedFiles({ rawDir, folder, keyOf: pictureKey });
}

function nothingFound(folder: string): UserError {
  return new UserError('the folder holds no pictures of VGGFace2', {
    where: folder,
    remedy:
      'put there vggface2_train.tar.gz, vggface2_test.tar.gz (or what they unpack to: train/n000002/0001_01.jpg …), ' +
      'and if you have them bb_landmark.tar.gz, identity_meta.csv, train_list.txt and test_list.txt',
    exitCode: 2,
  });
}

function noteMissing(layout: VggFace2Layout, files: MetadataFiles, { note }: ObtainContext): void {
  const places = [...layout.pictureFolders, ...layout.pictureArchives];
  for (const part of ['train', 'test'] as const)
    if (places.every((place) => place.part !== undefined && place.part !== part))
      note(
        `there is neither vggface2_${part}.tar.gz nor a folder ${part}: the set is used without that part`,
      );
  if (files.meta === undefined) note('identity_meta.csv is not there: names and sexes are not known');
  if (files.trainList === undefined)
    note('train_list.txt is not there: whether train is complete is not checked');
  if (files.testList === undefined)
    note('test_list.txt is not there: whether test is complete is not checked');
  for (const kind of ['boxes', 'landmarks'] as const) {
    const stem = kind === 'boxes' ? 'loose_bb' : 'loose_landmark';
    for (const part of ['train', 'test'])
      if (!files[kind].some((path) => basename(path).toLowerCase() === `${stem}_${part}.csv`))
        note(
          `${stem}_${part}.csv is not there: faces of ${part} are found by detection where they have no ${kind}`,
        );
  }
}

/** The metadata that lies in the folder, and what only its archives hold, unpacked below `rawDir`. */
async function withArchived(layout: VggFace2Layout, context: ObtainContext): Promise<MetadataFiles> {
  let files = layout.files;
  for (const archive of layout.annotationArchives) {
    if (files.boxes.length === 2 && files.landmarks.length === 2) break;
    const inside = findVggFace2(await unpacked(archive, context)).files;
    const known = new Set([...files.boxes, ...files.landmarks].map((path) => basename(path).toLowerCase()));
    const isNew = (path: string): boolean => !known.has(basename(path).toLowerCase());
    files = {
      ...inside,
      ...files,
      boxes: [...files.boxes, ...inside.boxes.filter(isNew)],
      landmarks: [...files.landmarks, ...inside.landmarks.filter(isNew)],
    };
  }
  return files;
}

/** Unpacks the text files of an archive into a folder beside and renames it, so that under its final name it is whole. */
async function unpacked(archive: string, context: ObtainContext): Promise<string> {
  const folder = join(context.rawDir, `annotations-${stampOf([archive])}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.part-${processTag()}`;
  rmSync(partial, { recursive: true, force: true });
  await extractArchive(archive, partial, {
    only: (name) => /\.(csv|txt)$/i.test(name) && !/(^|\/)(\.|__MACOSX\/)/.test(name),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  try {
    renameSync(partial, folder);
  } catch (error) {
    // Another run may have unpacked it meanwhile: its files are the same.
    if (!existsSync(folder)) throw error;
    rmSync(partial, { recursive: true });
  }
  return folder;
}

interface OpenArchive {
  readonly tar: IndexedTar;
  readonly places: readonly PictureArchive[];
  readonly listings: readonly PictureListing[];
}

/** Nobody splits a set into more: where more are found, the archive is something else. */
const MAX_PREFIXES = 64;

async function openArchives(
  archives: readonly PicturePlace[],
  context: ObtainContext,
): Promise<OpenArchive[]> {
  const open: OpenArchive[] = [];
  for (const { path, part: archivePart } of archives) {
    const indexPath = await indexBelow(path, context);
    const tar = IndexedTar.open(path, indexPath);
    const { found, strays } = prefixesOf(tar);
    const prefixes = [...found].sort();
    if (prefixes.length === 0)
      context.note(
        `${basename(path)} holds no pictures in folders of identities (n000001/…): it is not used`,
      );
    if (prefixes.length > MAX_PREFIXES)
      context.note(
        `${basename(path)} has identities in more than ${MAX_PREFIXES} folders: the first are used`,
      );
    if (strays > 0)
      context.note(
        `${strays} pictures of ${basename(path)} lie outside the folders of identities (n000001/…): they are passed over`,
      );
    const used = prefixes.slice(0, MAX_PREFIXES);
    open.push({
      tar,
      places: used.map((prefix) => ({ path, indexPath, prefix })),
      listings: used.map((prefix) => {
        const part = partOfPath(prefix) ?? archivePart;
        return { names: picturesBelow(tar, prefix), ...(part === undefined ? {} : { part }) };
      }),
    });
  }
  return open;
}

/** What precedes the identity's folder in the names of an archive, e.g. `train/`, and how many pictures are elsewhere. */
function prefixesOf(tar: IndexedTar): { found: Set<string>; strays: number } {
  const found = new Set<string>();
  let strays = 0;
  for (const member of tar.names()) {
    const at = identityAt(member);
    if (at >= 0 && found.size <= MAX_PREFIXES) found.add(member.slice(0, at));
    if (at < 0 && isPictureName(member) && !isMacFile(member)) strays++;
  }
  return { found, strays };
}

function* picturesBelow(tar: IndexedTar, prefix: string): Generator<string> {
  for (const member of tar.names())
    if (member.startsWith(prefix) && identityAt(member) === prefix.length) yield member.slice(prefix.length);
}

/** Where `n000001/0001_01.jpg` begins in a member's name; −1 where that is no such picture. Called millions of times. */
function identityAt(member: string): number {
  const slash = member.lastIndexOf('/');
  const at = slash - 7;
  if (at < 0 || member[at] !== 'n' || (at > 0 && member[at - 1] !== '/')) return -1;
  for (let i = at + 1; i < slash; i++) {
    const code = member.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return -1;
  }
  return isPictureName(member) && !isMacFile(member) ? at : -1;
}

/** What macOS adds to archives: `._0001_01.jpg` beside `0001_01.jpg`. */
function isMacFile(member: string): boolean {
  return member[member.lastIndexOf('/') + 1] === '.';
}

function listFolders(places: readonly PicturePlace[]): PictureListing[] {
  return places.map(({ path, part }) => {
    const folder = new PictureFolder(path);
    const nested = places.flatMap((other) => {
      const below = relative(folder.path, realpathSync(other.path));
      return below === '' || below.startsWith('..') ? [] : [`${below}/`];
    });
    return { names: namesOutside(folder, nested), ...(part === undefined ? {} : { part }) };
  });
}

/** A folder below another is listed for itself. */
function* namesOutside(folder: PictureFolder, nested: readonly string[]): Generator<string> {
  for (const name of folder.names()) if (!nested.some((prefix) => name.startsWith(prefix))) yield name;
}

async function readLists(files: MetadataFiles, context: ObtainContext): Promise<VggFace2Lists> {
  const listed: Partial<Record<VggFace2Part, Float64Array>> = {};
  for (const part of ['train', 'test'] as const) {
    const path = part === 'train' ? files.trainList : files.testList;
    if (path === undefined) continue;
    const { keys, repeated, malformed } = await readImageList(path, context.signal);
    listed[part] = keys;
    noteMalformed(malformed, context);
    if (repeated > 0) context.note(`${basename(path)} names ${repeated} pictures more than once`);
  }
  const note = (text: string): void => context.note(text);
  if (files.meta === undefined) return { listed, note };
  const { rows, malformed } = readIdentityMeta(files.meta);
  noteMalformed(malformed, context);
  return { meta: rows, listed, note };
}

function noteMalformed(malformed: MalformedLines, context: ObtainContext): void {
  const sentence = malformed.sentence();
  if (sentence !== undefined) context.note(sentence);
}

/** The table of boxes and landmarks, made where there is none of these files yet; undefined where there are no files. */
async function faceTableOf(files: MetadataFiles, context: ObtainContext): Promise<string | undefined> {
  const sources = [...files.boxes, ...files.landmarks];
  if (sources.length === 0) return undefined;
  const stamp = stampOf(sources);
  const path = join(context.rawDir, `faces-${stamp}.table`);
  const ready = FaceTable.open(path);
  let notes = ready?.stamp === stamp ? ready.notes : undefined;
  ready?.close();
  if (notes === undefined) {
    const boxes = await gatherRows('boxes', files.boxes, context);
    const landmarks = await gatherRows('landmarks', files.landmarks, context);
    notes = [...boxes.notes, ...landmarks.notes];
    writeFaceTable(path, { stamp, boxes: boxes.rows, landmarks: landmarks.rows, notes });
  }
  // The same notes whether the table was made now or before.
  for (const note of notes) context.note(note);
  return path;
}

async function gatherRows(
  kind: AnnotationKind,
  paths: readonly string[],
  { signal }: ObtainContext,
): Promise<{ rows: KeyedRows; notes: string[] }> {
  const rows = new KeyedRows(ANNOTATION_COLUMNS[kind].length);
  const notes: string[] = [];
  for (const path of paths) {
    const malformed = await readAnnotations(path, {
      kind,
      ...(signal === undefined ? {} : { signal }),
      onRow: (key, values) => rows.add(key, values),
    });
    const sentence = malformed.sentence();
    if (sentence !== undefined) notes.push(sentence);
  }
  const repeated = rows.countRepeated();
  if (repeated > 0)
    notes.push(
      `${repeated} lines of the files of ${kind} are of a picture that a later line is of: that one is used`,
    );
  return { rows, notes };
}

/** Another text when one of the files is another: their names, sizes and times. */
function stampOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${realpathSync(path)}\0${size}\0${Math.round(mtimeMs)}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
