/** What records say of each face beside its crop, so that anyone can find it in the photograph again. */

import { type Feature, float32, image, optional, text } from '../io/features.js';
import { imageEncoding, preparedFace } from './face_options.js';
import type { PreparedInput } from './problem.js';

/**
 * The features of one face: its crop under `name` (`image`, or `image/a` and so on), the SHA-256 and the perceptual hash (`perceptualHash`) of its photograph, and under
 * `<name>/face/…` what was found of it, absent where faces were cropped by their boxes alone. Boxes (left, top,
 * width, height) and landmarks (x and y of both eyes, nose and both mouth corners, left as seen) are pixels of the upright
 * photograph, the matrix (2 × 3, row after row) leads from them to pixels of the crop, the pose is roll, yaw and pitch in
 * degrees.
 */
export function faceFeatures<Name extends string>(
  name: Name,
  { size, image_encoding }: { readonly size: number; readonly image_encoding: string },
) {
  const encoding = imageEncoding({ image_encoding });
  const features = {
    [name]: image({ encoding, height: size, width: size, channels: 3 }),
    [`${name}/sha256`]: text(),
    [`${name}/phash`]: optional(text()),
    [`${name}/face/box`]: optional(float32([4])),
    [`${name}/face/landmarks`]: optional(float32([10])),
    [`${name}/face/score`]: optional(float32()),
    [`${name}/face/matrix`]: optional(float32([6])),
    [`${name}/face/pose`]: optional(float32([3])),
    [`${name}/face/template`]: optional(text()),
    [`${name}/face/detector`]: optional(text()),
  };
  return features as FaceFeatures<Name>;
}

/** The values of `faceFeatures`. */
export function faceValues<Name extends string>(name: Name, input: PreparedInput) {
  const face = preparedFace(input);
  const values = {
    [name]: input.bytes,
    [`${name}/sha256`]: input.contentSha256,
    ...(face !== undefined && {
      [`${name}/phash`]: face.photographHash,
      [`${name}/face/box`]: face.box,
      [`${name}/face/landmarks`]: face.landmarks,
      [`${name}/face/score`]: face.score,
      [`${name}/face/matrix`]: face.matrix,
      [`${name}/face/pose`]: [face.quality.roll, face.quality.yaw, face.quality.pitch],
      [`${name}/face/template`]: face.template,
      [`${name}/face/detector`]: face.detector,
    }),
  };
  return values as FaceValues<Name>;
}

type FaceFeatures<Name extends string> = Record<Name, Feature<'image', readonly [], false>> &
  Record<`${Name}/sha256`, Feature<'text', readonly [], false>> &
  Record<`${Name}/face/box`, Feature<'float32', readonly [4], true>> &
  Record<`${Name}/face/landmarks`, Feature<'float32', readonly [10], true>> &
  Record<`${Name}/face/score`, Feature<'float32', readonly [], true>> &
  Record<`${Name}/face/matrix`, Feature<'float32', readonly [6], true>> &
  Record<`${Name}/face/pose`, Feature<'float32', readonly [3], true>> &
  Record<`${Name}/phash` | `${Name}/face/${'template' | 'detector'}`, Feature<'text', readonly [], true>>;

type FaceValues<Name extends string> = Record<Name, Uint8Array> &
  Record<`${Name}/sha256`, string> &
  Partial<
    Record<`${Name}/face/${'box' | 'landmarks' | 'matrix' | 'pose'}`, readonly number[]> &
      Record<`${Name}/face/score`, number> &
      Record<`${Name}/phash` | `${Name}/face/${'template' | 'detector'}`, string>
  >;
