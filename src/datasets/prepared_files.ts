/** What `obtain()` found and made of a dataset's own files, written down so that every worker opens the same. */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../io/errors.js';
import { isLeftover, processTag } from '../io/process_tag.js';
import { IndexedTar, indexTar, tarIndexCost } from '../io/tar_index.js';
import type { DatasetFiles, ObtainContext } from './dataset.js';
import { FaceTable } from './face_table.js';
import { PictureFiles, type PictureTree } from './picture_files.js';

/** Plain data. */
export interface PreparedFiles {
  readonly tree: PictureTree;
  /** Path of the table of boxes and landmarks, where the publisher gives some. */
  readonly faceTable?: string;
}

/**
 * Writes it below `rawDir`, under a name of the folder's own: runs with another folder do not disturb each other. Removes
 * what runs that were killed have left there half-written.
 */
export function writePreparedFiles(rawDir: string, folder: string, prepared: PreparedFiles): void {
  for (const name of readdirSync(rawDir)) {
    const [, tag] = /\.part-(.+)$/.exec(name) ?? [];
    if (tag !== undefined && isLeftover(tag)) rmSync(join(rawDir, name), { recursive: true, force: true });
  }
  const path = preparedPath(rawDir, folder);
  const temporary = `${path}.part-${processTag()}`;
  writeFileSync(temporary, `${JSON.stringify(prepared, undefined, 2)}\n`);
  renameSync(temporary, path);
}

export interface OpenPreparedOptions {
  readonly rawDir: string;
  /** The same as for `writePreparedFiles`. */
  readonly folder: string;
  /** A picture's key in the table of boxes and landmarks. */
  keyOf?(name: string): number | undefined;
}

/** @throws UserError where nothing was written down, or what it names is gone. */
export function openPreparedFiles(options: OpenPreparedOptions): DatasetFiles {
  const { rawDir, folder, keyOf } = options;
  const prepared = readPreparedFiles(rawDir, folder);
  const pictures = PictureFiles.open(prepared.tree);
  const table = prepared.faceTable === undefined ? undefined : FaceTable.open(prepared.faceTable);
  if (prepared.faceTable !== undefined && table === undefined)
    throw new UserError('the table of boxes and landmarks is gone', {
      where: prepared.faceTable,
      remedy: 'run the command again: it is made anew',
    });
  // Other boxes make other crops of the same pictures.
  const suffix = table === undefined ? '' : ` ${table.digest.slice(0, 16)}`;
  return {
    stamp(name) {
      const stamp = pictures.stamp(name);
      return stamp === undefined ? undefined : stamp + suffix;
    },
    async read(name) {
      const bytes = await pictures.read(name);
      if (bytes === undefined) return undefined;
      const key = table === undefined ? undefined : keyOf?.(name);
      return { bytes, ...(key === undefined ? {} : table?.find(key)) };
    },
    close() {
      pictures.close();
      table?.close();
    },
  };
}

/** Less is over before the sentence is read. */
const NOTED_SECONDS = 3;

/**
 * Indexes an archive below `rawDir` where that was not done before, and gives the path of the index. Says beforehand
 * what it costs where it takes a while. An archive that is cut off is used as far as it goes, with a note.
 * @throws UserError where the archive is damaged or unsafe.
 */
export async function indexBelow(archive: string, context: ObtainContext): Promise<string> {
  const folder = join(context.rawDir, 'index');
  mkdirSync(folder, { recursive: true });
  const indexPath = join(folder, `${basename(archive)}-${shortDigest(resolve(archive))}`);
  const known = indexState(archive, indexPath);
  const state = known ?? (await indexNow(archive, indexPath, context));
  if (state.incomplete !== undefined)
    context.note(`${basename(archive)} is not whole and is used as far as it goes: ${state.incomplete}`);
  if (state.passedOver > 0)
    context.note(
      `${basename(archive)} has ${state.passedOver} entries that are links, devices or sparse files: they are not read`,
    );
  return indexPath;
}

interface IndexState {
  /** Why the archive ends too early. */
  readonly incomplete: string | undefined;
  /** Links, devices and sparse files. */
  readonly passedOver: number;
}

async function indexNow(archive: string, indexPath: string, context: ObtainContext): Promise<IndexState> {
  const cost = tarIndexCost(archive);
  if (cost.seconds >= NOTED_SECONDS)
    context.say(
      `${basename(archive)} is indexed once and then read at random, without unpacking it: about ` +
        `${duration(cost.seconds)} and ${megabytes(cost.indexBytes)} below the --tmp-dir (an estimate); if stopped, ` +
        'it goes on from there',
    );
  const failure = await indexTar(archive, indexPath, {
    ...(context.signal === undefined ? {} : { signal: context.signal }),
    onProgress: ({ bytesRead, totalBytes }) =>
      context.progress(`index of ${basename(archive)}`, bytesRead, totalBytes),
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  // What an archive has that was cut off is indexed all the same.
  const state = context.signal?.aborted ? undefined : indexState(archive, indexPath);
  if (state === undefined) throw failure ?? new Error(`the index of ${archive} is gone again`);
  return state;
}

/** Undefined where there is no index, a part of one, or one of another archive: `indexTar` knows what to do then. */
function indexState(archive: string, indexPath: string): IndexState | undefined {
  try {
    const tar = IndexedTar.open(archive, indexPath);
    tar.close();
    // Of what is cut off before its first file nothing can be used: it is no archive, or none any more.
    const { incomplete, memberCount, passedOver } = tar;
    return incomplete !== undefined && memberCount === 0 ? undefined : { incomplete, passedOver };
  } catch {
    return undefined;
  }
}

function readPreparedFiles(rawDir: string, folder: string): PreparedFiles {
  const path = preparedPath(rawDir, folder);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as PreparedFiles;
  } catch (error) {
    throw new UserError('nothing is known of the dataset’s files', {
      where: path,
      remedy: 'run the command again with the same --tmp-dir and --manual-dir',
      cause: error,
    });
  }
}

function preparedPath(rawDir: string, folder: string): string {
  return join(rawDir, `files-${shortDigest(resolve(folder))}.json`);
}

function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
