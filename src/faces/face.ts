/** What a face is to the rest of the code: its box, its five named points and how sure the detector is. */

import type { FractionBox } from './crop.js';

/** A point of a picture in pixels; (0, 0) is the centre of the top-left pixel, x to the right, y down. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A rectangle of a picture in pixels, by its edges: the top-left pixel covers left 0 … 1, top 0 … 1. It may reach beyond
 * the picture.
 */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The five points that alignment needs; left and right as seen in the picture, not as the person has them. */
export const LANDMARK_NAMES = ['leftEye', 'rightEye', 'nose', 'leftMouth', 'rightMouth'] as const;

export type LandmarkName = (typeof LANDMARK_NAMES)[number];

/** Eyes are the centres of the eyes' outlines, the nose is its tip, the mouth points are its corners. */
export type Landmarks = Readonly<Record<LandmarkName, Point>>;

/** A face that was found. */
export interface Face {
  readonly box: PixelBox;
  readonly landmarks: Landmarks;
  /** 0 … 1. */
  readonly score: number;
}

/** What is known of a face before its picture is looked at. Without anything the whole picture is meant. */
export interface FaceHint {
  readonly box?: FractionBox | PixelBox;
  /** Pixels of the upright picture. */
  readonly landmarks?: Landmarks;
}

/** An upright picture's pixels: red, green and blue bytes, row after row. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** width × height × 3 bytes. */
  readonly data: Uint8Array;
}

/** The five points as ten numbers: x and y in the order of LANDMARK_NAMES. */
export function landmarkNumbers(landmarks: Landmarks): number[] {
  return LANDMARK_NAMES.flatMap((name) => [landmarks[name].x, landmarks[name].y]);
}

/** The reverse of `landmarkNumbers`. */
export function landmarksOf(numbers: ArrayLike<number>): Landmarks {
  const point = (i: number): Point => ({ x: Number(numbers[2 * i]), y: Number(numbers[2 * i + 1]) });
  return Object.fromEntries(LANDMARK_NAMES.map((name, i) => [name, point(i)])) as Record<LandmarkName, Point>;
}

/** The five points, each moved. */
export function moveLandmarks(landmarks: Landmarks, move: (point: Point) => Point): Landmarks {
  return Object.fromEntries(LANDMARK_NAMES.map((name) => [name, move(landmarks[name])])) as Record<
    LandmarkName,
    Point
  >;
}

/** Area of the intersection over the area of the union, 0 … 1. */
export function intersectionOverUnion(a: PixelBox, b: PixelBox): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}
