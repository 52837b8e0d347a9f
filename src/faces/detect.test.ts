import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DrawnFaceBox, EXPRESSIONS, renderPixels } from '../../fixtures/face_drawing.js';
import { DETECTOR_ID, type FaceDetector, openFaceDetector } from './detect.js';
import { type Face, intersectionOverUnion, LANDMARK_NAMES, type PixelBox, type RgbImage } from './face.js';

let detector: FaceDetector;
beforeAll(async () => {
  detector = await openFaceDetector();
});
afterAll(() => detector.close());

/** A picture of one or, every fourth time, two drawn faces. */
async function draw(number: number): Promise<RgbImage & { boxes: DrawnFaceBox[] }> {
  const isPair = number % 4 === 3;
  return renderPixels({
    seed: `detect ${number}`,
    width: 640,
    height: 480,
    faces: (isPair ? [0.27, 0.73] : [0.5]).map((centreX, place) => ({
      identity: `person ${number} ${place}`,
      expression: EXPRESSIONS[(number + place) % EXPRESSIONS.length]!,
      centreX,
      centreY: 0.47,
      height: isPair ? 0.36 : 0.34 + (number % 12) * 0.02,
      rollDegrees: (number % 5) * 4 - 8,
      yaw: (number % 7) * 0.1 - 0.3,
    })),
  });
}

function pixelBox(box: DrawnFaceBox, { width, height }: RgbImage): PixelBox {
  return {
    left: box.left * width,
    top: box.top * height,
    width: (box.right - box.left) * width,
    height: (box.bottom - box.top) * height,
  };
}

/** Mean distance of the five points from where they were drawn, in distances between the eyes. */
function landmarkError(face: Face, drawn: DrawnFaceBox, { width, height }: RgbImage): number {
  const points = drawn.landmarks.map(([x, y]) => ({ x: x * width - 0.5, y: y * height - 0.5 }));
  const eyes = Math.hypot(points[0]!.x - points[1]!.x, points[0]!.y - points[1]!.y);
  const distances = LANDMARK_NAMES.map((name, i) =>
    Math.hypot(face.landmarks[name].x - points[i]!.x, face.landmarks[name].y - points[i]!.y),
  );
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length / eyes;
}

/** The picture in the middle of a larger one of one colour. */
function padded(image: RgbImage, left: number, top: number, grey: number): RgbImage {
  const width = image.width + left * 2;
  const height = image.height + top * 2;
  const data = new Uint8Array(width * height * 3).fill(grey);
  for (let y = 0; y < image.height; y++)
    data.set(
      image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3),
      ((y + top) * width + left) * 3,
    );
  return { width, height, data };
}

