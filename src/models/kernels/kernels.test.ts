/** The kernels that the WASM backend gets: against the `cpu` backend on random shapes, and against finite differences. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchNormTraining } from '../batch_norm.js';
import { compute, expectClose, numbers, numericGradient, on, someNumbers } from '../gradients.test.helper.js';

type Of = (...inputs: tf.Tensor[]) => tf.Tensor;
interface Given {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

const size = (most: number) => fc.integer({ min: 1, max: most });
const window = fc.record({
  batch: size(3),
  height: size(7),
  width: size(7),
  channels: size(6),
  filterHeight: size(4),
  filterWidth: size(4),
  filters: size(6),
  strideHeight: size(3),
  strideWidth: size(3),
  padding: fc.constantFrom('same' as const, 'valid' as const),
});
type WindowCase = typeof window extends fc.Arbitrary<infer Case> ? Case : never;

function given(shape: readonly number[], seed: string): Given {
  return {
    values: someNumbers(
      shape.reduce((product, length) => product * length, 1),
      seed,
    ),
    shape,
  };
}

/** No two alike, and none nearer than 1 / size: no maximum is a tie. */
function distinct(shape: readonly number[], seed: string): Given {
  const { values } = given(shape, seed);
  const ranks = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  const spread: number[] = [];
  for (const [rank, at] of ranks.entries()) spread[at] = rank / values.length - 0.9;
  return { values: spread, shape };
}

function fits({ padding, height, width, filterHeight, filterWidth }: WindowCase): boolean {
  return padding === 'same' || (height >= filterHeight && width >= filterWidth);
}

function picture({ batch, height, width, channels }: WindowCase): number[] {
  return [batch, height, width, channels];
}

async function sameOnBoth(f: Of, inputs: readonly Given[], tolerance = 1e-5): Promise<void> {
  const ours = await on('wasm', () => compute(f, inputs));
  const theirs = await on('cpu', () => compute(f, inputs));
  expectClose(ours.value, theirs.value, tolerance);
  for (const [i, gradient] of ours.gradients.entries())
    expectClose(gradient, theirs.gradients[i] as readonly number[], tolerance);
}

const conv =
  ({ strideHeight, strideWidth, padding }: WindowCase): Of =>
  (x, filter) =>
    tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [strideHeight, strideWidth], padding);

const depthwise =
  ({ strideHeight, strideWidth, padding }: WindowCase): Of =>
  (x, filter) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [strideHeight, strideWidth], padding);

test("a convolution's gradients are those of the cpu backend", async () => {
  await fc.assert(
    fc.asyncProperty(window.filter(fits), async (c) => {
      const filter = [c.filterHeight, c.filterWidth, c.channels, c.filters];
      await sameOnBoth(conv(c), [given(picture(c), 'x'), given(filter, 'w')]);
    }),
    { numRuns: 40 },
  );
});

test("a depthwise convolution's gradients are those of the cpu backend", async () => {
  await fc.assert(
    fc.asyncProperty(window.filter(fits), size(3), async (c, multiplier) => {
      const filter = [c.filterHeight, c.filterWidth, c.channels, multiplier];
      await sameOnBoth(depthwise(c), [given(picture(c), 'x'), given(filter, 'w')]);
    }),
    { numRuns: 40 },
  );
});

test("pools' gradients are those of the cpu backend, where all values are negative too", async () => {
  await fc.assert(
    fc.asyncProperty(window.filter(fits), fc.constantFrom('max', 'average'), async (c, kind) => {
      const pool = kind === 'max' ? tf.maxPool : tf.avgPool;
      const f: Of = (x) =>
        pool(x as tf.Tensor4D, [c.filterHeight, c.filterWidth], [c.strideHeight, c.strideWidth], c.padding);
      // The cpu backend divides by the whole filter where part of it is beyond the edge, unlike its own forward pass.
      fc.pre(kind === 'max' || c.padding === 'valid');
      await sameOnBoth(f, [distinct(picture(c), 'x')]);
    }),
    { numRuns: 40 },
  );
});

