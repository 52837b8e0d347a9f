import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitClassMeans, nearestClass } from './class_means.js';

const rows = (...values: (readonly number[])[]) => ({
  data: Float32Array.from(values.flat()),
  shape: [values.length, values[0]!.length],
});

test('each row goes to the nearest mean, dimensions measured by their spread within classes', () => {
  // The second dimension is a thousand times as large and says nothing.
  const fitted = fitClassMeans(rows([0, 5000], [1, -5000], [4, 5000], [5, -5000]), [0, 0, 1, 1], 3);
  expect([...fitted.spread]).toEqual([0.5, 5000]);
  expect([...fitted.means.slice(0, 4)]).toEqual([1, 0, 9, 0]);
  expect([...nearestClass(fitted, rows([2, 900], [3, -900], [99, 0]))]).toEqual([0, 1, 1]);
});

test('a class without rows is never answered, and a dimension that never varies does no harm', () => {
  const fitted = fitClassMeans(rows([7, 1], [7, 3]), [2, 2], 3);
  expect([...nearestClass(fitted, rows([7, 2], [0, 0]))]).toEqual([2, 2]);
});

test('the unit of a dimension changes no answer', () => {
  const value = fc.integer({ min: -100, max: 100 });
  const points = fc.array(fc.tuple(value, value), { minLength: 6, maxLength: 12 });
  fc.assert(
    fc.property(points, (found) => {
      const labels = found.map((_, row) => row % 2);
      const answer = (scale: number) => {
        // Powers of two, so that nothing is rounded otherwise.
        const scaled = rows(...found.map(([x, y]) => [x * scale, y]));
        return nearestClass(fitClassMeans(scaled, labels, 2), scaled);
      };
      expect(answer(1024)).toEqual(answer(1));
    }),
  );
});

test('labels that are none, and other dimensions, are refused', () => {
  expect(() => fitClassMeans(rows([1]), [1], 1)).toThrow('class 1 of row 0');
  expect(() => nearestClass(fitClassMeans(rows([1]), [0], 1), rows([1, 2]))).toThrow('2 dimensions');
});
