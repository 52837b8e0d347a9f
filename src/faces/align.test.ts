import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import {
  alignmentOf,
  apply,
  compose,
  DegeneratePointsError,
  invert,
  isTemplateName,
  matrixNumbers,
  type Similarity,
  scaleOf,
  similarityBetween,
  TEMPLATE_NAMES,
  TEMPLATES,
} from './align.js';
import { LANDMARK_NAMES, landmarkNumbers, landmarksOf, type Point } from './face.js';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const point = fc.record({ x: number(-2000, 2000), y: number(-2000, 2000) });
/** Any turn, scales from 1/50 to 20. */
const similarity: fc.Arbitrary<Similarity> = fc
  .record({
    turn: number(-Math.PI, Math.PI),
    logScale: number(-3.9, 3),
    tx: number(-3000, 3000),
    ty: number(-3000, 3000),
  })
  .map(({ turn, logScale, tx, ty }) => ({
    a: Math.exp(logScale) * Math.cos(turn),
    b: Math.exp(logScale) * Math.sin(turn),
    tx,
    ty,
  }));
/** Faces in any pose the plane allows: the template's points moved about by up to a third of the distance of the eyes. */
const face = fc
  .array(number(-12, 12), { minLength: 10, maxLength: 10 })
  .map((noise) =>
    landmarkNumbers(TEMPLATES.arcface112.points).map((value, i) => value + (noise[i] as number)),
  );
const pointsOf = (numbers: readonly number[]): Point[] =>
  LANDMARK_NAMES.map((_, i) => ({ x: numbers[2 * i] as number, y: numbers[2 * i + 1] as number }));
const templatePoints = pointsOf(landmarkNumbers(TEMPLATES.arcface112.points));

function distance(p: Point, q: Point): number {
  return Math.hypot(p.x - q.x, p.y - q.y);
}

function squaredError(matrix: Similarity, from: readonly Point[], to: readonly Point[]): number {
  return from.reduce((sum, p, i) => sum + distance(apply(matrix, p), to[i] as Point) ** 2, 0);
}

test('a known turn, scale and shift is found again', () => {
  fc.assert(
    fc.property(similarity, face, (truth, numbers) => {
      const from = pointsOf(numbers);
      const found = similarityBetween(
        from,
        from.map((p) => apply(truth, p)),
      );
      expect(Math.hypot(found.a - truth.a, found.b - truth.b)).toBeLessThan(1e-9 * scaleOf(truth));
      for (const p of from) expect(distance(apply(found, p), apply(truth, p))).toBeLessThan(1e-8);
    }),
  );
});

test('no other similarity brings the points nearer to each other', () => {
  const nudge = number(-1, 1);
  fc.assert(
    fc.property(
      face,
      face,
      similarity,
      fc.tuple(nudge, nudge, nudge, nudge),
      (a, b, move, [da, db, dx, dy]) => {
        const from = pointsOf(a).map((p) => apply(move, p));
        const to = pointsOf(b);
        const best = similarityBetween(from, to);
        const least = squaredError(best, from, to);
        for (const size of [1e-3, 0.1, 1]) {
          const step = size * scaleOf(best);
          const other = {
            a: best.a + da * step,
            b: best.b + db * step,
            tx: best.tx + dx * size,
            ty: best.ty + dy * size,
          };
          // Coordinates of thousands are exact to about 1e-12 and their squares to far less than this: a fit that is
          // perfect but for rounding is not beaten by another rounding.
          expect(squaredError(other, from, to)).toBeGreaterThanOrEqual(least * (1 - 1e-9) - 1e-18);
        }
      },
    ),
  );
});

/** Tries every turn in small steps, each with its best scale of 0 or more and its best shift: no formula for the turn. */
function leastErrorByTrial(from: readonly Point[], to: readonly Point[]): number {
  const mean = (points: readonly Point[]) => ({
    x: points.reduce((sum, p) => sum + p.x, 0) / points.length,
    y: points.reduce((sum, p) => sum + p.y, 0) / points.length,
  });
  const [p, q] = [mean(from), mean(to)];
  let least = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 7200; step++) {
    const turn = (step * Math.PI) / 3600;
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const turned = from.map(({ x, y }) => ({
      x: cos * (x - p.x) - sin * (y - p.y),
      y: sin * (x - p.x) + cos * (y - p.y),
    }));
    const dot = turned.reduce((sum, t, i) => sum + t.x * (to[i]!.x - q.x) + t.y * (to[i]!.y - q.y), 0);
    const norm = turned.reduce((sum, t) => sum + t.x ** 2 + t.y ** 2, 0);
    const scale = Math.max(0, dot / norm);
    const error = turned.reduce(
      (sum, t, i) => sum + (scale * t.x - (to[i]!.x - q.x)) ** 2 + (scale * t.y - (to[i]!.y - q.y)) ** 2,
      0,
    );
    least = Math.min(least, error);
  }
  return least;
}

test('mirrored points get the best turn that trial finds, and the sense of rotation is kept', () => {
  const area = ([p, q, r]: readonly Point[]) => (q!.x - p!.x) * (r!.y - p!.y) - (q!.y - p!.y) * (r!.x - p!.x);
  fc.assert(
    fc.property(face, fc.boolean(), (numbers, isMirrored) => {
      const from = pointsOf(numbers).map(({ x, y }) => ({ x: isMirrored ? -x : x, y }));
      const found = similarityBetween(from, templatePoints);
      const error = squaredError(found, from, templatePoints);
      const tried = leastErrorByTrial(from, templatePoints);
      // Steps of a twentieth of a degree come this near.
      expect(error).toBeLessThanOrEqual(tried + 1e-9);
      expect(error).toBeGreaterThan(tried - 0.01);
      const triangle = [
        { x: 0, y: 0 },
        { x: 1, y: 0 },
        { x: 0, y: 1 },
      ];
      expect(area(triangle.map((p) => apply(found, p)))).toBeGreaterThan(0);
    }),
    { numRuns: 30 },
  );
});

