/** Verifies a data folder: every byte of every finished split against its manifest, ledger, index and checksums. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { contentHash } from '../io/content_store.js';
import { UserError } from '../io/errors.js';
import { createExampleParser } from '../io/example_parser.js';
import { featuresFromJson } from '../io/features.js';
import { sha256OfFile } from '../io/file_hash.js';
import { type IndexEntry, readIndex } from '../io/tfrecord.js';
import { RecordError, readRecordAt, readRecordBatches } from '../io/tfrecord_reader.js';
import { SPLITS, type Split } from '../problems/problem.js';
import { indexName, ledgerPath, manifestPath, namesIn, parseShardName } from './data_files.js';
import { readLedger } from './ledger.js';
import { addCounts, type Manifest, type ManifestShard, readManifest } from './manifest.js';

/** Something that is not as the manifest says. `record` and `offset` are null where a file as a whole is meant. */
export interface VerifyError {
  readonly file: string;
  readonly record: number | null;
  readonly offset: number | null;
  readonly error: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** Shards and records that were read. */
  readonly files: number;
  readonly records: number;
  readonly errors: readonly VerifyError[];
}

/** A report that names so many errors names enough: what is wrong is by then the disk. */
const MAX_ERRORS = 1000;

/**
 * Reads everything that a data folder holds of one problem, or of all.
 * @throws UserError where the folder holds nothing to verify.
 */
export async function verifyData(
  dataDir: string,
  problem?: string,
  onFile?: (file: string) => void,
): Promise<VerifyReport> {
  const names = problem === undefined ? namesIn(dataDir) : [problem];
  const errors: VerifyError[] = [];
  let files = 0;
  let records = 0;
  let splits = 0;
  const report = (error: VerifyError): void => {
    if (errors.length < MAX_ERRORS) errors.push(error);
  };
  for (const name of names) {
    for (const split of SPLITS) {
      const manifest = manifestOrReport(dataDir, name, split, report);
      if (manifest === undefined) continue;
      splits += 1;
      checkSums(dataDir, manifest, report);
      for (const shard of manifest.shards) {
        onFile?.(shard.file);
        files += 1;
        records += await verifyShard(dataDir, manifest, shard, report);
      }
    }
  }
  if (splits === 0 && errors.length === 0)
    throw new UserError(`there is nothing${problem === undefined ? '' : ` of ${problem}`} to verify`, {
      where: dataDir,
      remedy: 'give the folder in which datagen wrote its manifests',
      exitCode: 2,
    });
  return { ok: errors.length === 0, files, records, errors };
}

type Report = (error: VerifyError) => void;

function manifestOrReport(dataDir: string, name: string, split: Split, report: Report): Manifest | undefined {
  const file = manifestPath('', name, split);
  try {
    const manifest = readManifest(dataDir, name, split);
    if (manifest === undefined) {
      for (const stray of shardFiles(dataDir, name, split))
        report({ file: stray, record: null, offset: null, error: 'no manifest speaks of this shard' });
      return undefined;
    }
    featuresFromJson(manifest.features, file);
    if (manifest.complete) return manifest;
    report({
      file,
      record: null,
      offset: null,
      error: 'the split is not finished: run the same datagen again',
    });
  } catch (error) {
    report({
      file,
      record: null,
      offset: null,
      error: error instanceof Error ? error.message : String(error),
    });
  }
  return undefined;
}

/** Planned = written + rejected, in the manifest and in the sum of its shards; no shard more or fewer than it says. */
function checkSums(dataDir: string, manifest: Manifest, report: Report): void {
  const { problem, split, shards } = manifest.settings;
  const file = manifestPath('', problem, split);
  const fault = (error: string): void => report({ file, record: null, offset: null, error });
  const total = (of: (shard: ManifestShard) => number): number =>
    manifest.shards.reduce((sum, shard) => sum + of(shard), 0);
  const countOf = (counts: object): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (manifest.shards.length !== shards)
    fault(`${manifest.shards.length} shards are listed, ${shards} wanted`);
  if (manifest.planned !== manifest.written + countOf(manifest.rejected))
    fault(
      `${manifest.planned} planned, but ${manifest.written} written and ${countOf(manifest.rejected)} rejected`,
    );
  if (total((shard) => shard.planned) !== manifest.planned)
    fault('the shards’ planned examples do not add up');
  if (total((shard) => shard.records) !== manifest.written) fault('the shards’ records do not add up');
  if (total((shard) => shard.bytes) !== manifest.bytes) fault('the shards’ bytes do not add up');
  const sum = addCounts(manifest.shards.map((shard) => shard.rejected));
  if (JSON.stringify(sum) !== JSON.stringify(addCounts([manifest.rejected])))
    fault('the shards’ rejections do not add up');
  const listed = new Set(manifest.shards.map((shard) => shard.file));
  for (const name of shardFiles(dataDir, problem, split))
    if (!listed.has(name))
      report({ file: name, record: null, offset: null, error: 'the manifest does not list this shard' });
}

