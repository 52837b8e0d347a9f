/** From a stranger's photograph to the crops that examples hold: find the face, judge it, cut it out, encode it. */

import sharp from 'sharp';
import {
  alignmentOf,
  compose,
  DegeneratePointsError,
  matrixNumbers,
  scaling,
  strangeness,
  TEMPLATES,
  type TemplateName,
} from './align.js';
import { type CropFailure, type CropSpec, cropFaces, DEFAULT_CROP, pixelBox } from './crop.js';
import { cropBox } from './crop_box.js';
import {
  decodeWindow,
  type PictureWindow,
  pointInWindow,
  wholeWindow,
  windowAround,
  windowMatrix,
} from './decode_window.js';
import { DETECTOR_ID } from './detect.js';
import { encodePicture, encodingId } from './encode_picture.js';
import {
  type Face,
  type FaceHint,
  intersectionOverUnion,
  LANDMARK_NAMES,
  type Landmarks,
  landmarkNumbers,
  moveLandmarks,
  type PixelBox,
} from './face.js';
import { faceAround, facesIn, partOf } from './find_faces.js';
import { lookAt, type PictureLook } from './open_picture.js';
import { perceptualHash } from './perceptual_hash.js';
import {
  type FaceQuality,
  measureQuality,
  type QualityFault,
  type QualityLimits,
  qualityFault,
} from './quality.js';
import { type Crop, resample } from './warp.js';

/** How faces are found, judged and cropped. */
export interface FaceSpec extends CropSpec {
  /**
   * Look for the face with the detector where the dataset does not give its landmarks. Otherwise a face without landmarks
   * is cut by its box, or is `no-face` where it should be aligned or limits are to be judged.
   */
  readonly find: boolean;
  /** Align the crop to this template (scaled to `size`); otherwise the crop is the box with its margin. */
  readonly align: TemplateName | undefined;
  /** Least intersection over union of the dataset's box with the box of the face that was found, 0 to 1. */
  readonly minOverlap: number;
  readonly limits: QualityLimits;
  /** Of crops by a box: whether a square that reaches beyond the picture is pushed inside or padded with `fill`. */
  readonly outside: 'clip' | 'pad';
  /** What lies around the picture in aligned and padded crops. */
  readonly fill: FillName;
}

/** Colours around a picture; `edge` repeats its outermost pixels. */
export const FILLS = {
  black: [0, 0, 0],
  grey: [128, 128, 128],
  white: [255, 255, 255],
  edge: 'edge',
} as const;

export type FillName = keyof typeof FILLS;

export const DEFAULT_FACE_SPEC: FaceSpec = {
  ...DEFAULT_CROP,
  find: true,
  align: undefined,
  // Publishers' boxes follow other conventions (to the hairline, to the chin, with the ears): the same face seldom has
  // less than this, a neighbour's face seldom more.
  minOverlap: 0.3,
  limits: {},
  outside: 'clip',
  // As the published sets of aligned faces have it.
  fill: 'black',
};

export type FaceFailure =
  | CropFailure
  | 'no-face'
  | 'face-mismatch'
  | 'bad-landmarks'
  | QualityFault['reason'];

/** What is kept of a face beside its crop; numbers are pixels of the upright picture. */
export interface FaceFacts {
  /** left, top, width, height: of the face that was found, or as the dataset has it. */
  readonly box: readonly number[];
  /** x and y of LANDMARK_NAMES. */
  readonly landmarks: readonly number[];
  /** 0 … 1; 1 where the landmarks are the dataset's own. */
  readonly score: number;
  /** From the picture to the crop: the 2 × 3 matrix, row after row. */
  readonly matrix: readonly number[];
  /** A template's name, or `box`. */
  readonly template: string;
  /** Who found the landmarks: the detector's id, or `dataset`. */
  readonly detector: string;
  readonly quality: FaceQuality;
  /** `perceptualHash` of the whole photograph. */
  readonly photographHash: string;
}

export type FaceOutcome =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly face?: FaceFacts }
  | { readonly ok: false; readonly failure: FaceFailure; readonly detail: string };

type Failed = FaceOutcome & { readonly ok: false };

/** Names the bytes that a spec gives: another id wherever they would be others. */
export function facePreparationId(spec: FaceSpec): string {
  const crop = `crop-${spec.size}px-margin${spec.margin}-${encodingId(spec)}-min${spec.minFacePixels}-v4`;
  if (isByBoxAlone(spec)) return crop;
  const limits = Object.entries(spec.limits).map(([name, limit]) => `-${name}${limit}`);
  const finding = spec.find ? `${DETECTOR_ID}-overlap${spec.minOverlap}` : 'unsought';
  const cut = `${spec.align ?? `box-${spec.outside}`}-${spec.fill}`;
  return `${crop}-${cut}-${finding}${limits.join('')}`;
}

