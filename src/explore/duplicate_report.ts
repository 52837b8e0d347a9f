/** Which photographs of a Problem's finished splits look alike: within a split, and, worse, across two of them. */

import { join } from 'node:path';
import { type Manifest, readManifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { createExampleParser } from '../io/example_parser.js';
import { featuresFromJson } from '../io/features.js';
import { readRecords } from '../io/tfrecord_reader.js';
import { SPLITS, type Split } from '../problems/problem.js';
import { type HashedPicture, nearDuplicates } from './near_duplicates.js';

export interface DuplicateReport {
  readonly problem: string;
  /** Bits of the 64-bit hashes in which neighbours may differ. */
  readonly maxDistance: number;
  /** Distinct photographs by split. */
  readonly photographs: Readonly<Record<string, number>>;
  /** Groups that touch more than one split, and the others. */
  readonly across: readonly ReportedGroup[];
  readonly within: readonly ReportedGroup[];
}

export interface ReportedGroup {
  readonly splits: readonly string[];
  readonly photographs: readonly { readonly split: string; readonly name: string }[];
}

/**
 * The same picture saved again, shrunk or slightly cut differs in few bits. Of 433 photographs of faces (93,528 pairs) that
 * we looked at, one pair was the same picture (0 bits); no other differed in fewer than 10.
 */
export const DEFAULT_MAX_DISTANCE = 6;

/**
 * Reads the hashes that records hold of their photographs (`image/…/phash`) and groups those that look alike.
 * @param of which splits, all that are finished where not said, and the first how many records of each
 * @throws UserError where no split is finished, or the records hold no hashes.
 */
export async function duplicateReport(
  dataDir: string,
  problem: string,
  maxDistance: number = DEFAULT_MAX_DISTANCE,
  of: { readonly splits?: readonly Split[]; readonly limit?: number } = {},
): Promise<DuplicateReport> {
  const wanted = [...new Set(of.splits ?? SPLITS)];
  const manifests = wanted
    .flatMap((split) => readManifest(dataDir, problem, split) ?? [])
    .filter(({ complete }) => complete);
  if (manifests.length === 0)
    throw new UserError(`there is no finished split of ${problem}`, {
      where: dataDir,
      remedy: `make it with \`t2t-ts datagen ${problem}\``,
    });
  for (const { features, settings } of manifests)
    if (hashedNames(features).length === 0) throw noHashes(dataDir, settings);
  const pictures: HashedPicture[] = [];
  const photographs: Record<string, number> = {};
  for (const manifest of manifests) {
    const found = await hashesOf(dataDir, manifest, of.limit ?? Infinity);
    photographs[manifest.settings.split] = found.length;
    pictures.push(...found);
  }
  const groups = nearDuplicates(pictures, maxDistance).map(({ splits, members }) => ({
    splits,
    photographs: members.map(({ split, key }) => ({ split, name: key })),
  }));
  return {
    problem,
    maxDistance,
    photographs,
    across: groups.filter(({ splits }) => splits.length > 1),
    within: groups.filter(({ splits }) => splits.length === 1),
  };
}

/** Each photograph of a split once, however many examples use it and however many of its faces. */
async function hashesOf(
  dataDir: string,
  { settings, features, shards }: Manifest,
  limit: number,
): Promise<HashedPicture[]> {
  const { problem, split } = settings;
  const names = hashedNames(features);
  const wanted = names.flatMap((name) => [`${name}/phash`, ...NAMES_OF.map((suffix) => `${name}${suffix}`)]);
  const parser = createExampleParser(
    featuresFromJson(
      Object.fromEntries(Object.entries(features).filter(([name]) => wanted.includes(name))),
      `the manifest of ${problem}`,
    ),
  );
  const hashOf = new Map<string, string>();
  let records = 0;
  for (const { file } of shards)
    for await (const { data } of readRecords(join(dataDir, file))) {
      if (records === limit) break;
      records += 1;
      const values = parser.parse(data) as Record<string, unknown>;
      for (const name of names) {
        const hash = values[`${name}/phash`];
        const key = NAMES_OF.map((suffix) => values[`${name}${suffix}`]).find((value) => value !== undefined);
        if (hash !== undefined) hashOf.set(String(key), String(hash));
      }
    }
  if (hashOf.size === 0 && records > 0) throw noHashes(dataDir, settings);
  return [...hashOf].map(([key, hash]) => ({ key, split, hash }));
}

/** Features that have a hash beside them. */
function hashedNames(features: Manifest['features']): string[] {
  return Object.keys(features).filter((name) => features[`${name}/phash`] !== undefined);
}

function noHashes(dataDir: string, { problem, split }: Manifest['settings']): UserError {
  return new UserError(`the ${split} split of ${problem} holds no hashes of its photographs`, {
    where: dataDir,
    remedy: 'make it with its faces found (--option find_face=true) or aligned',
  });
}

/** What a photograph is called, best first. */
const NAMES_OF = ['/path', '/url', '/sha256'];
