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
  if (isTfdsFeatures(json)) return featuresFromTfds(json, path);
  const { format, features } = (json ?? {}) as { format?: unknown; features?: unknown };
  const spec = featuresFromJson(format === 't2t-ts manifest 1' ? features : json, path);
  if (Object.keys(spec).length > 0) return spec;
  throw new UserError('the file names no feature', { where: path, remedy: REMEDY });
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
