/** What stands beside converted files: a journal while they are made, then a manifest that says from what they were. */

import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseShardName, syncFolder, writeWhole } from '../datagen/data_files.js';
import type { Manifest, SplitSettings } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import type { FeatureJson } from '../io/features.js';
import { sha256OfFile } from '../io/file_hash.js';
import { writeFully } from '../io/write_fully.js';
import type { Split } from '../problems/problem.js';
import type { ConvertedShard } from './convert_shard.js';
import { type ConversionFormat, convertedName, FORMAT_VERSIONS } from './formats.js';

/** A converted file, by its name. */
export interface ConvertedFile extends ConvertedShard {
  readonly file: string;
}

/** The manifest of a finished conversion of a split. */
export interface Conversion {
  readonly format: 't2t-ts conversion 1';
  readonly to: ConversionFormat;
  readonly problem: string;
  readonly split: Split;
  /** Equal for equal records, features, format and number of files. */
  readonly identity: string;
  readonly records: number;
  readonly bytes: number;
  readonly files: readonly ConvertedFile[];
  readonly features: Readonly<Record<string, FeatureJson>>;
  /** Where each feature stands: the ending of its file in a sample, `json`, or the name of its column. */
  readonly places: Readonly<Record<string, string>>;
  readonly source: {
    readonly settings: SplitSettings;
    readonly shards: readonly { readonly file: string; readonly records: number; readonly sha256: string }[];
  };
  readonly dataset: Manifest['dataset'];
  readonly versions: Readonly<Record<string, string>>;
}

/** One split on its way into a folder. */
export interface ConversionTarget {
  readonly outDir: string;
  readonly to: ConversionFormat;
  readonly manifest: Manifest;
  /** Files to be made. */
  readonly count: number;
}

export function conversionPath({ outDir, to, manifest }: ConversionTarget): string {
  const { problem, split } = manifest.settings;
  return join(outDir, MANIFEST_FOLDER, `${problem}.${split}.${to}.json`);
}

/** Hugging Face takes every file with `train` in its name for data, but for those in folders of such a name. */
const MANIFEST_FOLDER = '__conversion__';