test('sums and means over any axes are those of the cpu backend', async () => {
  const shape = fc.array(size(5), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      shape,
      fc.nat(),
      fc.constantFrom('sum', 'mean'),
      fc.boolean(),
      async (of, mask, kind, keep) => {
        const axes = of.map((_, axis) => axis).filter((axis) => (mask >> axis) & 1);
        const reduce = kind === 'sum' ? tf.sum : tf.mean;
        await sameOnBoth((x) => reduce(x, axes.length === 0 ? undefined : axes, keep), [given(of, 'x')]);
      },
    ),
    { numRuns: 60 },
  );
});

test('batch normalisation and its gradients are what TF.js composes on the cpu backend', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 40 }), size(9), async (rows, channels) => {
      const inputs = [given([rows, channels], 'x'), given([channels], 'scale'), given([channels], 'offset')];
      const f: Of = (x, scale, offset) =>
        batchNormTraining(x as tf.Tensor, scale as tf.Tensor, offset as tf.Tensor, 1e-2).y;
      await sameOnBoth(f, inputs, 1e-4);
    }),
    { numRuns: 30 },
  );
});

test('batch normalisation gives the moments of the batch', async () => {
  const [mean, variance] = await on('wasm', () =>
    tf.tidy(() => {
      const x = tf.tensor2d([1, 10, 3, 10, 5, 13], [3, 2]);
      const { mean, variance } = batchNormTraining(x, tf.ones([2]), tf.zeros([2]), 1e-3);
      return [numbers(mean), numbers(variance)] as const;
    }),
  );
  expectClose(mean, [3, 11], 1e-6);
  expectClose(variance, [8 / 3, 2], 1e-6);
});

test('gathering sends its gradient back to the rows that were taken, as often as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 9 }), size(4), async (rows, width) => {
      const f: Of = (x) => tf.gather(x as tf.Tensor, tf.tensor1d(rows, 'int32'));
      await sameOnBoth(f, [given([5, width], 'x')]);
    }),
    { numRuns: 30 },
  );
});

test('a product with the reshaped form of a matrix is that of its own numbers', async () => {
  const products = () =>
    tf.tidy(() => {
      const b = tf.tensor2d(someNumbers(6, 'b'), [2, 3]);
      const first = tf.matMul(tf.ones([1, 2]), b);
      const second = tf.matMul(tf.ones([1, 3]), tf.reshape(b, [3, 2]) as tf.Tensor2D);
      const third = tf.matMul(tf.ones([1, 2]), b);
      return [...numbers(first), ...numbers(second), ...numbers(third)];
    });
  expectClose(await on('wasm', products), await on('cpu', products), 1e-6);
});

test('one-hot vectors in single precision hold ones, not the bits of whole numbers', async () => {
  const rows = await on('wasm', () =>
    tf.tidy(() => numbers(tf.oneHot(tf.tensor1d([2, 0], 'int32'), 3, 1, 0, 'float32'))),
  );
  expect(rows).toEqual([0, 0, 1, 1, 0, 0]);
});

