import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { type DrawnFaceBox, renderPhotograph } from '../../fixtures/face_drawing.js';
import { apply, TEMPLATES } from './align.js';
import type { FractionBox } from './crop.js';
import { LANDMARK_NAMES, landmarksOf } from './face.js';
import {
  DEFAULT_FACE_SPEC,
  type FaceFacts,
  type FaceOutcome,
  type FaceSpec,
  facePreparationId,
  prepareFaces,
} from './prepare_faces.js';

/** Two people, one of them leaning, in a drawn photograph of 640 × 480. */
let jpeg: Buffer;
let boxes: readonly DrawnFaceBox[];
beforeAll(async () => {
  const drawn = await renderPhotograph({
    seed: 'prepare',
    width: 640,
    height: 480,
    faces: [
      { identity: 'ann', expression: 'smile', centreX: 0.27, centreY: 0.45, height: 0.45 },
      { identity: 'bob', expression: 'neutral', centreX: 0.75, centreY: 0.5, height: 0.4, rollDegrees: 14 },
    ],
  });
  jpeg = Buffer.from(drawn.jpeg);
  boxes = drawn.boxes;
});

const ALIGNED: FaceSpec = { ...DEFAULT_FACE_SPEC, align: 'arcface112', size: 112 };

function factsOf(outcome: FaceOutcome | undefined): FaceFacts {
  if (outcome?.ok !== true || outcome.face === undefined)
    throw new Error(`no face: ${JSON.stringify(outcome)}`);
  return outcome.face;
}

async function pixelsOf(outcome: FaceOutcome | undefined): Promise<Buffer> {
  if (outcome?.ok !== true) throw new Error(`no crop: ${JSON.stringify(outcome)}`);
  return sharp(outcome.bytes).raw().toBuffer();
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;
}

const matrixOf = (facts: FaceFacts) => {
  const [a, minusB, tx, b, , ty] = facts.matrix as [number, number, number, number, number, number];
  expect(minusB).toBeCloseTo(-b, 9);
  return { a, b, tx, ty };
};

test('the face in each box is found, and the matrix brings its points near the template’s', async () => {
  const outcomes = await prepareFaces(
    jpeg,
    boxes.map((box) => ({ box })),
    ALIGNED,
  );
  for (const [i, outcome] of outcomes.entries()) {
    const facts = factsOf(outcome);
    expect(facts.template).toBe('arcface112');
    expect(facts.detector).toMatch(/blazeface.*facemesh/);
    const landmarks = landmarksOf(facts.landmarks);
    for (const [n, name] of LANDMARK_NAMES.entries()) {
      const drawn = boxes[i]?.landmarks[n] as readonly [number, number];
      const distance = Math.hypot(landmarks[name].x - drawn[0] * 640, landmarks[name].y - drawn[1] * 480);
      expect(distance / facts.quality.eyeDistance, `${name} of face ${i}`).toBeLessThan(0.2);
      const { x, y } = apply(matrixOf(facts), landmarks[name]);
      const wanted = TEMPLATES.arcface112.points[name];
      // Drawn faces are not of the template's proportions: the least-squares fit leaves a few pixels.
      expect(Math.hypot(x - wanted.x, y - wanted.y)).toBeLessThan(9);
    }
  }
  expect(Math.abs(factsOf(outcomes[1]).quality.roll - 14)).toBeLessThan(6);
});

test('a box where nobody is gives no-face, a box beside a face gives face-mismatch, and the others are unharmed', async () => {
  const [ann] = boxes as [DrawnFaceBox, DrawnFaceBox];
  const width = ann.right - ann.left;
  const beside: FractionBox = { ...ann, left: ann.left + width * 0.7, right: ann.right + width * 0.7 };
  const nobody: FractionBox = { left: 0.45, right: 0.52, top: 0.02, bottom: 0.1 };
  const outcomes = await prepareFaces(jpeg, [{ box: ann }, { box: beside }, { box: nobody }], ALIGNED);
  expect(outcomes[0]?.ok).toBe(true);
  expect(outcomes[1]).toMatchObject({ ok: false, failure: 'face-mismatch' });
  expect(outcomes[2]).toMatchObject({ ok: false, failure: 'no-face' });
});

test('a face’s bytes do not depend on which others are asked for, nor on how often', async () => {
  const [both, alone] = await Promise.all([
    prepareFaces(
      jpeg,
      boxes.map((box) => ({ box })),
      ALIGNED,
    ),
    prepareFaces(jpeg, [{ box: boxes[1] as FractionBox }], ALIGNED),
  ]);
  expect(both[1]).toEqual(alone[0]);
});

