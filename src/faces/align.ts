/** How five points of a face fix the turn, scale and shift that bring every face to the same place of a crop. */

import { LANDMARK_NAMES, type LandmarkName, type Landmarks, landmarksOf, type Point } from './face.js';

/**
 * A turn, one scale for both axes and a shift: x' = a·x − b·y + tx, y' = b·x + a·y + ty. Its determinant a² + b² is never
 * negative, so it can't mirror; it can't shear. In this folder it leads from picture to crop, in pixels whose centres are
 * at whole numbers.
 */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly tx: number;
  readonly ty: number;
}

/** Where the five points should lie in a square crop. */
export interface Template {
  /** Side of the crop in pixels. */
  readonly size: number;
  /** In pixels of the crop. */
  readonly points: Landmarks;
}

/** Points from which no transform follows: all in one place, not finite, or such that any turn is as good as another. */
export class DegeneratePointsError extends Error {
  override readonly name = 'DegeneratePointsError';
}

/**
 * The points to which ArcFace and its kin align 112 × 112 crops: Deng et al., "ArcFace", CVPR 2019, section 3.1. The
 * 112 × 96 crops of SphereFace have the same points with x − 8; mixing the two moves every face by 8 pixels.
 */
const ARCFACE_POINTS = landmarksOf([
  38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041,
]);

/**
 * `expression128` is `arcface112` with every point p moved to 0.84 · p + (16.5, 8). ArcFace cuts the chin off, which says
 * nothing of who it is but much of what the mouth does: measured in arcface112's pixels on the 18 faces of dlib's training
 * photographs, the chin's lowest point lies at y = 117 to 127, the jaw's sides at x = −5 to 119, the brows' top at y = 32
 * to 42. Here the crop reaches from y = −10 to 142 and from x = −20 to 132 in those pixels: from the hairline to a hand's
 * breadth of an open mouth below the resting chin, and both cheeks of a face turned aside. The eyes are 30 pixels apart.
 */
const EXPRESSION_SCALE = 0.84;
const EXPRESSION_SHIFT: Point = { x: 16.5, y: 8 };

/** The crops that models are trained on, by the name that records carry. */
export const TEMPLATES = {
  arcface112: { size: 112, points: ARCFACE_POINTS },
  expression128: {
    size: 128,
    points: mapPoints(ARCFACE_POINTS, (point) =>
      apply({ a: EXPRESSION_SCALE, b: 0, tx: EXPRESSION_SHIFT.x, ty: EXPRESSION_SHIFT.y }, point),
    ),
  },
} as const satisfies Record<string, Template>;

export type TemplateName = keyof typeof TEMPLATES;

export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as readonly TemplateName[];

export function isTemplateName(name: string): name is TemplateName {
  return (TEMPLATE_NAMES as readonly string[]).includes(name);
}

/** The similarity that makes a picture `scale` times as large; pixel centres stay at whole numbers in both. */
export function scaling(scale: number): Similarity {
  return { a: scale, b: 0, tx: (scale - 1) / 2, ty: (scale - 1) / 2 };
}

/**
 * How far five points are from any similarity image of a face from the front: the root mean square of what `alignmentOf`
 * leaves, in the template's eye distances. Our own model of a face has 0.2 at 45 degrees to a side, 0.46 to 0.49 in profile;
 * with left and right or top and bottom exchanged 0.65, and random points mostly more than 0.55.
 * @throws DegeneratePointsError as `similarityBetween` does.
 */
export function strangeness(landmarks: Landmarks): number {
  const { points } = TEMPLATES.arcface112;
  const matrix = alignmentOf(landmarks, 'arcface112');
  const squares = LANDMARK_NAMES.map((name) => {
    const { x, y } = apply(matrix, landmarks[name]);
    return (x - points[name].x) ** 2 + (y - points[name].y) ** 2;
  });
  const meanSquare = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  const { leftEye, rightEye } = points;
  return Math.sqrt(meanSquare) / Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y);
}

/**
 * The similarity that brings a face's five points as near to the template's as any can.
 * @throws DegeneratePointsError as `similarityBetween` does.
 */
export function alignmentOf(landmarks: Landmarks, template: TemplateName): Similarity {
  const points = (of: Landmarks): Point[] => LANDMARK_NAMES.map((name) => of[name]);
  return similarityBetween(points(landmarks), points(TEMPLATES[template].points));
}

