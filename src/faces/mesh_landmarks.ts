/** Looks at one face closely: 468 points of its surface, of which five and the face's box are kept. */

import { apply } from './align.js';
import { sigmoid } from './anchors.js';
import type { Landmarks, PixelBox, Point } from './face.js';
import { angleOf, type FaceSquare, viewSquare } from './face_square.js';
import type { Halves } from './halves.js';
import type { ModelSession } from './session.js';

/** One face as the mesh sees it, in pixels of the picture. */
export interface MeshFace {
  readonly landmarks: Landmarks;
  /**
   * An upright square around the point halfway between the middle of the eyes and the middle of the mouth. Its side is the mean
   * of the face's width (cheek to cheek) and height (hairline to chin) as seen, whatever its turn: about 2.4 distances between
   * the eyes of a face seen from the front.
   */
  readonly box: PixelBox;
  /** How sure the net is that there is a face, 0 … 1: the geometric mean of two looks. */
  readonly presence: number;
}

/** Side of the net's input in pixels. */
const SIDE = 192;

/**
 * The net is shown a square of this many times the box; MediaPipe's graph takes 1.5. On dlib's annotations 1.25 and 1.8 do worse
 * by a fifth, and what lies between by no more than chance.
 */
const FIRST_LOOK = 1.4;

/**
 * The second square is this many times the mesh of the first. The mean of both looks has less error on dlib's annotations than
 * either (0.057 against 0.061 distances between the eyes), as errors at two scales are not the same.
 */
const SECOND_LOOK = 1.6;

/**
 * The mesh of the face in a box, from two looks at it.
 * @param angle by how much the face is turned clockwise, in radians.
 */
export async function meshFace(
  session: ModelSession,
  picture: Halves,
  { box, angle }: { readonly box: PixelBox; readonly angle: number },
): Promise<MeshFace> {
  const centre = { x: box.left + box.width / 2 - 0.5, y: box.top + box.height / 2 - 0.5 };
  const side = Math.max(box.width, box.height) * FIRST_LOOK;
  const first = await look(session, picture, { centre, side, angle });
  const second = await look(session, picture, squareAround(first.points));
  const points = first.points.map((point, i) => meanOf([point, second.points[i] as Point]));
  const landmarks: Landmarks = {
    leftEye: meanOf(pick(points, LEFT_EYE)),
    rightEye: meanOf(pick(points, RIGHT_EYE)),
    nose: meanOf(pick(points, NOSE_TIP)),
    leftMouth: points[LEFT_MOUTH] as Point,
    rightMouth: points[RIGHT_MOUTH] as Point,
  };
  return {
    landmarks,
    box: boxOf(points, landmarks),
    presence: Math.sqrt(first.presence * second.presence),
  };
}

/**
 * Points of the mesh, by MediaPipe's canonical face model; left and right as seen in the picture. The eyes' outlines are 16
 * points each. The nose's tip is a point and its two neighbours: one alone is less steady on a face turned aside.
 */
const LEFT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246];
const RIGHT_EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466];
const LEFT_EYE_CORNER = 33;
const RIGHT_EYE_CORNER = 263;
const NOSE_TIP = [4, 45, 275];
const LEFT_MOUTH = 61;
const RIGHT_MOUTH = 291;

async function look(
  session: ModelSession,
  picture: Halves,
  square: FaceSquare,
): Promise<{ points: Point[]; presence: number }> {
  const { numbers, toPicture } = viewSquare(picture, square, SIDE, 0);
  // x, y and depth of each point, in pixels from the corner of the input; and the logit of a face being there.
  const [mesh, presence] = (await session.run(numbers)) as [Float32Array, Float32Array];
  const points = Array.from({ length: mesh.length / 3 }, (_, i) =>
    apply(toPicture, { x: (mesh[i * 3] as number) - 0.5, y: (mesh[i * 3 + 1] as number) - 0.5 }),
  );
  return { points, presence: sigmoid(presence[0] as number) };
}

/** The square of the second look: around the mesh, level with the eyes' outer corners. */
function squareAround(points: readonly Point[]): FaceSquare {
  const angle = angleOf(points[LEFT_EYE_CORNER] as Point, points[RIGHT_EYE_CORNER] as Point);
  const { centre, width, height } = extentOf(points, angle);
  return { centre, side: Math.max(width, height) * SECOND_LOOK, angle };
}

function boxOf(points: readonly Point[], landmarks: Landmarks): PixelBox {
  const { leftEye, rightEye, leftMouth, rightMouth } = landmarks;
  const { width, height } = extentOf(points, angleOf(leftEye, rightEye));
  const centre = meanOf([leftEye, rightEye, leftMouth, rightMouth]);
  const side = (width + height) / 2;
  return { left: centre.x + 0.5 - side / 2, top: centre.y + 0.5 - side / 2, width: side, height: side };
}

/** How far points reach along and across a direction, and the middle of that rectangle. */
function extentOf(points: readonly Point[], angle: number) {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const along = range(points.map(({ x, y }) => cos * x + sin * y));
  const across = range(points.map(({ x, y }) => cos * y - sin * x));
  const centre = {
    x: cos * along.middle - sin * across.middle,
    y: sin * along.middle + cos * across.middle,
  };
  return { centre, width: along.length, height: across.length };
}

function range(numbers: readonly number[]): { middle: number; length: number } {
  const least = Math.min(...numbers);
  const most = Math.max(...numbers);
  return { middle: (least + most) / 2, length: most - least };
}

function pick(points: readonly Point[], indices: readonly number[]): Point[] {
  return indices.map((i) => points[i] as Point);
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce((a, b) => ({ x: a.x + b.x, y: a.y + b.y }));
  return { x: sum.x / points.length, y: sum.y / points.length };
}