test('given landmarks are used as they are, without the detector', async () => {
  const landmarks = landmarksOf((boxes[0] as DrawnFaceBox).landmarks.flatMap(([x, y]) => [x * 640, y * 480]));
  const facts = factsOf((await prepareFaces(jpeg, [{ landmarks }], ALIGNED))[0]);
  expect(facts).toMatchObject({ detector: 'dataset', score: 1 });
  expect(landmarksOf(facts.landmarks)).toEqual(landmarks);
});

test('without a box the largest face is meant', async () => {
  const facts = factsOf((await prepareFaces(jpeg, [{}], ALIGNED))[0]);
  const centre = (facts.box[0] as number) + (facts.box[2] as number) / 2;
  expect(Math.abs(centre / 640 - 0.27)).toBeLessThan(0.05);
});

test('crops by a box show the box and its margin whether or not the face is looked for', async () => {
  const [box] = boxes as [DrawnFaceBox, DrawnFaceBox];
  const found = await prepareFaces(jpeg, [{ box }], DEFAULT_FACE_SPEC);
  const unseen = await prepareFaces(jpeg, [{ box }], { ...DEFAULT_FACE_SPEC, find: false });
  expect(factsOf(found[0]).template).toBe('box');
  expect(unseen[0]).not.toHaveProperty('face');
  // Two resamplers of the same square: alike, not equal.
  expect(meanDifference(await pixelsOf(found[0]), await pixelsOf(unseen[0]))).toBeLessThan(4);
});

test('a face that is not to be looked for is never looked for: without landmarks nothing can be asked of it', async () => {
  const [box] = boxes as [DrawnFaceBox, DrawnFaceBox];
  const empty = { left: 0.45, top: 0, right: 0.55, bottom: 0.2 };
  for (const spec of [
    { ...ALIGNED, find: false },
    { ...DEFAULT_FACE_SPEC, find: false, limits: { maxLuma: 200 } },
  ])
    expect((await prepareFaces(jpeg, [{ box }], spec))[0]).toMatchObject({ ok: false, failure: 'no-face' });
  const padded = await prepareFaces(jpeg, [{ box: empty }], {
    ...DEFAULT_FACE_SPEC,
    find: false,
    outside: 'pad',
  });
  expect(padded[0]).toMatchObject({ ok: true });
  expect(padded[0]).not.toHaveProperty('face');
});

test('limits are judged by the dataset’s landmarks where the face is not to be looked for', async () => {
  const landmarks = landmarksOf((boxes[0] as DrawnFaceBox).landmarks.flatMap(([x, y]) => [x * 640, y * 480]));
  const spec = { ...DEFAULT_FACE_SPEC, find: false, limits: { minEyeDistance: 4000 } };
  expect((await prepareFaces(jpeg, [{ landmarks }], spec))[0]).toMatchObject({ failure: 'face-too-small' });
});

test('a picture of one row, however long, is a rejection and not the end of the run', async () => {
  const strip = await sharp({ create: { width: 9_000_000, height: 1, channels: 3, background: '#888888' } })
    .png()
    .toBuffer();
  expect((await prepareFaces(strip, [{}], ALIGNED))[0]).toMatchObject({ ok: false, failure: 'no-face' });
}, 60_000);

test('what an EXIF orientation turns is found upright', async () => {
  // Stored lying on its side, with the tag that says so.
  const turned = await sharp(jpeg)
    .rotate(-90)
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 95 })
    .toBuffer();
  const plain = factsOf((await prepareFaces(jpeg, [{ box: boxes[0] as FractionBox }], ALIGNED))[0]);
  const upright = factsOf((await prepareFaces(turned, [{ box: boxes[0] as FractionBox }], ALIGNED))[0]);
  for (const [i, value] of upright.landmarks.entries())
    expect(Math.abs(value - (plain.landmarks[i] as number))).toBeLessThan(4);
});

test('in a picture that is decoded in parts a face is found where it is, and its crop is the same to the eye', async () => {
  const large = await sharp(jpeg).resize(4000, 3000).jpeg({ quality: 92 }).toBuffer();
  const box = boxes[1] as FractionBox;
  const [small] = await prepareFaces(jpeg, [{ box }], ALIGNED);
  const [big] = await prepareFaces(large, [{ box }], ALIGNED);
  const scale = 4000 / 640;
  for (const [i, value] of factsOf(big).landmarks.entries())
    expect(Math.abs(value / scale - (factsOf(small).landmarks[i] as number))).toBeLessThan(4);
  expect(meanDifference(await pixelsOf(big), await pixelsOf(small))).toBeLessThan(12);
});

