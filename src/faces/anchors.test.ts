import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anchorCentres, decodeAnchors, FULL_RANGE, SHORT_RANGE, sigmoid } from './anchors.js';

const LAYOUTS = [SHORT_RANGE, FULL_RANGE];

test('the short-range net has 896 anchors and the full-range net 2304, as many as their outputs', () => {
  expect(LAYOUTS.map((layout) => anchorCentres(layout).length / 2)).toEqual([896, 2304]);
});

test('the anchors go row by row, and lie evenly around the middle of the input', () => {
  expect([...anchorCentres(SHORT_RANGE).subarray(0, 6)]).toEqual([4, 4, 4, 4, 12, 4]);
  expect([...anchorCentres(SHORT_RANGE).subarray(-2)]).toEqual([120, 120]);
  expect([...anchorCentres(FULL_RANGE).subarray(0, 4)]).toEqual([2, 2, 6, 2]);
  for (const layout of LAYOUTS) {
    const centres = anchorCentres(layout);
    const sum = centres.reduce((total, coordinate) => total + coordinate, 0);
    expect(sum / centres.length).toBe(layout.side / 2);
  }
});

test('a face comes back where its anchor’s sixteen numbers put it', () => {
  const offset = fc.double({ min: -60, max: 60, noNaN: true }).map(Math.fround);
  const size = fc.double({ min: 1, max: 150, noNaN: true }).map(Math.fround);
  fc.assert(
    fc.property(
      fc.constantFrom(...LAYOUTS),
      fc.nat(895),
      fc.tuple(offset, offset, size, size),
      fc.array(offset, { minLength: 12, maxLength: 12 }),
      (layout, anchor, [x, y, width, height], points) => {
        const centres = anchorCentres(layout);
        const logits = new Float32Array(centres.length / 2).fill(-20);
        const regressors = new Float32Array(logits.length * 16);
        logits[anchor] = 2;
        regressors.set([x, y, width, height, ...points], anchor * 16);
        const [face, ...others] = decodeAnchors(layout, regressors, logits, 0.5);
        expect(others).toEqual([]);
        const anchorX = centres[anchor * 2]!;
        const anchorY = centres[anchor * 2 + 1]!;
        expect(face!.score).toBeCloseTo(sigmoid(2), 6);
        expect(face!.box.left + face!.box.width / 2).toBeCloseTo(anchorX + x, 6);
        expect(face!.box.top + face!.box.height / 2).toBeCloseTo(anchorY + y, 6);
        expect([face!.box.width, face!.box.height]).toEqual([width, height]);
        face!.points.forEach((point, i) => {
          expect(point.x).toBeCloseTo(anchorX + points[i * 2]! - 0.5, 6);
          expect(point.y).toBeCloseTo(anchorY + points[i * 2 + 1]! - 0.5, 6);
        });
      },
    ),
  );
});

test('what scores less, has no size or is no number is left out', () => {
  const logits = new Float32Array(896).fill(-20);
  const regressors = new Float32Array(896 * 16).fill(10);
  logits[3] = 1;
  logits[4] = 3;
  logits[5] = Number.NaN;
  logits[6] = 3;
  regressors[6 * 16 + 2] = -4;
  logits[7] = 3;
  regressors[7 * 16 + 3] = Number.NaN;
  expect(decodeAnchors(SHORT_RANGE, regressors, logits, 0.9).map(({ score }) => score)).toEqual([sigmoid(3)]);
});

test('the numbers of another net are refused', () => {
  expect(() => decodeAnchors(FULL_RANGE, new Float32Array(896 * 16), new Float32Array(896), 0.5)).toThrow(
    RangeError,
  );
  expect(() => decodeAnchors(SHORT_RANGE, new Float32Array(896), new Float32Array(896), 0.5)).toThrow(
    RangeError,
  );
});
