/** Every loss against its formula in plain numbers, and its gradients against finite differences of that. */

import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from './backend.js';
import { compute, expectClose, numericGradient, someNumbers } from './gradients.test.helper.js';
import {
  crossEntropy,
  distilEmbeddings,
  distilLogits,
  fecHinges,
  fecMargin,
  hardTriplets,
  ntXent,
  pairwiseSquaredDistances,
  positioningWeights,
  relativePositioning,
  semiHardTriplets,
  softMarginTriplets,
} from './losses.js';

type Rows = readonly (readonly number[])[];
type Plain = (...inputs: readonly Rows[]) => number;
type Of = (...inputs: tf.Tensor[]) => tf.Tensor;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const hinge = (value: number): number => Math.max(0, value);
const softplus = (value: number): number => Math.log(1 + Math.exp(value));
const d2 = (x: readonly number[], y: readonly number[]): number => sum(x.map((v, i) => (v - y[i]!) ** 2));
const d = (x: readonly number[], y: readonly number[]): number => Math.sqrt(d2(x, y));
const dot = (x: readonly number[], y: readonly number[]): number => sum(x.map((v, i) => v * y[i]!));
const logSoftmax = (x: readonly number[]): number[] => x.map((v) => v - Math.log(sum(x.map(Math.exp))));

const N = 6;
const D = 4;
const LABELS = [0, 1, 0, 2, 1, 0];
const MARGINS = [0.1, 0.2, 0.2, 0.1, 0.9, 0.4];
const WEIGHTS = [0.5, 2, 1, 3];
const NEAR = [1, 0, 0, 1, 1, 0];
const labels = (): tf.Tensor => tf.tensor1d(LABELS, 'int32');
const teacher = rows('teacher', N, 7);

/** Rows of numbers from −1 to 1. */
function rows(seed: string, count: number, length: number): Rows {
  const values = someNumbers(count * length, seed);
  return Array.from({ length: count }, (_, i) => values.slice(i * length, (i + 1) * length));
}

interface Case {
  readonly name: string;
  readonly inputs: readonly Rows[];
  readonly ours: Of;
  readonly plain: Plain;
}

const others = (i: number, keep: (j: number) => boolean): number[] =>
  [...LABELS.keys()].filter((j) => j !== i && keep(j));

const cases: readonly Case[] = [
  {
    name: "FEC's hinges",
    inputs: [rows('a', N, D), rows('b', N, D), rows('c', N, D)],
    ours: (a, b, c) => fecHinges({ a: a!, b: b!, c: c! }, tf.tensor1d(MARGINS)),
    plain: (a, b, c) =>
      mean(
        MARGINS.map(
          (m, i) =>
            hinge(d2(a![i]!, b![i]!) - d2(a![i]!, c![i]!) + m) +
            hinge(d2(a![i]!, b![i]!) - d2(b![i]!, c![i]!) + m),
        ),
      ),
  },
  {
    name: 'the soft margin',
    inputs: [rows('a', N, D), rows('b', N, D), rows('c', N, D)],
    ours: (a, b, c) => softMarginTriplets({ a: a!, b: b!, c: c! }),
    plain: (a, b, c) =>
      mean(
        a!.map((x, i) => softplus(d(x, b![i]!) - d(x, c![i]!)) + softplus(d(x, b![i]!) - d(b![i]!, c![i]!))),
      ),
  },
  {
    name: 'semi-hard mining',
    inputs: [rows('semi', N, D)],
    ours: (x) => semiHardTriplets(x!, labels(), 0.7),
    plain: (x) => {
      const terms: number[] = [];
      for (const i of LABELS.keys())
        for (const p of others(i, (j) => LABELS[j] === LABELS[i])) {
          const near = d2(x![i]!, x![p]!);
          const far = others(i, (j) => LABELS[j] !== LABELS[i]).map((j) => d2(x![i]!, x![j]!));
          const farther = far.filter((value) => value > near);
          terms.push(hinge(near - (farther.length > 0 ? Math.min(...farther) : Math.max(...far)) + 0.7));
        }
      return mean(terms);
    },
  },
  {
    name: 'hard mining',
    inputs: [rows('hard', N, D)],
    ours: (x) => hardTriplets(x!, labels(), 0.3),
    plain: (x) =>
      mean(
        // The one of label 2 has no other of its label.
        [0, 1, 2, 4, 5].map((i) => {
          const near = others(i, (j) => LABELS[j] === LABELS[i]).map((j) => d(x![i]!, x![j]!));
          const far = others(i, (j) => LABELS[j] !== LABELS[i]).map((j) => d(x![i]!, x![j]!));
          return hinge(Math.max(...near) - Math.min(...far) + 0.3);
        }),
      ),
  },
  {
    name: 'cross-entropy',
    inputs: [rows('logits', N, D)],
    ours: (x) => crossEntropy(x!, labels()),
    plain: (x) => mean(x!.map((row, i) => -logSoftmax(row)[LABELS[i]!]!)),
  },
  {
    name: 'cross-entropy with weights of classes',
    inputs: [rows('logits', N, D)],
    ours: (x) => crossEntropy(x!, labels(), tf.tensor1d(WEIGHTS)),
    plain: (x) =>
      sum(x!.map((row, i) => -WEIGHTS[LABELS[i]!]! * logSoftmax(row)[LABELS[i]!]!)) /
      sum(LABELS.map((label) => WEIGHTS[label]!)),
  },
  {
    name: 'NT-Xent',
    inputs: [rows('one', N, D), rows('two', N, D)],
    ours: (x, y) => ntXent(x!, y!, 0.5),
    plain: (x, y) => {
      const all = [...x!, ...y!];
      return mean(
        all.map((view, i) => {
          const partner = (i + N) % (2 * N);
          const scores = all.map((other) => dot(view, other) / 0.5);
          const rest = sum(scores.filter((_, k) => k !== i).map(Math.exp));
          return -(scores[partner]! - Math.log(rest));
        }),
      );
    },
  },
  {
    name: 'relative positioning',
    inputs: [rows('h1', N, D), rows('h2', N, D), rows('w', 1, D), rows('bias', 1, 1)],
    ours: (h1, h2, w, bias) =>
      relativePositioning(h1!, h2!, tf.tensor1d(NEAR), {
        weights: tf.reshape(w!, [D]),
        bias: tf.reshape(bias!, []),
      }),
    plain: (h1, h2, w, bias) =>
      mean(
        h1!.map((x, i) => {
          const score =
            dot(
              w![0]!,
              x.map((v, j) => Math.abs(v - h2![i]![j]!)),
            ) + bias![0]![0]!;
          return softplus((NEAR[i] === 1 ? -1 : 1) * score);
        }),
      ),
  },
  {
    name: 'distillation of embeddings',
    inputs: [rows('student', N, D)],
    ours: (x) => distilEmbeddings(x!, tf.tensor2d(teacher as number[][])),
    plain: (x) => {
      const relative = (all: Rows): number[] => {
        const distances = all.flatMap((a, i) => all.flatMap((b, j) => (i === j ? [] : [d(a, b)])));
        return distances.map((value) => value / mean(distances));
      };
      const wanted = relative(teacher);
      const huber = (r: number): number => (r <= 1 ? 0.5 * r * r : r - 0.5);
      return mean(relative(x!).map((value, i) => huber(Math.abs(value - wanted[i]!))));
    },
  },
  {
    name: 'distillation of logits',
    inputs: [rows('student', N, 7)],
    ours: (x) => distilLogits(x!, tf.tensor2d(teacher as number[][]), 3),
    plain: (x) =>
      9 *
      mean(
        x!.map((row, i) => {
          const wanted = logSoftmax(teacher[i]!.map((v) => v / 3));
          const given = logSoftmax(row.map((v) => v / 3));
          return sum(wanted.map((w, j) => Math.exp(w) * (w - given[j]!)));
        }),
      ),
  },
];

