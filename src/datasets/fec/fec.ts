/** The Google Facial Expression Comparison dataset (FEC): its resource, licence, files and how its URLs behave. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extractArchive } from '../../io/archive.js';
import { UserError } from '../../io/errors.js';
import { sha256OfFile } from '../../io/file_hash.js';
import type { Dataset, ObtainContext, UrlBehaviour } from '../dataset.js';
import { type FecRow, type MalformedFecRow, readFecCsv } from './fec_csv.js';
import { flickrAlternatives, isFlickrPlaceholder } from './flickr.js';

export const FEC_FILES = {
  train: 'faceexp-comparison-data-train-public.csv',
  test: 'faceexp-comparison-data-test-public.csv',
} as const;

export type FecPart = keyof typeof FEC_FILES;

/** Size and checksum of the train file as published (from the LFS pointer that several public copies share). */
const PUBLISHED_TRAIN_SHA256 = 'e88d1d9a9115c17e6693d22444e91de3938410e798cf56463fb24fafaf2d7e75';

/** The opened dataset: the rows of its two files, and their checksums, which a finished split remembers. */
export interface FecSource {
  readonly sha256: Readonly<Record<FecPart, string>>;
  rows(part: FecPart): AsyncIterable<FecRow | MalformedFecRow>;
}

export const fecUrls: UrlBehaviour = { alternatives: flickrAlternatives, isPlaceholder: isFlickrPlaceholder };

export const fecDataset: Dataset<FecSource> = {
  name: 'fec',
  title: 'Google Facial Expression Comparison (FEC)',
  description:
    'About 500,000 triplets of faces over 156,000 face images, each with six or more annotators’ votes on which face ' +
    'shows the expression that differs from the other two. The set is two CSV files of image URLs, boxes and votes; ' +
    'the photographs stay where they are, nearly all on Flickr.',
  homepage: 'https://research.google/tools/datasets/google-facial-expression/',
  citation:
    'R. Vemulapalli and A. Agarwala. A Compact Embedding for Facial Expression Similarity. CVPR 2019, pp. 5683-5692.',
  licence: {
    name: 'Google FEC terms',
    url: 'https://research.google/tools/datasets/google-facial-expression/',
    terms:
      'The annotations are published by Google for research, under the terms on the page above, which asks for an ' +
      'agreement. The photographs belong to the people who took them, each under a licence of its own, and show people ' +
      'who were not asked: use them for research only, do not pass them on, do not identify anyone, and strike what ' +
      'you are asked to strike (`t2t-ts forget`).',
    agreementNeeded: true,
  },
  resources: [
    { name: 'FEC_dataset.zip', url: 'https://storage.googleapis.com/public_release/FEC_dataset.zip' },
  ],
  urls: fecUrls,
  obtain: obtainFec,
  async *rowUrls(source) {
    for (const part of ['train', 'test'] as const)
      for await (const row of source.rows(part))
        if (!('malformed' in row)) for (const face of row.faces) yield face.url;
  },
};

/** Opens the two CSV files of a folder. */
export async function openFec(paths: Readonly<Record<FecPart, string>>): Promise<FecSource> {
  return {
    sha256: { train: await sha256OfFile(paths.train), test: await sha256OfFile(paths.test) },
    rows: (part) => readFecCsv(paths[part], part),
  };
}

async function obtainFec(context: ObtainContext): Promise<FecSource> {
  await context.agree();
  if (context.manualDir !== undefined) {
    const source = await openFec(await manualFiles(context.manualDir, context));
    if (source.sha256.train !== PUBLISHED_TRAIN_SHA256)
      context.note(`${FEC_FILES.train} is not the published file: its SHA-256 is ${source.sha256.train}`);
    return source;
  }
  const folder = join(context.rawDir, 'metadata');
  const paths = filesBelow(folder);
  const found = paths ?? (await unzip(await context.fetch(fecDataset.resources[0]!), folder, context));
  const source = await openFec(found);
  if (source.sha256.train !== PUBLISHED_TRAIN_SHA256)
    throw new UserError('the train file is not the one that was published', {
      where: `${found.train}, SHA-256 ${source.sha256.train}`,
      remedy: `delete ${folder} and FEC_dataset.zip beside it and run the command again, or give your own files with --manual-dir`,
    });
  return source;
}

async function manualFiles(manualDir: string, context: ObtainContext): Promise<Record<FecPart, string>> {
  if (!existsSync(manualDir) || !statSync(manualDir).isDirectory())
    throw new UserError('--manual-dir is not a folder', { where: manualDir, exitCode: 2 });
  const paths = filesBelow(manualDir);
  if (paths !== undefined) return paths;
  const zip = readdirSync(manualDir).find((name) => /^fec.*\.zip$/i.test(name));
  if (zip === undefined)
    throw new UserError('--manual-dir holds neither the two CSV files of FEC nor its zip', {
      where: manualDir,
      remedy: `put ${FEC_FILES.train} and ${FEC_FILES.test}, or FEC_dataset.zip, there`,
    });
  const zipPath = join(manualDir, zip);
  const { size, mtimeMs } = statSync(zipPath);
  return unzip(zipPath, join(context.rawDir, `metadata-manual-${size}-${Math.round(mtimeMs)}`), context);
}

/** Extracts into a folder beside and renames it, so that a folder under its final name is whole. */
async function unzip(zip: string, folder: string, context: ObtainContext): Promise<Record<FecPart, string>> {
  const ready = filesBelow(folder);
  if (ready !== undefined) return ready;
  const partial = await mkdtemp(`${folder}.part-`);
  await extractArchive(zip, partial, {
    only: (name) => name.endsWith('.csv') && !name.startsWith('__MACOSX/'),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  if (filesBelow(partial) === undefined)
    throw new UserError('the zip does not hold the two CSV files of FEC', {
      where: zip,
      remedy: 'fetch it again from the dataset’s page',
    });
  await rename(partial, folder).catch(async (error) => {
    // Another task may have unpacked it meanwhile: its files are the same.
    if (filesBelow(folder) === undefined) throw error;
    await rm(partial, { recursive: true });
  });
  return filesBelow(folder) as Record<FecPart, string>;
}

/** The two files in a folder or in a folder directly below it. */
function filesBelow(folder: string): Record<FecPart, string> | undefined {
  if (!existsSync(folder)) return undefined;
  const folders = [
    folder,
    ...readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name)),
  ];
  for (const candidate of folders) {
    const train = join(candidate, FEC_FILES.train);
    const test = join(candidate, FEC_FILES.test);
    if (existsSync(train) && existsSync(test)) return { train, test };
  }
  return undefined;
}
