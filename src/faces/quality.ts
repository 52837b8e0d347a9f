/** Whether a face is good enough to learn from: its size, sharpness, exposure and pose as numbers, and limits for them. */

import type { Landmarks, PixelBox, RgbImage } from './face.js';
import { type HeadPose, headPose } from './head_pose.js';
import { lumaOf } from './luma.js';

/** What can be measured of a face; angles as `HeadPose` has them. */
export interface FaceQuality extends HeadPose {
  /** Pixels of the original picture between the eyes' centres, 0 or more: how much detail there was. */
  readonly eyeDistance: number;
  /** The longer side of the face's box in pixels of the original picture. */
  readonly boxSide: number;
  /**
   * Mean square of the 4-neighbour Laplacian of luma over luma's variance (plus 1, so that a flat crop has 0): 0 … 64, a
   * pure number that neither brightness nor contrast changes. White noise has 20, a checkerboard 64. Measured on
   * `arcface112` crops of dlib's training photographs: faces with eyes 27 pixels and more apart have 0.10 … 0.61, blurred
   * by a Gaussian of σ = 2 pixels 0.003 … 0.011; faces enlarged two- to fourfold 0.01 … 0.13.
   */
  readonly sharpness: number;
  /** Mean luma, 0 … 255. Dark skin is no fault: a limit here must leave room for it. */
  readonly luma: number;
  /** Fraction of pixels that are nearly black (luma below 16), 0 … 1. */
  readonly darkFraction: number;
  /** Fraction of pixels that are nearly white (luma above 250), 0 … 1. */
  readonly brightFraction: number;
}

/** What a face must reach; a limit that is absent is not asked for. Units and signs as in `FaceQuality`. */
export interface QualityLimits {
  /** Pixels of the original picture. */
  readonly minEyeDistance?: number;
  readonly minSharpness?: number;
  readonly minLuma?: number;
  readonly maxLuma?: number;
  /** Degrees to either side, as the next two. */
  readonly maxRoll?: number;
  readonly maxYaw?: number;
  readonly maxPitch?: number;
}

/** Ways in which a face can miss its limits. */
export const QUALITY_FAULTS = [
  'face-too-small',
  'blurred',
  'under-exposed',
  'over-exposed',
  'rolled',
  'turned',
  'tilted',
] as const;

export type QualityFaultReason = (typeof QUALITY_FAULTS)[number];

export interface QualityFault {
  readonly reason: QualityFaultReason;
  /** What was measured and what is asked for. */
  readonly detail: string;
}

/**
 * Measures a face. Sharpness and exposure are those of the middle 70 % of the crop's width and height: there the face is,
 * in both templates and in a box with a small margin; hair, background and fill are mostly outside.
 * @param crop the aligned or square crop, at the resolution that will be learned from.
 * @param face box and landmarks in pixels of the original picture.
 */
export function measureQuality(
  crop: RgbImage,
  face: { readonly landmarks: Landmarks; readonly box: PixelBox },
): FaceQuality {
  const { leftEye, rightEye } = face.landmarks;
  return {
    eyeDistance: Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y),
    boxSide: Math.max(face.box.width, face.box.height),
    ...lookOf(crop),
    ...headPose(face.landmarks),
  };
}

/** The first limit that a face misses, in the order of QUALITY_FAULTS; a number that isn't one (NaN) misses any limit. */
export function qualityFault(quality: FaceQuality, limits: QualityLimits): QualityFault | undefined {
  const { eyeDistance, sharpness, luma } = quality;
  const tooLow = (value: number, limit: number | undefined): limit is number =>
    limit !== undefined && !(value >= limit);
  const tooHigh = (value: number, limit: number | undefined): limit is number =>
    limit !== undefined && !(value <= limit);
  const fault = (reason: QualityFaultReason, detail: string): QualityFault => ({ reason, detail });
  if (tooLow(eyeDistance, limits.minEyeDistance))
    return fault(
      'face-too-small',
      `eyes ${short(eyeDistance)} pixels apart, at least ${limits.minEyeDistance}`,
    );
  if (tooLow(sharpness, limits.minSharpness))
    return fault('blurred', `sharpness ${short(sharpness)}, at least ${limits.minSharpness}`);
  if (tooLow(luma, limits.minLuma))
    return fault('under-exposed', `mean luma ${short(luma)}, at least ${limits.minLuma}`);
  if (tooHigh(luma, limits.maxLuma))
    return fault('over-exposed', `mean luma ${short(luma)}, at most ${limits.maxLuma}`);
  for (const [reason, angle, limit] of [
    ['rolled', quality.roll, limits.maxRoll],
    ['turned', quality.yaw, limits.maxYaw],
    ['tilted', quality.pitch, limits.maxPitch],
  ] as const)
    if (tooHigh(Math.abs(angle), limit))
      return fault(reason, `${reason} by ${short(angle)} degrees, at most ${limit}`);
  return undefined;
}

/** The part of each side that is looked at. */
const MIDDLE = 0.7;
/** Below and above these, cameras and JPEG keep hardly any detail; 16 is also video's black (ITU-R BT.601). */
const NEARLY_BLACK = 16;
const NEARLY_WHITE = 250;

type Look = Pick<FaceQuality, 'sharpness' | 'luma' | 'darkFraction' | 'brightFraction'>;

function lookOf(crop: RgbImage): Look {
  const { width, height } = crop;
  const lumas = lumaOf(crop);
  const [left, right] = middleOf(width);
  const [top, bottom] = middleOf(height);
  let sum = 0;
  let squares = 0;
  let dark = 0;
  let bright = 0;
  let laplacians = 0;
  let inner = 0;
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const i = y * width + x;
      const value = lumas[i] as number;
      sum += value;
      squares += value * value;
      if (value < NEARLY_BLACK) dark++;
      if (value > NEARLY_WHITE) bright++;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) continue;
      const around =
        (lumas[i - 1] as number) +
        (lumas[i + 1] as number) +
        (lumas[i - width] as number) +
        (lumas[i + width] as number);
      laplacians += (around - 4 * value) ** 2;
      inner++;
    }
  const count = (right - left) * (bottom - top);
  const luma = sum / count;
  const variance = Math.max(0, squares / count - luma * luma);
  return {
    sharpness: inner === 0 ? 0 : laplacians / inner / (variance + 1),
    luma,
    darkFraction: dark / count,
    brightFraction: bright / count,
  };
}

/** First and one past the last of the middle pixels of a side; at least one. */
function middleOf(side: number): readonly [number, number] {
  const margin = Math.min(Math.floor((side * (1 - MIDDLE)) / 2), (side - 1) >> 1);
  return [margin, side - margin];
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
