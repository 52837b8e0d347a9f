import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { TEMPLATES } from './align.js';
import { type Landmarks, landmarksOf } from './face.js';
import { FACE_MODEL, type HeadPose, headPose } from './head_pose.js';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const pose = fc.record({ yaw: number(-45, 45), pitch: number(-30, 30), roll: number(-170, 170) });

/**
 * The model as a camera sees it that is `distance` times the distance of the eyes away; turned step by step: nod about the
 * axis through the ears, turn about the upright one, roll in the picture. No matrix is shared with what is tested.
 */
function seen({ yaw, pitch, roll }: HeadPose, distance = Number.POSITIVE_INFINITY): Landmarks {
  const turn = (u: number, v: number, degrees: number): [number, number] => {
    const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    return [cos * u - sin * v, sin * u + cos * v];
  };
  return landmarksOf(
    FACE_MODEL.flatMap(([x0, y0, z0]) => {
      // The nose lies before the eyes, where z is negative: nodding up takes it to smaller y …
      const [z1, y1] = turn(z0, y0, pitch);
      // … and turning right to larger x.
      const [z2, x2] = turn(z1, x0, -yaw);
      const [x3, y3] = turn(x2, y1, roll);
      const enlarged = distance === Number.POSITIVE_INFINITY ? 80 : (80 * distance) / (distance + z2);
      return [500 + enlarged * x3, 300 + enlarged * y3];
    }),
  );
}

test('far from the camera the pose of a face of the model is found exactly', () => {
  fc.assert(
    fc.property(pose, (truth) => {
      const found = headPose(seen(truth));
      for (const angle of ['roll', 'yaw', 'pitch'] as const)
        expect(found[angle]).toBeCloseTo(truth[angle], 6);
    }),
  );
});

test('1.3 metres from the camera it is found within 3 degrees', () => {
  fc.assert(
    fc.property(pose, (truth) => {
      const found = headPose(seen(truth, 20));
      expect(Math.abs(found.yaw - truth.yaw)).toBeLessThan(3);
      expect(Math.abs(found.pitch - truth.pitch)).toBeLessThan(3);
    }),
  );
});

test('a face on the template looks straight ahead', () => {
  const { roll, yaw, pitch } = headPose(TEMPLATES.arcface112.points);
  // The template's own points are not quite symmetric.
  for (const angle of [roll, yaw, pitch]) expect(Math.abs(angle)).toBeLessThan(2);
});

test('signs: nose to the right is positive yaw, nose up positive pitch, right eye lower positive roll', () => {
  const { points } = TEMPLATES.arcface112;
  const move = (x: number, y: number): HeadPose =>
    headPose({ ...points, nose: { x: points.nose.x + x, y: points.nose.y + y } });
  expect(move(8, 0).yaw).toBeGreaterThan(5);
  expect(move(-8, 0).yaw).toBeLessThan(-5);
  expect(move(0, -8).pitch).toBeGreaterThan(5);
  expect(move(0, 8).pitch).toBeLessThan(-5);
  expect(headPose({ ...points, rightEye: { x: 73, y: 60 } }).roll).toBeGreaterThan(5);
});

test('a mirrored face is turned and rolled the other way, and tilted as before', () => {
  fc.assert(
    fc.property(pose, fc.array(number(-4, 4), { minLength: 10, maxLength: 10 }), (truth, noise) => {
      const flat = Object.values(seen({ ...truth, roll: truth.roll / 3 })).flatMap(({ x, y }) => [x, y]);
      const noisy = landmarksOf(flat.map((value, i) => value + (noise[i] as number)));
      const mirror = (p: { x: number; y: number }) => ({ x: -p.x, y: p.y });
      const mirrored = headPose({
        leftEye: mirror(noisy.rightEye),
        rightEye: mirror(noisy.leftEye),
        nose: mirror(noisy.nose),
        leftMouth: mirror(noisy.rightMouth),
        rightMouth: mirror(noisy.leftMouth),
      });
      const straight = headPose(noisy);
      expect(mirrored.yaw).toBeCloseTo(-straight.yaw, 6);
      expect(mirrored.pitch).toBeCloseTo(straight.pitch, 6);
      expect(mirrored.roll).toBeCloseTo(-straight.roll, 6);
    }),
  );
});

test('points in one place or on one line fix no pose', () => {
  for (const numbers of [
    new Array(10).fill(7),
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
    new Array(10).fill(Number.NaN),
  ]) {
    const { yaw, pitch } = headPose(landmarksOf(numbers));
    expect([yaw, pitch]).toEqual([Number.NaN, Number.NaN]);
  }
});

const dlibFaces = sharedData('faces-dlib', 'faces', 'training_with_face_landmarks.xml');
test.skipIf(dlibFaces === undefined)(
  'on real faces the sign of yaw is that of the longer side from nose to jaw [needs shared data]',
  () => {
    const boxes = readFileSync(dlibFaces as string, 'utf8')
      .split('<box ')
      .slice(1);
    let turned = 0;
    for (const box of boxes) {
      const p = [...box.matchAll(/<part name='\d+' x='(-?\d+)' y='(-?\d+)'/g)].map(([, x, y]) => [
        Number(x),
        Number(y),
      ]);
      if (p.length !== 68) continue;
      const mean = (from: number, to: number) =>
        [0, 1].map((k) => p.slice(from, to).reduce((sum, point) => sum + point[k]! / (to - from), 0));
      const points = [mean(36, 42), mean(42, 48), p[30]!, p[48]!, p[54]!].flat();
      const { yaw } = headPose(landmarksOf(points));
      // 0 and 16 are the jaw's ends beside the ears: a nose turned to the right is farther from the left one.
      const [left, right] = [p[30]![0]! - p[0]![0]!, p[16]![0]! - p[30]![0]!];
      if (Math.abs(yaw) < 15) continue;
      turned++;
      expect(Math.sign(yaw)).toBe(Math.sign(left - right));
    }
    expect(turned).toBeGreaterThan(5);
  },
);