/**
 * Prepares the faces of one picture. Outcomes come in the order of `hints`; a face's bytes do not depend on which other
 * faces are asked for. A hint without a box or landmarks means the largest face of the picture, or, where no face is to be
 * found at all, its largest centred square. Never throws for what a picture holds.
 */
export async function prepareFaces(
  picture: Uint8Array,
  hints: readonly FaceHint[],
  spec: FaceSpec,
): Promise<FaceOutcome[]> {
  if (isByBoxAlone(spec))
    return cropFaces(
      picture,
      hints.map(({ box }) => box),
      spec,
    );
  const look = await lookAt(picture, spec.maxPixels);
  if ('failure' in look) return hints.map(() => ({ ok: false, ...look }));
  // Of a large picture only the surroundings of each face are decoded in full, and the whole for its hash.
  const isLarge = look.width * look.height > MAX_WINDOW_PIXELS;
  const { maxPixels } = spec;
  const maxWindowPixels = isLarge ? HASHED_PIXELS : MAX_WINDOW_PIXELS;
  const seen = await decodeWindow(picture, look, wholeWindow(look), { maxPixels, maxWindowPixels });
  if ('failure' in seen) return hints.map(() => ({ ok: false, ...seen }));
  const photographHash = perceptualHash(seen.image);
  const opened = { picture, look, whole: isLarge ? undefined : seen, spec, photographHash };
  const outcomes: FaceOutcome[] = [];
  // One after the other, as in cropFaces: a large picture's windows are many megabytes each.
  for (const hint of hints) outcomes.push(await prepareFace(opened, hint));
  return outcomes;
}

/** Nothing is asked of the face in the box: not even whether there is one. */
function isByBoxAlone(spec: FaceSpec): boolean {
  return !spec.find && !needsLandmarks(spec) && spec.outside === 'clip';
}

function needsLandmarks({ align, limits }: FaceSpec): boolean {
  return align !== undefined || Object.keys(limits).length > 0;
}

/** A picture of at most this many pixels is decoded once for all of its faces; of a larger one each face's surroundings. */
const MAX_WINDOW_PIXELS = 8_000_000;

/**
 * How much of the picture around a box is looked at: three times its side shows the whole head wherever a publisher's box
 * sits on it, and shows the detector a face of a third of what it sees.
 */
const LOOK_AROUND = 3;

/** Enough for a perceptual hash, which looks at 32 × 32 means. */
const HASHED_PIXELS = 256 * 256;

interface Opened {
  readonly picture: Uint8Array;
  readonly look: PictureLook;
  readonly whole: PictureWindow | undefined;
  readonly spec: FaceSpec;
  readonly photographHash: string;
}

async function prepareFace(opened: Opened, hint: FaceHint): Promise<FaceOutcome> {
  const { look, spec } = opened;
  const { width, height } = look;
  const box = hint.box === undefined ? undefined : pixelBox(hint.box, width, height);
  if (box !== undefined && isOutside(box, look))
    return fail('bad-box', `box ${JSON.stringify(hint.box)} in ${width} × ${height} pixels`);
  const wrong =
    (box === undefined ? undefined : smallness(box, spec)) ??
    (hint.landmarks === undefined ? undefined : faultOf(hint.landmarks, box, opened));
  if (wrong !== undefined) return wrong;
  const around = hint.landmarks === undefined ? box : boxOf(hint.landmarks);
  const window = around === undefined ? wholeWindow(look) : windowAround(around, LOOK_AROUND, look);
  if (window === undefined) return fail('bad-box', `box ${JSON.stringify(around)} shows nothing`);
  const isUnknown = hint.landmarks === undefined && !spec.find;
  if (isUnknown && needsLandmarks(spec))
    return fail('no-face', 'the dataset gives no landmarks, and the face is not to be looked for');
  const limits = { maxPixels: spec.maxPixels, maxWindowPixels: MAX_WINDOW_PIXELS };
  const seen = opened.whole ?? (await decodeWindow(opened.picture, look, window, limits));
  if ('failure' in seen) return { ok: false, ...seen };
  if (isUnknown) {
    const crop = boxCrop(seen, box ?? wholeWindow(look), spec);
    return 'failure' in crop ? crop : { ok: true, bytes: await bytesOf(crop, spec) };
  }
  const found =
    hint.landmarks === undefined
      ? await findFace(seen, opened.whole === undefined ? undefined : window, box, spec)
      : { box: box ?? boxOf(hint.landmarks), landmarks: hint.landmarks, score: 1 };
  if ('failure' in found) return found;
  return (
    smallness(found.box, spec) ??
    cropFound(opened, seen, found, {
      box: box ?? found.box,
      detector: hint.landmarks === undefined ? DETECTOR_ID : 'dataset',
    })
  );
}

/** More than any face seen from the front or the side: see `strangeness`. */
const MAX_STRANGENESS = 0.55;

