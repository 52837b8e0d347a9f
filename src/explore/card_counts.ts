/** What a dataset card needs and no manifest has: classes, and what two splits share. Counted once, kept beside the card. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerPath, writeWhole } from '../datagen/data_files.js';
import { readLedger } from '../datagen/ledger.js';
import type { Manifest } from '../datagen/manifest.js';
import { createExampleParser } from '../io/example_parser.js';
import { featuresFromJson } from '../io/features.js';
import type { Split } from '../problems/problem.js';
import { digestsInBoth, sortedDigests } from './digests.js';
import { labelFeatures, personFeatures } from './label_features.js';
import { countValue, MAX_VALUES, noValues, type ReportedValues, reportValues } from './value_counts.js';
import { shardRecords } from './whole_split.js';

export interface CardCounts {
  readonly splits: Readonly<Partial<Record<Split, SplitCounts>>>;
  /** For each two splits. */
  readonly shared: readonly SharedCounts[];
}

export interface SplitCounts {
  /** By label feature; a feature of several values counts the list of them. */
  readonly labels: Readonly<Record<string, ReportedValues>>;
  /** Of whom pictures or recordings are; null where nobody is named, or more than 10,000 are. */
  readonly people: readonly string[] | null;
}

/**
 * Null where it can't be known: the ledgers of imported splits know records by their place in a file and no photographs, and
 * not every Problem names people.
 */
export interface SharedCounts {
  readonly splits: readonly [Split, Split];
  readonly keys: number | null;
  /** Photographs or recordings, by the content of their files. */
  readonly sources: number | null;
  readonly people: number | null;
}

/**
 * Reads the labels of all records of these splits, finished and of one Problem, and their ledgers. Splits that have not
 * changed since are not read again.
 * @param path of the file in which the counts are kept
 */
export async function cardCounts(
  dataDir: string,
  manifests: readonly Manifest[],
  path: string,
): Promise<CardCounts> {
  const kept = readKept(path);
  const splits: Record<string, KeptSplit> = {};
  for (const manifest of manifests) {
    const { split } = manifest.settings;
    const of = identityOf([manifest]);
    const before = kept?.splits[split];
    splits[split] = before?.of === of ? before : { of, counts: await countSplit(dataDir, manifest) };
  }
  const of = identityOf(manifests);
  const shared = kept?.shared.of === of ? kept.shared.counts : sharedBy(dataDir, manifests, splits);
  const now: Kept = { format: FORMAT, splits, shared: { of, counts: shared } };
  if (JSON.stringify(now) !== JSON.stringify(kept)) writeWhole(path, `${JSON.stringify(now, null, 1)}\n`);
  const counted = Object.entries(splits).map(([split, { counts }]) => [split, counts] as const);
  return { splits: Object.fromEntries(counted), shared };
}

const FORMAT = 't2t-ts card counts 2';

/** `of` says of which shards the counts are. */
interface KeptSplit {
  readonly of: string;
  readonly counts: SplitCounts;
}

interface Kept {
  readonly format: typeof FORMAT;
  readonly splits: Readonly<Record<string, KeptSplit>>;
  readonly shared: { readonly of: string; readonly counts: readonly SharedCounts[] };
}

/** Undefined where there are none, or they can't be read: they are then counted anew. */
function readKept(path: string): Kept | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Kept;
    return kept.format === FORMAT && typeof kept.splits === 'object' && Array.isArray(kept.shared?.counts)
      ? kept
      : undefined;
  } catch {
    return undefined;
  }
}

function identityOf(manifests: readonly Manifest[]): string {
  const all = manifests.map(({ settings, features, shards }) => [
    settings.split,
    features,
    shards.map(({ file, sha256 }) => [file, sha256]),
  ]);
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32);
}

async function countSplit(dataDir: string, { features: json, shards }: Manifest): Promise<SplitCounts> {
  const features = featuresFromJson(json, 'the manifest');
  const [labelNames, personNames] = [labelFeatures(features), personFeatures(features)];
  const wanted = [...labelNames, ...personNames];
  if (wanted.length === 0) return { labels: {}, people: null };
  const parser = createExampleParser(
    Object.fromEntries(Object.entries(features).filter(([name]) => wanted.includes(name))),
  );
  const labels = labelNames.map((name) => [name, noValues()] as const);
  const people = noValues();
  for (const { file, records } of shards)
    for await (const batch of shardRecords(join(dataDir, file), { records, written: records }))
      for (const { data } of batch) {
        const values = parser.parse(data) as Record<string, unknown>;
        for (const [name, counts] of labels) {
          const value = values[name];
          if (value !== undefined)
            countValue(counts, Array.isArray(value) ? value.join(', ') : String(value));
        }
        for (const person of personNames.flatMap((name) => values[name] ?? []))
          if (person !== '') countValue(people, String(person));
      }
  return {
    labels: Object.fromEntries(labels.map(([name, counts]) => [name, reportValues(counts, MAX_VALUES)])),
    people: people.isOverflown || people.counts.size === 0 ? null : [...people.counts.keys()].sort(),
  };
}

function sharedBy(
  dataDir: string,
  manifests: readonly Manifest[],
  counted: Readonly<Record<string, KeptSplit>>,
): SharedCounts[] {
  const ledgers = manifests.map((manifest) => ledgerDigests(dataDir, manifest));
  return manifests.flatMap(({ settings: { split: one } }, i) =>
    manifests.slice(i + 1).map(({ settings: { split: other } }, k): SharedCounts => {
      const [a, b] = [ledgers[i], ledgers[i + 1 + k]];
      const [these, those] = [counted[one]?.counts.people, counted[other]?.counts.people];
      const isKnown = a !== undefined && b !== undefined;
      return {
        splits: [one, other],
        keys: isKnown ? digestsInBoth(a.keys, b.keys) : null,
        sources: isKnown ? digestsInBoth(a.sources, b.sources) : null,
        people: these && those ? inBoth(these, those) : null,
      };
    }),
  );
}

function inBoth(these: readonly string[], those: readonly string[]): number {
  const other = new Set(those);
  return these.filter((person) => other.has(person)).length;
}

/** Of the examples that were written, by the ledgers; undefined where one is missing, or names no input of an example. */
function ledgerDigests(
  dataDir: string,
  { settings, shards }: Manifest,
): { readonly keys: BigUint64Array; readonly sources: BigUint64Array } | undefined {
  const [keys, sources]: [BigUint64Array[], BigUint64Array[]] = [[], []];
  for (let index = 0; index < shards.length; index++) {
    const path = ledgerPath(dataDir, settings.problem, settings.split, index, settings.shards);
    if (!existsSync(path)) return undefined;
    const written = readLedger(path).lines.filter((line) => line.rejected === undefined);
    const tokensOf = written.map(({ inputs = [] }) => inputs.filter((token) => /^[0-9a-f]{16}/.test(token)));
    if (tokensOf.some((tokens) => tokens.length === 0)) return undefined;
    keys.push(
      BigUint64Array.from(written, ({ key }) => createHash('sha256').update(key).digest().readBigUInt64BE()),
    );
    // A token begins with 16 hexadecimal digits of its content's SHA-256.
    sources.push(BigUint64Array.from(tokensOf.flat(), (token) => BigInt(`0x${token.slice(0, 16)}`)));
  }
  return { keys: sortedDigests(keys), sources: sortedDigests(sources) };
}
