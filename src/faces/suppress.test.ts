import fc from 'fast-check';
import { expect, test } from 'vitest';
import { intersectionOverUnion, type PixelBox } from './face.js';
import { sharedPart, suppress } from './suppress.js';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const box: fc.Arbitrary<PixelBox> = fc.record({
  left: number(-50, 200),
  top: number(-50, 200),
  width: number(1, 150),
  height: number(1, 150),
});
const found = fc.array(fc.record({ box, score: number(0, 1) }), { maxLength: 30 });
const limits = fc.record({ maxOverlap: number(0.1, 0.9), maxShare: number(0.3, 1) });

test('no two boxes that stay overlap too much, and the best one stays', () => {
  fc.assert(
    fc.property(found, limits, (faces, { maxOverlap, maxShare }) => {
      const kept = suppress(faces, { maxOverlap, maxShare });
      kept.forEach((a, i) => {
        for (const b of kept.slice(i + 1)) {
          expect(a.score).toBeGreaterThanOrEqual(b.score);
          expect(intersectionOverUnion(a.box, b.box)).toBeLessThanOrEqual(maxOverlap);
          expect(sharedPart(a.box, b.box)).toBeLessThanOrEqual(maxShare);
        }
      });
      expect(kept[0]?.score).toBe(faces.length === 0 ? undefined : Math.max(...faces.map((f) => f.score)));
    }),
  );
});

test('every box that goes makes way for a better one that stays', () => {
  fc.assert(
    fc.property(found, limits, (faces, { maxOverlap, maxShare }) => {
      const kept = suppress(faces, { maxOverlap, maxShare });
      for (const face of faces.filter((candidate) => !kept.includes(candidate)))
        expect(
          kept.some(
            (better) =>
              better.score >= face.score &&
              (intersectionOverUnion(better.box, face.box) > maxOverlap ||
                sharedPart(better.box, face.box) > maxShare),
          ),
        ).toBe(true);
    }),
  );
});

test('a second run changes nothing', () => {
  fc.assert(
    fc.property(found, limits, (faces, limit) => {
      const kept = suppress(faces, limit);
      expect(suppress(kept, limit)).toEqual(kept);
    }),
  );
});

test('a box inside another shares all of itself, one beside it nothing', () => {
  const outer = { left: 0, top: 0, width: 100, height: 50 };
  expect(sharedPart(outer, { left: 10, top: 10, width: 20, height: 20 })).toBeCloseTo(1, 12);
  expect(sharedPart(outer, { left: 90, top: 0, width: 20, height: 50 })).toBeCloseTo(0.5, 12);
  expect(sharedPart(outer, { left: 100, top: 0, width: 20, height: 20 })).toBe(0);
});
