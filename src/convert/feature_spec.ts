/** The features of records that others wrote, from the file that says what they are. */

import { readFileSync } from 'node:fs';
import { UserError } from '../io/errors.js';
import { type Features, featuresFromJson } from '../io/features.js';
import { featuresFromTfds, isTfdsFeatures } from '../io/features_from_tfds.js';

/**
 * Reads features as a manifest has them (`{"label": {"kind": "int64", "shape": []}, …}`), a whole manifest, or TensorFlow
 * Datasets' `features.json`.
 * @throws UserError where the file can't be read or is none of these.
 */
export function readFeatureSpec(path: string): Features {
  const json = parseJson(path);
  try {
    if (isTfdsFeatures(json)) return featuresFromTfds(json, path);
    const spec = featuresFromJson(featuresIn(json), path);
    if (Object.keys(spec).length > 0) return spec;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const remedy = isTfdsFeatures(json) && error.remedy !== undefined ? error.remedy : REMEDY;
    throw new UserError(error.what, { where: path, remedy, exitCode: 2, cause: error });
  }
  throw new UserError('the file names no feature', { where: path, remedy: REMEDY, exitCode: 2 });
}

/** Those of a manifest, or of what `--infer --json` prints; a feature that is called `records` is no number. */
function featuresIn(json: unknown): unknown {
  const { format, records, features } = (json ?? {}) as Readonly<Record<string, unknown>>;
  return format === 't2t-ts manifest 1' || typeof records === 'number' ? features : json;
}

const REMEDY = 'begin with what `t2t-ts import FILES --infer` prints';

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === undefined ? 'the features are not JSON' : `the features can't be read (${code})`;
    throw new UserError(what, { where: path, remedy: REMEDY, exitCode: 2 });
  }
}
