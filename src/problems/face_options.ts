/** The options that every Problem over faces shares, and the preparation that they describe. */

import { TEMPLATE_NAMES, TEMPLATES, type TemplateName } from '../faces/align.js';
import {
  DEFAULT_FACE_SPEC,
  type FaceFacts,
  type FaceSpec,
  FILLS,
  type FillName,
  facePreparationId,
  prepareFaces,
} from '../faces/prepare_faces.js';
import { UserError } from '../io/errors.js';
import { IMAGE_ENCODINGS, type ImageEncoding } from '../io/features.js';
import type { Facts, OptionValue, Preparation, PreparedInput } from './problem.js';

/** Size, margin and quality of crops by a box, without looking for the face in it. */
export const CROP_OPTIONS = {
  /** Side of the crop in pixels. */
  size: DEFAULT_FACE_SPEC.size,
  /** By how much a box is grown, as a fraction of its longer side; aligned crops have their template's room. */
  margin: DEFAULT_FACE_SPEC.margin,
  /** How crops are stored: `jpeg`, `png` (lossless) or `raw` (a byte a channel, as large as it gets). */
  image_encoding: DEFAULT_FACE_SPEC.encoding as string,
  /** JPEG quality. */
  quality: DEFAULT_FACE_SPEC.quality,
  min_face_pixels: DEFAULT_FACE_SPEC.minFacePixels,
} as const;

/** What those options may be. */
export const CROP_OPTION_RANGES = {
  size: [8, 4096],
  margin: [0, 10],
  quality: [1, 100],
  min_face_pixels: [1, 4096],
} as const;

/** Finding, aligning and judging the face, beside CROP_OPTIONS. A limit at its default refuses nothing. */
export const FACE_OPTIONS = {
  ...CROP_OPTIONS,
  /** Whether the face must be found by the detector, where the dataset gives no landmarks. */
  find_face: true as boolean,
  /** `none`, or the template to which crops are aligned: `arcface112`, `expression128`. */
  align: 'none' as string,
  /** Of crops by a box that reach beyond the picture: `clip` pushes them inside, `pad` fills. */
  outside: 'clip' as string,
  /** Around the picture, in aligned and padded crops: `black`, `grey`, `white` or `edge`. */
  fill: 'black' as string,
  /** Least overlap (intersection over union) of the face found with the dataset's box. */
  min_overlap: DEFAULT_FACE_SPEC.minOverlap,
  /** Pixels of the photograph between the eyes. */
  min_eye_distance: 0,
  /** See `FaceQuality` for these scales. */
  min_sharpness: 0,
  min_luma: 0,
  max_luma: 255,
  /** Degrees. */
  max_roll: 180,
  max_yaw: 180,
  max_pitch: 180,
};

export const FACE_OPTION_RANGES = {
  ...CROP_OPTION_RANGES,
  min_overlap: [0, 1],
  min_eye_distance: [0, 4096],
  min_sharpness: [0, 64, 'fraction'],
  min_luma: [0, 255],
  max_luma: [0, 255],
  max_roll: [0, 180],
  max_yaw: [0, 180],
  max_pitch: [0, 180],
} as const;

/** FACE_OPTIONS with crops aligned to a template, in its own size. */
export function faceOptions({ template }: { readonly template: TemplateName }) {
  const { size } = TEMPLATES[template];
  return { ...FACE_OPTIONS, align: template as string, size: size as number };
}

/**
 * The preparation that options describe. Options that a Problem does not have are as if nothing were to be found or
 * refused: with CROP_OPTIONS alone, faces are cropped by their boxes.
 * @throws UserError for a template that there isn't.
 */
export function facePreparation(options: Readonly<Record<string, OptionValue>>): Preparation {
  const spec = faceSpec(options);
  return {
    id: facePreparationId(spec),
    prepare: async (raw, faces) =>
      (await prepareFaces(raw, faces, spec)).map((outcome) => {
        if (!outcome.ok) return { ok: false, reason: outcome.failure, detail: outcome.detail };
        const { bytes, face } = outcome;
        return face === undefined
          ? { ok: true, bytes }
          : { ok: true, bytes, facts: face as unknown as Facts };
      }),
  };
}

/** How crops are stored. @throws UserError for a word that is no encoding. */
export function imageEncoding({ image_encoding }: Readonly<Record<string, OptionValue>>): ImageEncoding {
  return oneOf('image_encoding', image_encoding ?? DEFAULT_FACE_SPEC.encoding, IMAGE_ENCODINGS);
}

/** What was found out of the face that an input is a crop of; undefined where it was cropped by its box alone. */
export function preparedFace(input: PreparedInput): FaceFacts | undefined {
  return input.facts as unknown as FaceFacts | undefined;
}

function faceSpec(options: Readonly<Record<string, OptionValue>>): FaceSpec {
  const number = (name: keyof typeof FACE_OPTIONS): number => Number(options[name] ?? FACE_OPTIONS[name]);
  return {
    ...DEFAULT_FACE_SPEC,
    size: number('size'),
    margin: number('margin'),
    encoding: imageEncoding(options),
    quality: number('quality'),
    minFacePixels: number('min_face_pixels'),
    find: options.find_face === true,
    align: templateOf(String(options.align ?? 'none')),
    outside: oneOf('outside', options.outside ?? 'clip', ['clip', 'pad'] as const),
    fill: oneOf('fill', options.fill ?? 'black', FILL_NAMES),
    minOverlap: number('min_overlap'),
    limits: {
      ...above('minEyeDistance', number('min_eye_distance'), 0),
      ...above('minSharpness', number('min_sharpness'), 0),
      ...above('minLuma', number('min_luma'), 0),
      ...below('maxLuma', number('max_luma'), 255),
      ...below('maxRoll', number('max_roll'), 180),
      ...below('maxYaw', number('max_yaw'), 180),
      ...below('maxPitch', number('max_pitch'), 180),
    },
  };
}

function above(name: string, limit: number, nothing: number): Record<string, number> {
  return limit > nothing ? { [name]: limit } : {};
}

function below(name: string, limit: number, nothing: number): Record<string, number> {
  return limit < nothing ? { [name]: limit } : {};
}

function templateOf(name: string): TemplateName | undefined {
  const chosen = oneOf('align', name, ['none', ...TEMPLATE_NAMES] as const);
  return chosen === 'none' ? undefined : chosen;
}

const FILL_NAMES = Object.keys(FILLS) as FillName[];

/** @throws UserError for another word. */
function oneOf<Word extends string>(option: string, value: OptionValue, words: readonly Word[]): Word {
  const chosen = words.find((word) => word === value);
  if (chosen !== undefined) return chosen;
  throw new UserError(`option ${option} is ${JSON.stringify(value)}`, {
    remedy: `it is ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    exitCode: 2,
  });
}