test.each(TEMPLATE_NAMES)(
  'landmarks that are a similarity image of %s land on it to 0.001 pixels',
  (name) => {
    fc.assert(
      fc.property(similarity, (placed) => {
        const target = landmarkNumbers(TEMPLATES[name].points);
        const seen = landmarksOf(pointsOf(target).flatMap((p) => Object.values(apply(placed, p))));
        const matrix = alignmentOf(seen, name);
        for (const landmark of LANDMARK_NAMES)
          expect(distance(apply(matrix, seen[landmark]), TEMPLATES[name].points[landmark])).toBeLessThan(
            1e-3,
          );
      }),
    );
  },
);

test('a transform inverts and composes', () => {
  fc.assert(
    fc.property(similarity, similarity, point, (outer, inner, p) => {
      const size = 1 + Math.hypot(p.x, p.y);
      expect(distance(apply(invert(inner), apply(inner, p)), p)).toBeLessThan(1e-8 * size);
      const both = apply(outer, apply(inner, p));
      expect(distance(apply(compose(outer, inner), p), both)).toBeLessThan(
        1e-9 * (1 + Math.hypot(both.x, both.y)),
      );
    }),
  );
});

test('the six numbers are the rows of the matrix', () => {
  const matrix = { a: 2, b: 3, tx: 5, ty: 7 };
  const [m00, m01, m02, m10, m11, m12] = matrixNumbers(matrix) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  expect(apply(matrix, { x: 11, y: 13 })).toEqual({
    x: m00 * 11 + m01 * 13 + m02,
    y: m10 * 11 + m11 * 13 + m12,
  });
});

test('points from which no transform follows are refused, each for its reason', () => {
  const at = (x: number, y: number) => ({ x, y });
  const places = [at(0, 0), at(3, 1)];
  expect(() => similarityBetween([at(5, 5), at(5, 5)], places)).toThrow(/all in one place/);
  expect(() => similarityBetween(places, [at(0.1, 0.2), at(0.1, 0.2)])).toThrow(/all in one place/);
  expect(() => similarityBetween([at(Number.NaN, 0), at(1, 1)], places)).toThrow(/not finite/);
  expect(() => similarityBetween([at(Number.POSITIVE_INFINITY, 0), at(1, 1)], places)).toThrow(
    DegeneratePointsError,
  );
  // A square onto its mirror image: turned by any angle it is as far off.
  const square = [at(1, 0), at(0, 1), at(-1, 0), at(0, -1)];
  const mirrored = [at(1, 0), at(0, -1), at(-1, 0), at(0, 1)];
  expect(() => similarityBetween(square, mirrored)).toThrow(/no turn/);
  expect(() => similarityBetween(places, square)).toThrow(RangeError);
  expect(() => similarityBetween([at(0, 0)], [at(1, 1)])).toThrow(RangeError);
});

test('a template is known by its name, and its points lie inside it', () => {
  expect(TEMPLATE_NAMES).toEqual(['arcface112', 'expression128']);
  expect(isTemplateName('expression128')).toBe(true);
  expect(isTemplateName('toString')).toBe(false);
  for (const name of TEMPLATE_NAMES)
    for (const value of landmarkNumbers(TEMPLATES[name].points)) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(TEMPLATES[name].size - 1);
    }
});

const dlibFaces = sharedData('faces-dlib', 'faces', 'training_with_face_landmarks.xml');
test.skipIf(dlibFaces === undefined)(
  'expression128 holds chin, brows and both cheeks of every real face [needs shared data]',
  () => {
    const outlines = readOutlines(readFileSync(dlibFaces as string, 'utf8'));
    expect(outlines.length).toBeGreaterThan(10);
    for (const outline of outlines) {
      const matrix = alignmentOf(fivePoints(outline), 'expression128');
      for (const p of outline.map((each) => apply(matrix, each))) {
        expect(Math.min(p.x, p.y)).toBeGreaterThan(0);
        expect(Math.max(p.x, p.y)).toBeLessThan(127);
      }
    }
  },
);

/** The 68 points of each face in a file of dlib's form. */
function readOutlines(xml: string): Point[][] {
  const boxes = xml.split('<box ').slice(1);
  const points = (box: string) =>
    [...box.matchAll(/<part name='\d+' x='(-?\d+)' y='(-?\d+)'/g)].map(([, x, y]) => ({
      x: Number(x),
      y: Number(y),
    }));
  return boxes.map(points).filter(({ length }) => length === 68);
}

/** The 68 points begin with 17 of the jaw; 36 to 47 are the eyes' outlines, 30 the nose tip, 48 and 54 the mouth's corners. */
function fivePoints(outline: readonly Point[]) {
  const mean = (points: readonly Point[]) => [
    points.reduce((sum, p) => sum + p.x / points.length, 0),
    points.reduce((sum, p) => sum + p.y / points.length, 0),
  ];
  const single = (i: number) => [outline[i]!.x, outline[i]!.y];
  return landmarksOf([
    ...mean(outline.slice(36, 42)),
    ...mean(outline.slice(42, 48)),
    ...single(30),
    ...single(48),
    ...single(54),
  ]);
}