/**
 * The similarity with the least sum of squared distances between the images of `from` and `to`: Umeyama, "Least-squares
 * estimation of transformation parameters between two point patterns", IEEE PAMI 13 (1991). In the plane, with points as
 * complex numbers measured from their means, his solution is a quotient: a + bi = Σ conj(from) · to ⁄ Σ |from|².
 * Mirrored points give the best turn, never a reflection.
 * @throws DegeneratePointsError where `from` or `to` are all in one place, a number isn't finite, or every turn is as good.
 * @throws RangeError where the two are not equally many, or fewer than two.
 */
export function similarityBetween(from: readonly Point[], to: readonly Point[]): Similarity {
  if (from.length !== to.length || from.length < 2)
    throw new RangeError(`${from.length} and ${to.length} points: equally many and at least 2 are needed`);
  const source = centred(from);
  const target = centred(to);
  let along = 0;
  let across = 0;
  for (const [i, p] of source.offsets.entries()) {
    const q = target.offsets[i] as Point;
    along += p.x * q.x + p.y * q.y;
    across += p.x * q.y - p.y * q.x;
  }
  // Cauchy and Schwarz: at most 1, and 1 where the points match; at rounding's level no turn is better than another.
  const likeness = Math.hypot(along, across) / Math.sqrt(source.spread * target.spread);
  if (!(likeness > 1e-9)) throw new DegeneratePointsError('no turn brings the points nearer to each other');
  const a = along / source.spread;
  const b = across / source.spread;
  const { mean } = source;
  return {
    a,
    b,
    tx: target.mean.x - (a * mean.x - b * mean.y),
    ty: target.mean.y - (b * mean.x + a * mean.y),
  };
}

/** Where the similarity takes a point. */
export function apply({ a, b, tx, ty }: Similarity, { x, y }: Point): Point {
  return { x: a * x - b * y + tx, y: b * x + a * y + ty };
}

/** The similarity back; infinite numbers where the scale is 0. */
export function invert({ a, b, tx, ty }: Similarity): Similarity {
  const square = a * a + b * b;
  return {
    a: a / square,
    b: -b / square,
    tx: -(a * tx + b * ty) / square,
    ty: (b * tx - a * ty) / square,
  };
}

/** First `inner`, then `outer`. */
export function compose(outer: Similarity, inner: Similarity): Similarity {
  const { x, y } = apply(outer, { x: inner.tx, y: inner.ty });
  return {
    a: outer.a * inner.a - outer.b * inner.b,
    b: outer.b * inner.a + outer.a * inner.b,
    tx: x,
    ty: y,
  };
}

/** Length in the crop of one pixel of the picture. */
export function scaleOf({ a, b }: Similarity): number {
  return Math.hypot(a, b);
}

/** The six numbers of the 2 × 3 matrix, row after row: a, −b, tx, b, a, ty; what OpenCV's `warpAffine` takes. */
export function matrixNumbers({ a, b, tx, ty }: Similarity): number[] {
  return [a, -b, tx, b, a, ty];
}

/** Points measured from their mean, and the sum of their squared distances from it. */
function centred(points: readonly Point[]): { mean: Point; offsets: Point[]; spread: number } {
  const mean = { x: 0, y: 0 };
  for (const { x, y } of points) {
    mean.x += x / points.length;
    mean.y += y / points.length;
  }
  const offsets = points.map(({ x, y }) => ({ x: x - mean.x, y: y - mean.y }));
  const spread = offsets.reduce((sum, { x, y }) => sum + x * x + y * y, 0);
  // Nearer than rounding errors of their coordinates: one place.
  const rounding = 1e-12 * Math.hypot(mean.x, mean.y);
  if (!(spread > rounding * rounding && Number.isFinite(spread)))
    throw new DegeneratePointsError(
      Number.isFinite(spread) ? 'the points are all in one place' : 'the points are not finite',
    );
  return { mean, offsets, spread };
}

function mapPoints(landmarks: Landmarks, map: (point: Point) => Point): Landmarks {
  const entries = LANDMARK_NAMES.map((name) => [name, map(landmarks[name])] as const);
  return Object.fromEntries(entries) as Record<LandmarkName, Point>;
}
