/** The one place where everything that is derived from a data folder's manifests is written again. */

import { writeTfdsMetadata } from './tfds_metadata.js';

/**
 * Brings the files of a data folder that only repeat what its manifests say up to date: called when a split is opened,
 * finished or removed. What is right already is left alone, so that a second call changes nothing.
 */
export function describeData(dataDir: string): void {
  writeTfdsMetadata(dataDir);
}
