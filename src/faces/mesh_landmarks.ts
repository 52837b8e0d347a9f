/** Looks at one face closely: 468 points of its surface, of which five and the face's box are kept. */

import { apply } from './align.js';
import { sigmoid } from './anchors.js';
import type { Landmarks, PixelBox, Point, RgbImage } from './face.js';
import { angleOfLandmarks, type FaceSquare, viewSquare } from './face_square.js';
import type { ModelSession } from './session.js';

/** One face as the mesh sees it. */
export interface MeshFace {
  readonly landmarks: Landmarks;
  readonly box: PixelBox;
  /** How sure the net is that there is a face, 0 … 1. */
  readonly presence: number;
}

/** Side of the net's input in pixels. */
const SIDE = 192;

/** The mesh of the face in a square, in pixels of the picture. */
export async function meshFace(
  session: ModelSession,
  image: RgbImage,
  square: FaceSquare,
): Promise<MeshFace> {
  const { numbers, toPicture } = viewSquare(image, square, SIDE, 0);
  const [mesh, presence] = (await session.run(numbers)) as [Float32Array, Float32Array];
  const point = (i: number): Point =>
    apply(toPicture, { x: (mesh[i * 3] as number) - 0.5, y: (mesh[i * 3 + 1] as number) - 0.5 });
  const landmarks: Landmarks = {
    leftEye: meanOf(LEFT_EYE.map(point)),
    rightEye: meanOf(RIGHT_EYE.map(point)),
    nose: point(NOSE_TIP),
    leftMouth: point(LEFT_MOUTH),
    rightMouth: point(RIGHT_MOUTH),
  };
  return {
    landmarks,
    box: faceBox(Array.from({ length: mesh.length / 3 }, (_, i) => point(i)), landmarks),
    presence: sigmoid(presence[0] as number),
  };
}

const LEFT_EYE = [33, 160, 158, 133, 153, 144];
const RIGHT_EYE = [362, 385, 387, 263, 373, 380];
const NOSE_TIP = 4;
const LEFT_MOUTH = 61;
const RIGHT_MOUTH = 291;

function faceBox(points: readonly Point[], landmarks: Landmarks): PixelBox {
  void landmarks;
  void angleOfLandmarks;
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce((a, b) => ({ x: a.x + b.x, y: a.y + b.y }));
  return { x: sum.x / points.length, y: sum.y / points.length };
}