describe('drawn faces', () => {
  test('98 in 100 are found, none that is not there, with points a tenth of the eyes’ distance off at most', async () => {
    let drawn = 0;
    let found = 0;
    let extra = 0;
    const errors: number[] = [];
    for (let number = 0; number < 48; number++) {
      const image = await draw(number);
      const faces = await detector.detect(image);
      drawn += image.boxes.length;
      extra += Math.max(0, faces.length - image.boxes.length);
      for (const box of image.boxes) {
        const face = faces.find((other) => intersectionOverUnion(other.box, pixelBox(box, image)) >= 0.4);
        if (face === undefined) continue;
        found++;
        errors.push(landmarkError(face, box, image));
      }
    }
    const error = errors.reduce((sum, value) => sum + value, 0) / errors.length;
    console.log(
      `drawn faces: ${found} of ${drawn} found, ${extra} false, error ${error.toFixed(3)} of the eyes’ distance`,
    );
    // Measured: all of them, with an error of 0.054, of which most is the nose (0.11): the mesh's tip lies above the drawn one.
    expect(found / drawn).toBeGreaterThanOrEqual(0.98);
    expect(extra).toBe(0);
    expect(error).toBeLessThanOrEqual(0.1);
  });

  test('faces of 2 % of the longer side of a large photograph are found', async () => {
    const image = await renderPixels({
      seed: 'far away',
      width: 4000,
      height: 3000,
      faces: Array.from({ length: 12 }, (_, i) => ({
        identity: `far ${i}`,
        expression: EXPRESSIONS[i % EXPRESSIONS.length]!,
        centreX: 0.1 + 0.2 * (i % 4) + 0.01 * (i % 5),
        centreY: 0.15 + 0.3 * Math.floor(i / 4),
        height: 80 / 3000,
        rollDegrees: (i % 5) * 3 - 6,
      })),
    });
    const faces = await detector.detect(image);
    const found = image.boxes.filter((box) =>
      faces.some((face) => intersectionOverUnion(face.box, pixelBox(box, image)) >= 0.4),
    );
    console.log(`faces of 80 pixels in 4000 × 3000: ${found.length} of 12 found, ${faces.length} in all`);
    // Measured: all of these, and all of 40 real ones that were pasted into such pictures; 38 of them at 64 pixels.
    expect(found.length).toBeGreaterThanOrEqual(11);
    expect(faces.length).toBeLessThanOrEqual(12);
  });

  test('a background without faces has none', async () => {
    for (let number = 0; number < 12; number++) {
      const image = await renderPixels({ seed: `empty ${number}`, width: 640, height: 480, faces: [] });
      expect(await detector.detect(image)).toEqual([]);
    }
  });

  test('a margin moves a face by its width and changes it little', async () => {
    for (const [left, top, grey] of [
      [37, 0, 90],
      [200, 310, 160],
      [0, 123, 0],
    ] as const) {
      const image = await draw(left);
      const faces = await detector.detect(image);
      const moved = await detector.detect(padded(image, left, top, grey));
      expect(moved).toHaveLength(faces.length);
      for (const face of faces) {
        const there = { ...face.box, left: face.box.left + left, top: face.box.top + top };
        const twin = moved.find((other) => intersectionOverUnion(other.box, there) > 0.9);
        expect(twin).toBeDefined();
        for (const name of LANDMARK_NAMES) {
          const { x, y } = face.landmarks[name];
          const distance = Math.hypot(twin!.landmarks[name].x - x - left, twin!.landmarks[name].y - y - top);
          expect(distance / face.box.width).toBeLessThan(0.02);
        }
      }
    }
  });

  test('a face that fills the frame is found, and one that the frame cuts', async () => {
    const image = await draw(10);
    const { left, top, width, height } = pixelBox(image.boxes[0]!, image);
    const cut = (x: number, y: number, w: number, h: number): RgbImage => {
      const data = new Uint8Array(w * h * 3);
      for (let row = 0; row < h; row++)
        data.set(image.data.subarray(((y + row) * 640 + x) * 3, ((y + row) * 640 + x + w) * 3), row * w * 3);
      return { width: w, height: h, data };
    };
    const box = [left, top, width, height].map(Math.round) as [number, number, number, number];
    expect(await detector.detect(cut(...box))).toHaveLength(1);
    const half: [number, number, number, number] = [box[0], box[1], Math.round(box[2] * 0.75), box[3]];
    expect(await detector.detect(cut(...half))).toHaveLength(1);
  });

  test('the same picture gives the same numbers, whatever else is asked for meanwhile', async () => {
    const images = await Promise.all([0, 3, 5].map(draw));
    const alone: Face[][] = [];
    for (const image of images) alone.push(await detector.detect(image));
    const other = await openFaceDetector();
    const together = await Promise.all(
      [...images, ...images].map((image, i) => (i % 2 === 0 ? detector : other).detect(image)),
    );
    other.close();
    expect(together).toEqual([...alone, ...alone]);
    expect(alone.map((faces) => faces.length)).toEqual([1, 2, 1]);
  });

  test('faces come best first, and options leave the weak and the small ones out', async () => {
    const image = await draw(3);
    const faces = await detector.detect(image);
    const scores = faces.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const sizes = faces.map(({ box }) => box.width);
    expect(await detector.detect(image, { minFacePixels: Math.max(...sizes) + 1 })).toEqual([]);
    const between = (scores[0]! + scores[1]!) / 2;
    expect(await detector.detect(image, { minScore: between })).toEqual(faces.slice(0, 1));
  });
});

test('pictures of any shape are looked at: a pixel, a line, a strip', async () => {
  for (const [width, height] of [
    [1, 1],
    [3000, 1],
    [1, 900],
    [5000, 40],
  ] as const)
    expect(
      await detector.detect({ width, height, data: new Uint8Array(width * height * 3).fill(100) }),
    ).toEqual([]);
});

test('bytes that are no picture, and options out of their range, are refused', async () => {
  const image = { width: 4, height: 4, data: new Uint8Array(48) };
  await expect(detector.detect({ ...image, height: 5 })).rejects.toThrow('48 bytes are no 4 × 5 picture');
  await expect(detector.detect({ width: 0, height: 0, data: new Uint8Array(0) })).rejects.toThrow(RangeError);
  for (const minScore of [0, 1, Number.NaN])
    await expect(detector.detect(image, { minScore })).rejects.toThrow(RangeError);
  for (const smallestFace of [0, -5, Number.NaN])
    await expect(detector.detect(image, { smallestFace })).rejects.toThrow(RangeError);
});

test('the id names the nets and their packages’ versions', () => {
  expect(detector.id).toBe(DETECTOR_ID);
  expect(detector.id).toMatch(/^blazeface-0\.4\.\d+\+facemesh-0\.4\.\d+\+v\d+$/);
});

test('a detector that was closed does no more, and its twin goes on', async () => {
  const image = await draw(0);
  const closed = await openFaceDetector();
  closed.close();
  await expect(closed.detect(image)).rejects.toThrow('disposed');
  expect(await detector.detect(image)).toHaveLength(1);
});