/** What is wrong with a dataset's five points: a table of millions has some that are no face's. */
function faultOf(
  landmarks: Landmarks,
  box: PixelBox | undefined,
  { look, spec }: Opened,
): Failed | undefined {
  const area = boxOf(landmarks);
  if (isOutside(area, look)) return fail('bad-landmarks', 'they lie outside the picture');
  if (box !== undefined && intersectionOverUnion(area, box) === 0)
    return fail('bad-landmarks', 'they lie outside the box');
  try {
    const strange = strangeness(landmarks);
    if (strange > MAX_STRANGENESS)
      return fail('bad-landmarks', `${strange.toFixed(2)} eye distances from any face’s points`);
  } catch (error) {
    if (!(error instanceof DegeneratePointsError)) throw error;
    return fail('bad-landmarks', error.message);
  }
  return smallness(area, spec);
}

function smallness({ width, height }: PixelBox, { minFacePixels }: FaceSpec): Failed | undefined {
  const longer = Math.max(width, height);
  return longer < minFacePixels
    ? fail('face-too-small', `${Math.round(longer)} pixels, at least ${minFacePixels} wanted`)
    : undefined;
}

/** True for a box that is empty, not finite or shows nothing of the picture. */
function isOutside(box: PixelBox, { width, height }: PictureLook): boolean {
  const right = Math.min(width, box.left + box.width);
  const bottom = Math.min(height, box.top + box.height);
  return !(right > Math.max(0, box.left) && bottom > Math.max(0, box.top) && right - box.left < Infinity);
}

/** A square around five points, about as large as a detector's box of that face. */
function boxOf(landmarks: Landmarks): PixelBox {
  const points = LANDMARK_NAMES.map((name) => landmarks[name]);
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  // Eyes and mouth span about half a face's height and width.
  const side = 2 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  const middle = (values: readonly number[]): number => (Math.min(...values) + Math.max(...values)) / 2;
  return { left: middle(xs) - side / 2, top: middle(ys) - side / 2, width: side, height: side };
}

async function findFace(
  seen: PictureWindow,
  part: PixelBox | undefined,
  box: PixelBox | undefined,
  spec: FaceSpec,
): Promise<Face | Failed> {
  const shown = partOf(seen, part);
  if (box === undefined) {
    const faces = await facesIn(shown);
    const largest = [...faces].sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)[0];
    return largest ?? fail('no-face', `none in ${seen.image.width} × ${seen.image.height} pixels`);
  }
  const found = await faceAround(shown, box, spec.minOverlap);
  if (found === undefined) return fail('no-face', 'none in or around the box');
  return found.overlap >= spec.minOverlap
    ? found.face
    : fail('face-mismatch', `overlap ${found.overlap.toFixed(2)}, at least ${spec.minOverlap} wanted`);
}

async function cropFound(
  { spec, photographHash }: Opened,
  seen: PictureWindow,
  face: Face,
  { box, detector }: { readonly box: PixelBox; readonly detector: string },
): Promise<FaceOutcome> {
  const crop = spec.align === undefined ? boxCrop(seen, box, spec) : aligned(seen, face, spec.align, spec);
  if ('failure' in crop) return crop;
  const quality = measureQuality(crop.image, face);
  const fault = qualityFault(quality, spec.limits);
  if (fault !== undefined) return fail(fault.reason, fault.detail);
  const { left, top } = face.box;
  return {
    ok: true,
    bytes: await bytesOf(crop, spec),
    face: {
      box: [left, top, face.box.width, face.box.height],
      landmarks: landmarkNumbers(face.landmarks),
      score: face.score,
      matrix: matrixNumbers(compose(crop.matrix, windowMatrix(seen))),
      template: spec.align ?? 'box',
      detector,
      quality,
      photographHash,
    },
  };
}

function bytesOf({ image: { data, width, height } }: Crop, spec: FaceSpec): Promise<Uint8Array> {
  return encodePicture(sharp(data, { raw: { width, height, channels: 3 } }), spec);
}

function aligned(seen: PictureWindow, face: Face, template: TemplateName, { size, fill }: FaceSpec): Crop {
  const landmarks = moveLandmarks(face.landmarks, (point) => pointInWindow(point, seen));
  const matrix = compose(scaling(size / TEMPLATES[template].size), alignmentOf(landmarks, template));
  return { image: resample(seen.image, matrix, size, FILLS[fill]), matrix };
}

function boxCrop(seen: PictureWindow, box: PixelBox, spec: FaceSpec): Crop | Failed {
  const { scale, left, top } = seen;
  const inWindow = {
    left: (box.left - left) * scale,
    top: (box.top - top) * scale,
    width: box.width * scale,
    height: box.height * scale,
  };
  try {
    return cropBox(seen.image, inWindow, {
      margin: spec.margin,
      size: spec.size,
      outside: spec.outside,
      fill: FILLS[spec.fill],
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail('bad-box', error.message);
  }
}

function fail(failure: FaceFailure, detail: string): Failed {
  return { ok: false, failure, detail };
}
