/** Makes one shard of another format: a pure function of the records that are to be in it. */

import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder, temporaryPath } from '../datagen/data_files.js';
import { UserError } from '../io/errors.js';
import { createExampleParser } from '../io/example_parser.js';
import { type FeatureJson, featuresFromJson } from '../io/features.js';
import { type ConversionFormat, openExampleWriter } from './formats.js';
import { readPiece, type SourcePiece } from './source_split.js';

/** All that a shard depends on. Plain data: it goes to a worker. */
export interface ConvertTask {
  readonly format: ConversionFormat;
  readonly dataDir: string;
  readonly pieces: readonly SourcePiece[];
  /** Number of the shard's first record in its split. */
  readonly firstRecord: number;
  readonly features: Readonly<Record<string, FeatureJson>>;
  /** For formats whose files say what they are. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly path: string;
}

/** What a finished file is. */
export interface ConvertedShard {
  readonly records: number;
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the file. */
  readonly sha256: string;
}

/**
 * Writes the file under a temporary name, syncs and renames it.
 * @param onRecord called after each record with the bytes that it had in the source.
 * @throws UserError where a record is damaged or does not fit the features, naming file and record.
 */
export async function convertShard(
  task: ConvertTask,
  onRecord: (bytes: number) => void = () => {},
): Promise<ConvertedShard> {
  const features = featuresFromJson(task.features, 'the manifest');
  const parser = createExampleParser(features);
  const temporary = temporaryPath(task.path);
  const writer = openExampleWriter(task.format, temporary, features, task.metadata);
  let records = 0;
  try {
    for (const piece of task.pieces)
      for await (const { index, offset, data } of readPiece(task.dataDir, piece)) {
        const values = parsed(
          () => parser.parse(data),
          `${piece.shard.file}, record ${index} at byte ${offset}`,
        );
        await writer.add(task.firstRecord + records, values);
        records += 1;
        onRecord(data.length);
      }
    const { bytes, sha256 } = await writer.finish();
    renameSync(temporary, task.path);
    syncFolder(dirname(task.path));
    return { records, bytes, sha256 };
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** What the parser says of a record, with the record's place. */
function parsed<T>(parse: () => T, where: string): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.what, { where, remedy: 'make the shard again', cause: error });
  }
}
