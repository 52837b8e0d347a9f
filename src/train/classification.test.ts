import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classificationChance } from './chance.js';
import {
  accuracy,
  balancedAccuracy,
  classScores,
  cohensKappa,
  confusionMatrix,
  macroF1,
} from './classification.js';

test('a known matrix: every score by hand', () => {
  const matrix = confusionMatrix({ labels: [0, 0, 0, 0, 1, 1], answers: [0, 0, 0, 1, 1, 0], classes: 2 });
  expect([...matrix.counts]).toEqual([3, 1, 1, 1]);
  expect(accuracy(matrix)).toBeCloseTo(4 / 6, 15);
  expect(balancedAccuracy(matrix)).toBeCloseTo((3 / 4 + 1 / 2) / 2, 15);
  expect(macroF1(matrix)).toBeCloseTo((3 / 4 + 1 / 2) / 2, 15);
  // By chance 4/6 · 4/6 + 2/6 · 2/6 = 5/9 agree.
  expect(cohensKappa(matrix)).toBeCloseTo((2 / 3 - 5 / 9) / (1 - 5 / 9), 15);
  expect(classScores(matrix)[1]).toEqual({ rows: 2, precision: 0.5, recall: 0.5, f1: 0.5 });
});

test('one answer to everything is at chance, and a class without rows is left out', () => {
  const labels = [0, 0, 0, 1];
  const matrix = confusionMatrix({ labels, answers: [0, 0, 0, 0], classes: 3 });
  const chance = classificationChance(labels);
  expect(accuracy(matrix)).toBe(chance.accuracy);
  expect(balancedAccuracy(matrix)).toBe(chance.balancedAccuracy);
  expect(cohensKappa(matrix)).toBe(chance.cohensKappa);
  expect(classScores(matrix)[2]).toEqual({
    rows: 0,
    precision: Number.NaN,
    recall: Number.NaN,
    f1: Number.NaN,
  });
});

test('labels and answers of one class alone have no kappa', () => {
  expect(cohensKappa(confusionMatrix({ labels: [1, 1], answers: [1, 1], classes: 2 }))).toBeNaN();
});

test('a row of weight n counts as n rows', () => {
  const row = fc.record({
    label: fc.integer({ min: 0, max: 3 }),
    answer: fc.integer({ min: 0, max: 3 }),
    weight: fc.integer({ min: 0, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const of = (list: typeof rows) => ({
        labels: list.map(({ label }) => label),
        answers: list.map(({ answer }) => answer),
        classes: 4,
      });
      const weights = Float64Array.from(rows, ({ weight }) => weight);
      const repeated = rows.flatMap((one) => Array.from({ length: one.weight }, () => one));
      expect(confusionMatrix(of(rows), weights)).toEqual(confusionMatrix(of(repeated)));
    }),
  );
});

test('a class number that is none is refused', () => {
  expect(() => confusionMatrix({ labels: [0], answers: [2], classes: 2 })).toThrow('class 2 of row 0');
  expect(() => confusionMatrix({ labels: [0.5], answers: [0], classes: 2 })).toThrow('class 0.5 of row 0');
});