/** What decides the bytes of the files. */
export function conversionIdentity({ to, manifest, count }: ConversionTarget): string {
  const { settings, shards, features, dataset } = manifest;
  const what = [
    [to, FORMAT_VERSIONS[to], count, settings.problem, settings.split],
    shards.map(({ sha256, records }) => [sha256, records]),
    features,
    dataset,
  ];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

/**
 * The files that an earlier run of the same conversion has finished, by name: they are there with their sizes.
 * @throws UserError where the folder holds another conversion of the split, or more than this one.
 */
export function finishedFiles(target: ConversionTarget): Map<string, ConvertedFile> {
  const known = readConversion(target) ?? readJournal(target);
  const isOther = known !== undefined && known.identity !== conversionIdentity(target);
  const names = new Set(known === undefined ? [] : namesOf(target));
  const stranger = filesOf(target).find((name) => !names.has(name));
  if (isOther || stranger !== undefined)
    throw new UserError(
      isOther
        ? 'the folder holds a conversion of this split from other records, or with another number of files'
        : `the folder holds files of this split, ${stranger} for one, and nothing says of what they were made`,
      {
        where: conversionPath(target),
        remedy: 'give another --out, or --overwrite to replace it',
        exitCode: 2,
      },
    );
  const isThere = ({ file, bytes }: ConvertedFile): boolean =>
    statSync(join(target.outDir, file), { throwIfNoEntry: false })?.size === bytes;
  return new Map((known?.files ?? []).filter(isThere).map((file) => [file.file, file]));
}

/** Those of these files whose bytes are what they were when they were finished. */
export async function intactFiles(
  { outDir }: ConversionTarget,
  files: ReadonlyMap<string, ConvertedFile>,
): Promise<Map<string, ConvertedFile>> {
  const intact = new Map<string, ConvertedFile>();
  for (const [name, file] of files)
    if ((await sha256OfFile(join(outDir, name))) === file.sha256) intact.set(name, file);
  return intact;
}

/**
 * Where the conversion is made that is to replace the one in the folder, which stays as it is until the new one is whole.
 * What an earlier run has left there of another conversion is removed.
 */
export function replacementOf(target: ConversionTarget): ConversionTarget {
  const staged = { ...target, outDir: replacementFolder(target) };
  try {
    finishedFiles(staged);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    rmSync(staged.outDir, { recursive: true, force: true });
  }
  return staged;
}

/**
 * Puts the files of a replacement, all finished, in the place of what the folder holds. Where this is cut short the journal
 * tells the next run what was to be here.
 */
export function moveReplacement(target: ConversionTarget, files: readonly ConvertedFile[]): void {
  beginJournal(target, files);
  rmSync(conversionPath(target), { force: true });
  const names = new Set(namesOf(target));
  for (const name of filesOf(target))
    if (!names.has(name)) rmSync(join(target.outDir, name), { force: true });
  for (const name of names) renameSync(join(replacementFolder(target), name), join(target.outDir, name));
  syncFolder(target.outDir);
}

function replacementFolder(target: ConversionTarget): string {
  return conversionPath(target).replace(/json$/, 'replacement');
}

/** Begins the journal anew with the files that are finished already. */
export function beginJournal(target: ConversionTarget, files: Iterable<ConvertedFile>): void {
  const lines = [{ identity: conversionIdentity(target) }, ...files];
  writeWhole(journalPath(target), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Adds a file that is finished; the disk holds the line when this returns. */
export function journalFile(target: ConversionTarget, file: ConvertedFile): void {
  const journal = openSync(journalPath(target), 'a');
  try {
    writeFully(journal, Buffer.from(`${JSON.stringify(file)}\n`));
    fsyncSync(journal);
  } finally {
    closeSync(journal);
  }
}

/** Writes the manifest of a finished conversion, and removes the journal and what was left of a replacement. */
export function endConversion(
  target: ConversionTarget,
  { files, places, versions }: Pick<Conversion, 'files' | 'places' | 'versions'>,
): Conversion {
  const { settings, shards, features, dataset } = target.manifest;
  const conversion: Conversion = {
    format: 't2t-ts conversion 1',
    to: target.to,
    problem: settings.problem,
    split: settings.split,
    identity: conversionIdentity(target),
    records: files.reduce((sum, file) => sum + file.records, 0),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
    features,
    places,
    source: { settings, shards: shards.map(({ file, records, sha256 }) => ({ file, records, sha256 })) },
    dataset,
    versions,
  };
  writeWhole(conversionPath(target), `${JSON.stringify(conversion, null, 2)}\n`);
  rmSync(journalPath(target), { force: true });
  rmSync(replacementFolder(target), { recursive: true, force: true });
  return conversion;
}

function journalPath(target: ConversionTarget): string {
  return conversionPath(target).replace(/json$/, 'journal.jsonl');
}

function namesOf({ to, manifest, count }: ConversionTarget): string[] {
  const { problem, split } = manifest.settings;
  return Array.from({ length: count }, (_, index) => convertedName(to, problem, split, { index, of: count }));
}

/** Files in the folder that are called as those of this split in this format are. */
function filesOf({ outDir, to, manifest }: ConversionTarget): string[] {
  const { problem, split } = manifest.settings;
  if (!existsSync(outDir)) return [];
  return readdirSync(outDir).filter((name) => {
    if (to === 'webdataset') return /^\d{6,}\.tar$/.test(withoutPrefix(name, `${problem}-${split}-`));
    const shard = name.endsWith('.parquet') ? parseShardName(name.slice(0, -'.parquet'.length)) : undefined;
    return shard?.problem === problem && shard.split === split;
  });
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : '';
}

type Known = Pick<Conversion, 'identity' | 'files'>;

function readConversion(target: ConversionTarget): Known | undefined {
  return readKnown(conversionPath(target), (text) => JSON.parse(text) as Known);
}

function readJournal(target: ConversionTarget): Known | undefined {
  return readKnown(journalPath(target), (text) => {
    // A kill may have cut off the last line.
    const [head, ...files] = text.split('\n').slice(0, -1);
    return {
      ...(JSON.parse(head ?? '') as { identity: string }),
      files: files.map((line) => JSON.parse(line) as ConvertedFile),
    };
  });
}

function readKnown(path: string, parse: (text: string) => Known): Known | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const known = parse(readFileSync(path, 'utf8'));
    const isFile = (file: ConvertedFile): boolean =>
      typeof file.file === 'string' && typeof file.sha256 === 'string' && Number.isFinite(file.bytes);
    if (typeof known.identity !== 'string' || !known.files.every(isFile))
      throw new Error('it lacks what it should say');
    return known;
  } catch (error) {
    throw new UserError(
      `what was converted can't be read: ${error instanceof Error ? error.message : error}`,
      {
        where: path,
        remedy: 'give --overwrite to convert the split again',
      },
    );
  }
}
