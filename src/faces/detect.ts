/** Finds the faces of a picture and their five points, the same on every machine: Google's nets on one WebAssembly thread. */

import type { Face, RgbImage } from './face.js';
import { Halves } from './halves.js';
import { meshFace } from './mesh_landmarks.js';
import { MODEL_FILES } from './model_files.js';
import { lookNear, type Proposal } from './near_look.js';
import { proposeFaces, SAME_FACE } from './propose.js';
import { type ModelSession, openSession } from './session.js';
import { suppress } from './suppress.js';
import { usualSmallestFace } from './tiles.js';

/** What counts as a face; every option has a default that was measured. */
export interface DetectOptions {
  /** Least score of a face, 0 … 1; 0.5 unless said otherwise. */
  readonly minScore?: number;
  /** Faces whose box has a shorter side, in pixels, are left out; 16 unless said otherwise, for their points mean little. */
  readonly minFacePixels?: number;
  /**
   * Side in pixels of the smallest face that is looked for; smaller ones may be found. Unless said otherwise 2 % of the picture's
   * longer side, but no less than 58 pixels; see `usualSmallestFace`. A smaller one costs more: see `levelsFor`.
   */
  readonly smallestFace?: number;
  /**
   * `large`: only faces of about a quarter of the picture's longer side and more are looked for, in half the time. `all`
   * unless said otherwise.
   */
  readonly faces?: 'large' | 'all';
}

/** A detector that is ready. */
export interface FaceDetector {
  /** Names the nets, their packages' versions and the version of what is here: other ids may give other faces. */
  readonly id: string;
  /**
   * The faces of an upright picture, best first, in its pixels. Depends on nothing but the picture and the options. A face's box is
   * described at `MeshFace`; its score is the short-range net's from near, times the mesh's presence.
   * @throws RangeError where the picture holds another number of bytes than its sides say, or an option is no number of its range.
   */
  detect(image: RgbImage, options?: DetectOptions): Promise<Face[]>;
  /** Frees the nets' memory once the work that was asked for is done. */
  close(): void;
}

/** The `id` of the detector, for cache keys that are made before any detector is opened. Raise the last number with every change. */
export const DETECTOR_ID = [
  `blazeface-${MODEL_FILES['face-detection-full-range'].version}`,
  `facemesh-${MODEL_FILES['face-landmark'].version}`,
  'v2',
].join('+');

const DEFAULTS = {
  /**
   * Measured on the 480 faces of dlib's, deepface's, facenet's and LFW's photographs: the worst has 0.63 (but one of LFW's, seen
   * from the side: 0.2), and the best of what is no face, or a stranger's blur behind it, 0.45.
   */
  minScore: 0.5,
  minFacePixels: 16,
} as const;

/**
 * Opens the detector: three nets, half a second, 0.2 GB with ONNX Runtime. Detectors of one thread share them.
 * @throws UserError where the packages with the nets aren't installed.
 */
export async function openFaceDetector(): Promise<FaceDetector> {
  const wide = await openSession('face-detection-short-range');
  const fine = await openSession('face-detection-full-range');
  const mesh = await openSession('face-landmark');
  const nets = { wide, fine, mesh };
  return {
    id: DETECTOR_ID,
    detect: (image, options = {}) => detect(nets, image, options),
    close() {
      for (const session of [wide, fine, mesh]) void session.dispose();
    },
  };
}

interface Nets {
  readonly wide: ModelSession;
  readonly fine: ModelSession;
  readonly mesh: ModelSession;
}

/** Many weak proposals, each confirmed from near by one net and once more by another: three that seldom err together. */
async function detect(nets: Nets, image: RgbImage, options: DetectOptions): Promise<Face[]> {
  const { width, height, data } = image;
  if (!(width > 0 && height > 0 && data.length === width * height * 3))
    throw new RangeError(`${data.length} bytes are no ${width} × ${height} picture`);
  const {
    minScore = DEFAULTS.minScore,
    minFacePixels = DEFAULTS.minFacePixels,
    smallestFace = usualSmallestFace(width, height),
    faces: wanted = 'all',
  } = options;
  if (!(minScore > 0 && minScore < 1)) throw new RangeError(`minScore ${minScore} is not between 0 and 1`);
  const picture = new Halves(image);
  const seen: Proposal[] = [];
  for (const proposal of await proposeFaces(nets, picture, wanted === 'large' ? undefined : smallestFace)) {
    const near = await lookNear(nets.wide, picture, proposal, minScore);
    if (near !== undefined) seen.push(near);
  }
  const faces: Face[] = [];
  for (const proposal of suppress(seen, SAME_FACE)) {
    const { box, landmarks, presence } = await meshFace(nets.mesh, picture, proposal);
    const score = proposal.score * presence;
    if (score >= minScore && box.width >= minFacePixels) faces.push({ box, landmarks, score });
  }
  return suppress(faces, SAME_FACE);
}