describe.for(['wasm', 'cpu'] as const)('on %s', (backend) => {
  beforeAll(() => openBackend({ prefer: backend, ...(backend === 'wasm' ? { threads: 1 } : {}) }));

  test.for(cases.map((one) => [one.name, one] as const))(
    '%s: value and gradients follow the formula',
    ([, one]) => {
      const { inputs, ours, plain } = one;
      const flat = inputs.map((matrix) => ({
        values: matrix.flat(),
        shape: [matrix.length, (matrix[0] as readonly number[]).length],
      }));
      const { value, gradients } = compute(ours, flat);
      expectClose(value, [plain(...inputs)], 1e-5);
      const weight = someNumbers(1, 'weights')[0] as number;
      for (const [which, { values, shape }] of flat.entries()) {
        const f = (changed: readonly number[]): number =>
          weight *
          plain(
            ...inputs.map((matrix, i) =>
              i === which
                ? matrix.map((_, row) => changed.slice(row * shape[1]!, (row + 1) * shape[1]!))
                : matrix,
            ),
          );
        expectClose(gradients[which]!, numericGradient(f, values, 1e-6), 1e-4);
      }
    },
  );

  test('mining gives 0 where no two share a label, and where all do', () => {
    const x = { values: rows('alone', 3, D).flat(), shape: [3, D] };
    for (const given of [
      [0, 1, 2],
      [5, 5, 5],
    ])
      for (const mined of [semiHardTriplets, hardTriplets]) {
        const { value, gradients } = compute((e) => mined(e!, tf.tensor1d(given, 'int32'), 0.2), [x]);
        expect(value).toEqual([0]);
        expectClose(gradients[0]!, new Array(3 * D).fill(0), 0);
      }
  });

  test('the distance of an embedding to itself is 0, with a gradient that is a number', () => {
    const same = { values: [1, 0, 1, 0, 1, 0], shape: [3, 2] };
    const { value } = compute((x) => pairwiseSquaredDistances(x!), [same]);
    expect(value).toEqual(new Array(9).fill(0));
    const { gradients } = compute((x) => softMarginTriplets({ a: x!, b: x!, c: x! }), [same]);
    expect(gradients[0]!.every(Number.isFinite)).toBe(true);
  });
});

test("FEC's margin is 0.1 where the three faces share a class, and 0.2 elsewhere", () => {
  expect(fecMargin('ONE_CLASS_TRIPLET')).toBe(0.1);
  expect(fecMargin('TWO_CLASS_TRIPLET')).toBe(0.2);
  expect(fecMargin('THREE_CLASS_TRIPLET')).toBe(0.2);
  expect(fecMargin('TWO_CLASS_TRIPLET', { otherwise: 0.5 })).toBe(0.5);
});

test("relative positioning's head has a weight a dimension and a bias", () => {
  expect(positioningWeights(8).map(({ name, shape }) => [name, shape])).toEqual([
    ['positioning/kernel', [8]],
    ['positioning/bias', []],
  ]);
});