/** Gives the number of records that could be read. */
async function verifyShard(
  dataDir: string,
  manifest: Manifest,
  shard: ManifestShard,
  report: Report,
): Promise<number> {
  const path = join(dataDir, shard.file);
  const fault = (error: string, file = shard.file): void =>
    report({ file, record: null, offset: null, error });
  checkLedger(dataDir, manifest, shard, fault);
  if (!existsSync(path)) {
    fault('the shard is missing');
    return 0;
  }
  const { size } = statSync(path);
  const entries = checkIndex(dataDir, shard, fault);
  const parser = createExampleParser(featuresFromJson(manifest.features, manifestPath('', '', 'train')));
  let records = 0;
  let damaged = 0;
  const check = (record: { index: number; offset: number; data: Uint8Array }): void => {
    const entry = entries?.[record.index];
    const place = { file: shard.file, record: record.index, offset: record.offset };
    if (
      entries !== undefined &&
      (entry?.offset !== record.offset || entry.length !== record.data.length + 16)
    ) {
      damaged += 1;
      report({ ...place, error: 'the record is not where the index says' });
    }
    try {
      parser.parse(record.data);
      records += 1;
    } catch (error) {
      damaged += 1;
      report({ ...place, error: error instanceof Error ? error.message : String(error) });
    }
  };
  let next = 0;
  try {
    for await (const batch of readRecordBatches(path))
      for (const record of batch) {
        check(record);
        next = record.index + 1;
      }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    damaged += 1;
    report(placeOf(error, shard.file));
    next = error.record + 1;
    if (entries !== undefined) await checkFrom(path, shard.file, entries, next, check, report);
  }
  if (damaged > 0) return records;
  if (size !== shard.bytes) fault(`${size} bytes where the manifest says ${shard.bytes}`);
  else if (next !== shard.records) fault(`${next} records where the manifest says ${shard.records}`);
  else if ((await sha256OfFile(path)) !== shard.sha256) fault('the SHA-256 is not the one in the manifest');
  return records;
}

/** After a damaged record the index leads on to the next ones, so that one flipped bit does not hide another. */
async function checkFrom(
  path: string,
  file: string,
  entries: readonly IndexEntry[],
  from: number,
  check: (record: { index: number; offset: number; data: Uint8Array }) => void,
  report: Report,
): Promise<void> {
  const handle = await open(path, 'r');
  try {
    for (let record = from; record < entries.length; record++) {
      try {
        check(await readRecordAt(handle, entries[record] as IndexEntry, { file: path, record }));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        report(placeOf(error, file));
      }
    }
  } finally {
    await handle.close();
  }
}

function placeOf(error: RecordError, file: string): VerifyError {
  return { file, record: error.record, offset: error.offset, error: error.what };
}

/** The index, where it is what the manifest says. */
function checkIndex(
  dataDir: string,
  shard: ManifestShard,
  fault: (error: string, file: string) => void,
): IndexEntry[] | undefined {
  const file = indexName(shard.file);
  const path = join(dataDir, file);
  if (!existsSync(path)) {
    fault('the index is missing', file);
    return undefined;
  }
  const sha256 = contentHash(readFileSync(path));
  if (sha256 !== shard.indexSha256) {
    fault('the SHA-256 is not the one in the manifest', file);
    return undefined;
  }
  return readIndex(path);
}

function checkLedger(
  dataDir: string,
  manifest: Manifest,
  shard: ManifestShard,
  fault: (error: string, file: string) => void,
): void {
  const { problem, split, shards } = manifest.settings;
  const index = parseShardName(shard.file)?.index ?? 0;
  const file = ledgerPath('', problem, split, index, shards);
  try {
    const { head, lines } = readLedger(join(dataDir, file));
    const rejected = lines.filter((line) => line.rejected !== undefined);
    if (head.sha256 !== shard.sha256 || head.written !== shard.records || head.planned !== shard.planned)
      fault('the ledger is not of the shard in the manifest', file);
    else if (lines.length - rejected.length !== shard.records)
      fault(
        `${lines.length - rejected.length} examples are written by the ledger, ${shard.records} are`,
        file,
      );
  } catch (error) {
    fault(error instanceof Error ? error.message : String(error), file);
  }
}

function shardFiles(dataDir: string, problem: string, split: Split): string[] {
  return readdirSync(dataDir).filter((name) => {
    const shard = parseShardName(name);
    return shard?.problem === problem && shard.split === split;
  });
}