test('a batch whose patches come in several parts has the gradients of its pictures alone', async () => {
  // 25 · 64 numbers a patch and 1024 patches a picture: two pictures to a part of 4 M.
  const [pictures, size] = [3, 32 * 32 * 64];
  const inputs = [given([pictures, 32, 32, 64], 'x'), given([5, 5, 64, 1], 'w')] as const;
  const f: Of = (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
  const [whole, alone] = await on('wasm', () => {
    const weights = someNumbers(pictures * 32 * 32, 'weights');
    const gradientsOf = (picture: number): number[][] =>
      tf.tidy(() => {
        const x = tf.tensor(inputs[0].values.slice(picture * size, (picture + 1) * size), [1, 32, 32, 64]);
        const dy = tf.tensor(weights.slice(picture * 1024, (picture + 1) * 1024), [1, 32, 32, 1]);
        const sum = tf.grads((x, w) => tf.sum(tf.mul(f(x, w), dy)) as tf.Scalar);
        return sum([x, tf.tensor([...inputs[1].values], [...inputs[1].shape])]).map(numbers);
      });
    return [
      compute(f, inputs),
      Array.from({ length: pictures }, (_, picture) => gradientsOf(picture)),
    ] as const;
  });
  expectClose(
    whole.gradients[0]!,
    alone.flatMap(([dx]) => dx!),
    1e-5,
  );
  expectClose(
    whole.gradients[1]!,
    alone[0]![1]!.map((_, i) => alone.reduce((sum, [, dw]) => sum + dw![i]!, 0)),
    1e-5,
  );
});

const finite: readonly [string, Of, readonly Given[], number][] = [
  [
    'conv2d',
    (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], 'same'),
    [given([1, 4, 3, 2], 'x'), given([3, 2, 2, 3], 'w')],
    0.5,
  ],
  [
    'depthwiseConv2d',
    (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid'),
    [given([2, 4, 3, 2], 'x'), given([2, 2, 2, 2], 'w')],
    0.5,
  ],
  ['avgPool', (x) => tf.avgPool(x as tf.Tensor4D, [2, 3], [1, 2], 'same'), [given([1, 4, 5, 2], 'x')], 0.5],
  [
    'maxPool',
    (x) => tf.maxPool(x as tf.Tensor4D, [2, 3], [1, 2], 'same'),
    [distinct([1, 4, 5, 2], 'x')],
    0.005,
  ],
];

test.for(finite)('the gradient of %s is that of finite differences', async ([, f, inputs, step]) => {
  const { value, gradients } = await on('wasm', () => compute(f, inputs));
  const weights = someNumbers(value.length, 'weights');
  for (const [which, input] of inputs.entries()) {
    const weighted = (values: readonly number[]): number =>
      tf.tidy(() => {
        const tensors = inputs.map((other, i) =>
          tf.tensor([...(i === which ? values : other.values)], [...other.shape]),
        );
        return numbers(f(...tensors)).reduce((sum, y, i) => sum + y * (weights[i] as number), 0);
      });
    // Each is linear in each input while no other maximum takes over: a wide step loses nothing, and rounding weighs little.
    expectClose(gradients[which]!, numericGradient(weighted, input.values, step), 1e-3);
  }
});

test('the gradient of batch normalisation is that of finite differences', async () => {
  const [rows, channels, epsilon] = [5, 2, 0.01];
  const inputs = [given([rows, channels], 'x'), given([channels], 's'), given([channels], 'o')];
  const { value, gradients } = await on('wasm', () =>
    compute(
      (x, s, o) => batchNormTraining(x as tf.Tensor, s as tf.Tensor, o as tf.Tensor, epsilon).y,
      inputs,
    ),
  );
  const weights = someNumbers(value.length, 'weights');
  const plain = (x: readonly number[], scale: readonly number[], offset: readonly number[]): number => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const column = x.filter((_, i) => i % channels === channel);
      const mean = column.reduce((a, b) => a + b, 0) / rows;
      const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / rows;
      for (const [row, value] of column.entries()) {
        const normal = (value - mean) / Math.sqrt(variance + epsilon);
        sum += (normal * scale[channel]! + offset[channel]!) * weights[row * channels + channel]!;
      }
    }
    return sum;
  };
  const [x, s, o] = inputs.map(({ values }) => values) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  expectClose(
    gradients[0]!,
    numericGradient((values) => plain(values, s, o), x),
    1e-4,
  );
  expectClose(
    gradients[1]!,
    numericGradient((values) => plain(x, values, o), s),
    1e-4,
  );
  expectClose(
    gradients[2]!,
    numericGradient((values) => plain(x, s, values), o),
    1e-4,
  );
});
