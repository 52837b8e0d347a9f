/** How far a head is turned, tilted and rolled, told from five points: least squares, no iteration, no camera known. */

import { TEMPLATES } from './align.js';
import { LANDMARK_NAMES, type Landmarks } from './face.js';

/**
 * Degrees, −180 … 180; all 0 for a face that looks into the camera with its eyes level. With x to the right, y down and z
 * away from the viewer, the head's own axes are turned by R = Rz(roll) · Ry(−yaw) · Rx(−pitch).
 */
export interface HeadPose {
  /** The line from the left eye to the right in the picture; positive: the right eye is lower (turned clockwise). */
  readonly roll: number;
  /** Positive: the nose points to the right of the picture. NaN where the points fix none. */
  readonly yaw: number;
  /** Positive: the nose points up. NaN where the points fix none. */
  readonly pitch: number;
}

/**
 * The pose under weak perspective (DeMenthon and Davis, "Model-based object pose in 25 lines of code", IJCV 15 (1995):
 * their first step, POS, by the pseudo-inverse of the model's points). The rows that come out are brought to the nearest
 * pair of perpendicular ones of equal length.
 *
 * For |yaw| ≤ 45 and |pitch| ≤ 30 and a face of the model's shape: exact far from the camera, within 3 degrees from 20
 * distances between the eyes on (1.3 m), within 3 (yaw) and 6 (pitch) at 10. A nose a fifth longer or shorter than the
 * model's adds up to 7 degrees to yaw and 6 to pitch: limits finer than that mean nothing.
 */
export function headPose(landmarks: Landmarks): HeadPose {
  const { leftEye, rightEye } = landmarks;
  const roll = toDegrees(Math.atan2(rightEye.y - leftEye.y, rightEye.x - leftEye.x));
  const row1: [number, number, number] = [0, 0, 0];
  const row2: [number, number, number] = [0, 0, 0];
  for (const [i, name] of LANDMARK_NAMES.entries()) {
    const { x, y } = landmarks[name];
    for (const k of [0, 1, 2] as const) {
      const weight = (PSEUDO_INVERSE[k] as readonly number[])[i] as number;
      row1[k] += weight * x;
      row2[k] += weight * y;
    }
  }
  const rotation = nearestRotation(row1, row2);
  if (rotation === undefined) return { roll, yaw: Number.NaN, pitch: Number.NaN };
  const [r1, r2] = rotation;
  // R's third row is r1 × r2 = (sin yaw, −cos yaw · sin pitch, cos yaw · cos pitch); its first column begins with
  // cos yaw · (cos roll, sin roll).
  const r3x = r1[1] * r2[2] - r1[2] * r2[1];
  const r3y = r1[2] * r2[0] - r1[0] * r2[2];
  const r3z = r1[0] * r2[1] - r1[1] * r2[0];
  const yaw = Math.atan2(r3x, Math.hypot(r1[0], r2[0]));
  const pitch = Math.atan2(-r3y, r3z);
  return { roll, yaw: toDegrees(yaw), pitch: toDegrees(pitch) };
}

type Vector = readonly [x: number, y: number, z: number];

/**
 * The five points in space: x to the right and y down as in `arcface112`, in distances between the eyes, made symmetric,
 * so that a face on that template looks straight ahead; z away from the viewer: the nose tip lies 0.60, the mouth's
 * corners 0.09 before the eyes (the mean of their outlines) in the canonical face of MediaPipe's face geometry module.
 */
export const FACE_MODEL: readonly Vector[] = modelPoints({ noseDepth: 0.6, mouthDepth: 0.09 });

/** Rows for x, y and z, a column a point: takes one coordinate of the picture's points to a row of scale times rotation. */
const PSEUDO_INVERSE = pseudoInverse(FACE_MODEL);

function modelPoints({ noseDepth, mouthDepth }: { noseDepth: number; mouthDepth: number }): Vector[] {
  const { leftEye, rightEye, nose, leftMouth, rightMouth } = TEMPLATES.arcface112.points;
  const unit = rightEye.x - leftEye.x;
  const eyeY = (leftEye.y + rightEye.y) / 2;
  const mouthX = (rightMouth.x - leftMouth.x) / 2 / unit;
  const mouthY = ((leftMouth.y + rightMouth.y) / 2 - eyeY) / unit;
  return [
    [-0.5, 0, 0],
    [0.5, 0, 0],
    [0, (nose.y - eyeY) / unit, -noseDepth],
    [-mouthX, mouthY, -mouthDepth],
    [mouthX, mouthY, -mouthDepth],
  ];
}

/** (PᵀP)⁻¹Pᵀ of the points measured from their mean: three rows, a column a point. */
function pseudoInverse(points: readonly Vector[]): number[][] {
  const mean = [0, 1, 2].map((k) => points.reduce((sum, p) => sum + (p[k] as number), 0) / points.length);
  const centred = points.map((p) => p.map((value, k) => value - (mean[k] as number)));
  const gram = (j: number, k: number): number =>
    centred.reduce((sum, p) => sum + (p[j] as number) * (p[k] as number), 0);
  // The model is symmetric: x has nothing to do with y and z, and 2 × 2 numbers are left to invert.
  const [xx, yy, yz, zz] = [gram(0, 0), gram(1, 1), gram(1, 2), gram(2, 2)];
  const determinant = yy * zz - yz * yz;
  return [
    centred.map(([x]) => (x as number) / xx),
    centred.map(([, y, z]) => (zz * (y as number) - yz * (z as number)) / determinant),
    centred.map(([, y, z]) => (yy * (z as number) - yz * (y as number)) / determinant),
  ];
}

/**
 * The perpendicular unit vectors nearest to two rows of one scale: S⁻¹ times the rows, where S is the square root of
 * their Gram matrix (polar decomposition). Undefined where the rows are parallel, empty or not finite.
 */
function nearestRotation(row1: Vector, row2: Vector): readonly [Vector, Vector] | undefined {
  const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const [p, q, r] = [dot(row1, row1), dot(row1, row2), dot(row2, row2)];
  const determinant = p * r - q * q;
  if (!(determinant > 1e-12 * (p + r) ** 2 && Number.isFinite(determinant))) return undefined;
  // √G = (G + √det G) ⁄ t with t = √(tr G + 2 √det G), for 2 × 2 matrices; its determinant is √det G.
  const root = Math.sqrt(determinant);
  const factor = 1 / (root * Math.sqrt(p + r + 2 * root));
  const mix = (u: number, v: number): Vector => [
    factor * (u * row1[0] + v * row2[0]),
    factor * (u * row1[1] + v * row2[1]),
    factor * (u * row1[2] + v * row2[2]),
  ];
  return [mix(r + root, -q), mix(-q, p + root)];
}

function toDegrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
