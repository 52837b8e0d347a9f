/** Finds the faces of a photograph's file, or of a part of it that is decoded already. */

import { scaling } from './align.js';
import {
  boxInPicture,
  decodeWindow,
  type PictureWindow,
  type PixelWindow,
  pointInPicture,
  subImage,
  wholeWindow,
} from './decode_window.js';
import { type FaceDetector, openFaceDetector } from './detect.js';
import { type Face, intersectionOverUnion, moveLandmarks, type PixelBox } from './face.js';
import { type FailedPicture, lookAt } from './open_picture.js';
import { resample } from './warp.js';

/** A photograph and its faces, best first, in pixels of the upright photograph. */
export interface FoundFaces {
  readonly width: number;
  readonly height: number;
  /** The photograph's pixels, shrunk where it is very large. */
  readonly window: PictureWindow;
  readonly faces: readonly Face[];
}

/** Pictures are decoded to no more than this: a face of 2 % of a 48-megapixel photograph still has 80 pixels. */
const MAX_DECODED_PIXELS = 12_000_000;

/** Finds all faces of a photograph. Never throws for what its file holds. */
export async function findFaces(
  picture: Uint8Array,
  { maxPixels }: { readonly maxPixels: number },
): Promise<FoundFaces | FailedPicture> {
  const look = await lookAt(picture, maxPixels);
  if ('failure' in look) return look;
  const limits = { maxPixels, maxWindowPixels: MAX_DECODED_PIXELS };
  const window = await decodeWindow(picture, look, wholeWindow(look), limits);
  if ('failure' in window) return window;
  return { width: look.width, height: look.height, window, faces: await facesIn(window) };
}

/** Opened when the first face is looked for: it takes a third of a second, and many runs need none. */
let detector: Promise<FaceDetector> | undefined;

/** Where one face fills a good part of what is seen, the detector is given no more pixels than this. */
const MAX_PIXELS_AROUND_A_FACE = 640 * 640;

/** The faces of a window, best first, in pixels of the picture. */
export async function facesIn(window: PictureWindow): Promise<Face[]> {
  return detectIn(window, 'all');
}

/**
 * The face of a window whose box overlaps most with `box`, and by how much; undefined where there is none. The window
 * shows the box's surroundings, so that the face is large in it: small ones are looked for only where that gives none
 * that overlaps by `minOverlap`.
 */
export async function faceAround(
  window: PictureWindow,
  box: PixelBox,
  minOverlap: number,
): Promise<{ readonly face: Face; readonly overlap: number } | undefined> {
  const shown = shrunkTo(window, MAX_PIXELS_AROUND_A_FACE);
  const large = nearestTo(box, await detectIn(shown, 'large'));
  if (large !== undefined && large.overlap >= minOverlap) return large;
  return nearestTo(box, await detectIn(shown, 'all'));
}

function nearestTo(box: PixelBox, faces: readonly Face[]) {
  let best: { readonly face: Face; readonly overlap: number } | undefined;
  for (const face of faces) {
    const overlap = intersectionOverUnion(face.box, box);
    if (best === undefined || overlap > best.overlap) best = { face, overlap };
  }
  return best;
}

async function detectIn(shown: PictureWindow, wanted: 'large' | 'all'): Promise<Face[]> {
  detector ??= openFaceDetector();
  const faces = await (await detector).detect(shown.image, { faces: wanted });
  return faces.map((face) => ({
    box: boxInPicture(face.box, shown),
    landmarks: moveLandmarks(face.landmarks, (point) => pointInPicture(point, shown)),
    score: face.score,
  }));
}

/** The part of a window that shows `part` of the picture; the window itself where it shows no more. */
export function partOf(window: PictureWindow, part: PixelWindow | undefined): PictureWindow {
  const { image, scale } = window;
  if (part === undefined || scale !== 1 || part.width * part.height >= image.width * image.height)
    return window;
  return { image: subImage(image, part), scale: 1, left: part.left, top: part.top };
}

function shrunkTo(window: PictureWindow, maxPixels: number): PictureWindow {
  const { width, height } = window.image;
  if (width * height <= maxPixels) return window;
  const scale = Math.sqrt(maxPixels / (width * height));
  const size = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  return {
    ...window,
    image: resample(window.image, scaling(scale), size, 'edge'),
    scale: window.scale * scale,
  };
}
