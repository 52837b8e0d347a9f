/** Sees to it that what is counted is the split that its manifest describes, and not other shards of the same names. */

import { manifestPath } from '../datagen/data_files.js';
import type { Manifest } from '../datagen/manifest.js';
import { problemOfManifest } from '../datagen/manifest_problem.js';
import { UserError } from '../io/errors.js';
import { readRecordBatches, type TfRecord } from '../io/tfrecord_reader.js';
import { openSplit } from '../reading/open_split.js';

/**
 * Checks that the shards of a finished split are there, with the sizes and the indexes that its manifest says.
 * @throws UserError for the first that is missing or another.
 */
export async function checkSplit(dataDir: string, manifest: Manifest): Promise<void> {
  const { problem, split } = manifest.settings;
  await openSplit(problemOfManifest(manifest, manifestPath(dataDir, problem, split)), split, dataDir);
}

/**
 * The first `records` records of a shard that holds `written` of them, by the batch.
 * @throws RecordError where the shard is damaged.
 * @throws UserError where it turns out to hold fewer records, or more.
 */
export async function* shardRecords(
  path: string,
  { records, written }: { readonly records: number; readonly written: number },
): AsyncGenerator<TfRecord[], void, undefined> {
  let seen = 0;
  for await (const batch of readRecordBatches(path)) {
    const wanted = records - seen;
    seen += batch.length;
    if (wanted > 0) yield batch.slice(0, wanted);
    if (seen >= records && records < written) return;
    if (seen > written) break;
  }
  if (seen === written) return;
  throw new UserError(
    `a shard of ${seen < written ? seen : `more than ${written}`} records, where the manifest says ${written}`,
    {
      where: path,
      remedy: 'restore the file, or delete it and run the same datagen command again, which makes it anew',
    },
  );
}
