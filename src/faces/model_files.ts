/** Where the nets that find faces come from: files inside npm packages that Google publishes. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../io/errors.js';

export const MODEL_NAMES = [
  'face-detection-full-range',
  'face-detection-short-range',
  'face-landmark',
] as const;

export type ModelName = (typeof MODEL_NAMES)[number];

interface ModelFile {
  readonly package: string;
  readonly file: string;
  /** The version that `sha256` was taken from. */
  readonly version: string;
  /** Where the model stands in the file, if it isn't all of it. */
  readonly start?: number;
  readonly end?: number;
  /** Of the model. */
  readonly sha256: string;
}

/**
 * The models of MediaPipe's solutions, made and published by Google (mhays@google.com) as `@mediapipe/face_detection` and
 * `@mediapipe/face_mesh`, Apache License 2.0; nothing else of the packages is used, and none of their code is run.
 *
 * - `face-detection-full-range`: 192 × 192 pixels, one anchor in each of 48 × 48 cells; "MediaPipe BlazeFace Full Range" in
 *   Google's model card.
 * - `face-detection-short-range`: 128 × 128 pixels, 896 anchors; "MediaPipe BlazeFace Short Range" in Google's model card.
 * - `face-landmark`: 192 × 192 pixels, 468 points of x, y, z in pixels, and a logit of a face being there; "MediaPipe Face
 *   Mesh" in Google's model card. It stands in a package of several files, whose offsets are those that the package's own
 *   `face_mesh_solution_packed_assets_loader.js` lists.
 */
export const MODEL_FILES: Readonly<Record<ModelName, ModelFile>> = {
  'face-detection-full-range': {
    package: '@mediapipe/face_detection',
    file: 'face_detection_full_range.tflite',
    version: '0.4.1657300184',
    sha256: '99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3',
  },
  'face-detection-short-range': {
    package: '@mediapipe/face_detection',
    file: 'face_detection_short_range.tflite',
    version: '0.4.1657300184',
    sha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
  },
  'face-landmark': {
    package: '@mediapipe/face_mesh',
    file: 'face_mesh_solution_packed_assets.data',
    version: '0.4.1657299874',
    start: 2_495_952,
    end: 3_737_848,
    sha256: 'c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1',
  },
};

/**
 * A model's TFLite file.
 * @throws UserError where its package isn't installed, or holds another model than the one that was tested.
 */
export function modelBytes(name: ModelName): Uint8Array {
  const model = MODEL_FILES[name];
  const path = join(packageFolder(model), model.file);
  const bytes = contents(path, model).subarray(model.start, model.end);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== model.sha256)
    throw new UserError(
      `the model ${name} is not the one that was tested (SHA-256 ${sha256.slice(0, 12)}…)`,
      {
        where: path,
        remedy: `install ${model.package}@${model.version}`,
      },
    );
  return bytes;
}

/** The package's folder, through its `package.json`: `main` is a script for pages. */
function packageFolder(model: ModelFile): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${model.package}/package.json`));
  } catch (cause) {
    throw missing(model, `the package ${model.package}, which holds a face model, is not installed`, cause);
  }
}

function contents(path: string, model: ModelFile): Uint8Array {
  try {
    const { buffer, byteOffset, length } = readFileSync(path);
    return new Uint8Array(buffer, byteOffset, length); // whose slices are copies, as a Buffer's aren't
  } catch (cause) {
    throw missing(model, `the package ${model.package} lacks its face model ${model.file}`, cause);
  }
}

function missing(model: ModelFile, what: string, cause: unknown): UserError {
  return new UserError(what, { remedy: `run npm install ${model.package}@${model.version}`, cause });
}