test('limits reject by reasons of their own', async () => {
  const ask = async (
    limits: FaceSpec['limits'],
    box = boxes[1] as FractionBox,
  ): Promise<FaceOutcome | undefined> => (await prepareFaces(jpeg, [{ box }], { ...ALIGNED, limits }))[0];
  expect(await ask({ maxRoll: 5 })).toMatchObject({ ok: false, failure: 'rolled' });
  expect(await ask({ minSharpness: 60 })).toMatchObject({ ok: false, failure: 'blurred' });
  expect(await ask({ minLuma: 250 })).toMatchObject({ ok: false, failure: 'under-exposed' });
  expect(await ask({ maxLuma: 5 })).toMatchObject({ ok: false, failure: 'over-exposed' });
  expect(await ask({ minEyeDistance: 500 })).toMatchObject({ ok: false, failure: 'face-too-small' });
  expect(await ask({ maxRoll: 30, minSharpness: 0.001 })).toMatchObject({ ok: true });
});

test('what is no picture, too large a picture or a mad box is a failure of that input, never an exception', async () => {
  const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#fff' } })
    .jpeg()
    .toBuffer();
  expect((await prepareFaces(bomb, [{}], ALIGNED))[0]).toMatchObject({
    ok: false,
    failure: 'image-too-large',
  });
  expect((await prepareFaces(jpeg.subarray(0, jpeg.length / 2), [{}], ALIGNED))[0]).toMatchObject({
    ok: false,
    failure: 'undecodable-image',
  });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const [outcome] = await prepareFaces(bytes, [{}], ALIGNED);
      expect(outcome).toMatchObject({ ok: false });
    }),
    { numRuns: 50 },
  );
  const side = fc.double({ min: -3, max: 3, noNaN: false });
  await fc.assert(
    fc.asyncProperty(fc.record({ left: side, top: side, right: side, bottom: side }), async (box) => {
      const [outcome] = await prepareFaces(jpeg, [{ box }], ALIGNED);
      expect(outcome).toHaveProperty('ok');
    }),
    { numRuns: 15 },
  );
  const nan = landmarksOf(Array.from({ length: 10 }, () => Number.NaN));
  expect((await prepareFaces(jpeg, [{ landmarks: nan }], ALIGNED))[0]).toMatchObject({
    ok: false,
    failure: 'bad-landmarks',
  });
}, 60_000);

test('every setting that changes bytes changes the id', () => {
  const specs: FaceSpec[] = [
    DEFAULT_FACE_SPEC,
    ALIGNED,
    { ...ALIGNED, size: 224 },
    { ...ALIGNED, fill: 'edge' },
    { ...ALIGNED, find: false },
    { ...ALIGNED, minOverlap: 0.5 },
    { ...ALIGNED, limits: { maxYaw: 30 } },
    { ...ALIGNED, align: 'expression128' },
    { ...DEFAULT_FACE_SPEC, outside: 'pad' },
    { ...DEFAULT_FACE_SPEC, find: false },
    { ...DEFAULT_FACE_SPEC, find: false, outside: 'pad' },
    { ...DEFAULT_FACE_SPEC, find: false, limits: { maxYaw: 30 } },
  ];
  expect(new Set(specs.map(facePreparationId)).size).toBe(specs.length);
});

test('points of a damaged table are rejected, not cropped: swapped, tiny, far outside, beside the box', async () => {
  const [ann, bob] = boxes as [DrawnFaceBox, DrawnFaceBox];
  const true5 = ann.landmarks.flatMap(([x, y]) => [x * 640, y * 480]);
  const ask = async (numbers: readonly number[], box?: FractionBox) =>
    (
      await prepareFaces(
        jpeg,
        [{ landmarks: landmarksOf(numbers), ...(box === undefined ? {} : { box }) }],
        ALIGNED,
      )
    )[0];
  expect(await ask(true5, ann)).toMatchObject({ ok: true });
  const [lx, ly, rx, ry, nx, ny, lmx, lmy, rmx, rmy] = true5 as [number, number, ...number[]];
  const swapped = [rx, ry, lx, ly, nx, ny, rmx, rmy, lmx, lmy] as number[];
  expect(await ask(swapped, ann)).toMatchObject({ failure: 'bad-landmarks' });
  expect(
    await ask(
      true5.map((value) => value / 1000),
      { left: 0, top: 0, right: 0.3, bottom: 0.3 },
    ),
  ).toMatchObject({
    failure: 'face-too-small',
  });
  expect(
    await ask(
      true5.map((value) => value + 5000),
      ann,
    ),
  ).toMatchObject({ failure: 'bad-landmarks' });
  expect(await ask(true5, bob)).toMatchObject({ failure: 'bad-landmarks' });
  expect(
    await ask(
      true5.map((value, i) => (i === 4 ? Number.POSITIVE_INFINITY : value)),
      ann,
    ),
  ).toMatchObject({
    failure: 'bad-landmarks',
  });
});
