import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import { seededRandom } from '../io/random.js';
import { readTflite, type TfliteModel, type TfliteOperator, type TfliteTensor } from '../io/tflite.js';
import { modelBytes } from './model_files.js';
import { openOnnx } from './onnx_session.js';
import { halfToNumber } from './tflite_constants.js';
import { tfliteToOnnx } from './tflite_to_onnx.js';

/** A convolution or pool of any manner, small enough to be done by hand. */
const windowCase = fc
  .record({
    kind: fc.constantFrom('CONV_2D', 'DEPTHWISE_CONV_2D', 'MAX_POOL_2D'),
    padding: fc.constantFrom('same', 'valid'),
    height: fc.integer({ min: 3, max: 9 }),
    width: fc.integer({ min: 3, max: 9 }),
    channels: fc.integer({ min: 1, max: 3 }),
    outChannels: fc.integer({ min: 1, max: 3 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilated: fc.constantFrom(1, 1, 2),
    activation: fc.constantFrom('none', 'relu'),
    seed: fc.string(),
  })
  .map((c) => ({
    ...c,
    dilation: reach(c.kernel[0], c.dilated) > 3 || reach(c.kernel[1], c.dilated) > 3 ? 1 : c.dilated,
  }));

type WindowCase = typeof windowCase extends fc.Arbitrary<infer T> ? T : never;

test('convolutions and pools of any stride, dilation and padding are those of their definition, in batches too', async () => {
  await fc.assert(
    fc.asyncProperty(windowCase, async (c) => {
      const random = seededRandom(c.seed);
      const numbers = (count: number): number[] => Array.from({ length: count }, () => random.next() * 2 - 1);
      const isDepthwise = c.kind === 'DEPTHWISE_CONV_2D';
      const outChannels = c.kind === 'CONV_2D' ? c.outChannels : c.channels;
      const weightShape = isDepthwise ? [1, ...c.kernel, c.channels] : [outChannels, ...c.kernel, c.channels];
      const weights = numbers(weightShape.reduce((a, b) => a * b, 1));
      const bias = numbers(outChannels);
      const { outHeight, outWidth, expected } = slide(c, weights, bias, outChannels);
      const placed = {
        padding: c.padding,
        strideHeight: c.stride[0],
        strideWidth: c.stride[1],
        activation: c.activation,
      } as const;
      const dilations = { dilationHeight: c.dilation, dilationWidth: c.dilation };
      const isPool = c.kind === 'MAX_POOL_2D';
      const operator = {
        kind: c.kind,
        inputs: isPool ? [0] : [0, 2, 3],
        outputs: [1],
        ...placed,
        ...(isPool ? { filterHeight: c.kernel[0], filterWidth: c.kernel[1] } : dilations),
      } as TfliteOperator;
      const model = modelOf(
        [
          computed([1, c.height, c.width, c.channels]),
          computed([1, outHeight, outWidth, outChannels]),
          floats(weightShape, weights),
          floats([outChannels], bias),
        ],
        [operator],
      );
      const picture = c.height * c.width * c.channels;
      const pictures = [numbers(picture), numbers(picture)];
      const found = await runOnce(model, pictures.flat(), 2);
      const wanted = pictures.flatMap((one) => expected(one));
      expect(found).toHaveLength(wanted.length);
      for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 5);
    }),
    { numRuns: 60 },
  );
});

test("'same' padding of an even picture by steps of two adds its odd row and column at the end", async () => {
  const ones = Array<number>(9).fill(1);
  const convolution = {
    kind: 'CONV_2D',
    inputs: [0, 2],
    outputs: [1],
    padding: 'same',
    strideHeight: 2,
    strideWidth: 2,
    dilationHeight: 1,
    dilationWidth: 1,
    activation: 'none',
  } as const;
  const model = modelOf(
    [computed([1, 4, 4, 1]), computed([1, 2, 2, 1]), floats([1, 3, 3, 1], ones)],
    [convolution],
  );
  // Rows 0 … 3, 4 … 7, …: the sum of nine, of six, of six and of four numbers.
  expect(await runOnce(model, [...Array(16).keys()])).toEqual([45, 39, 66, 50]);
});

test('channels are padded, joined, sloped and added as they lie in TFLite', async () => {
  const model = modelOf(
    [
      computed([1, 1, 2, 2]),
      computed([1, 1, 3, 5]),
      ints([0, 0, 0, 0, 0, 1, 0, 1]),
      computed([1, 1, 3, 3]),
      floats([1, 1, 3], [2, 3, 4]),
      computed([1, 1, 3, 3]),
      floats([3], [10, 20, -30]),
      computed([1, 1, 3, 3]),
      computed([1, 1, 3, 6]),
      computed([1, 1, 3, 6]),
    ],
    [
      { kind: 'PAD', inputs: [0, 2], outputs: [3] },
      { kind: 'PRELU', inputs: [3, 4], outputs: [5] },
      { kind: 'ADD', inputs: [5, 6], outputs: [7], activation: 'relu' },
      { kind: 'CONCATENATION', inputs: [7, 3], outputs: [8], axis: -1, activation: 'none' },
      { kind: 'RELU', inputs: [8], outputs: [9] },
    ],
    [9],
  );
  expect(await runOnce(model, [1, -2, -3, 4])).toEqual([
    ...[11, 14, 0, 1, 0, 0],
    ...[4, 24, 0, 0, 4, 0],
    ...[10, 20, 0, 0, 0, 0],
  ]);
});

test('pictures are enlarged with the centres of pixels where they were', async () => {
  const model = modelOf(
    [computed([1, 1, 2, 1]), computed([1, 2, 4, 1])],
    [{ kind: 'RESIZE_BILINEAR', inputs: [0], outputs: [1], corners: 'half-pixel' }],
  );
  expect(await runOnce(model, [0, 4])).toEqual([0, 1, 3, 4, 0, 1, 3, 4]);
});

test('a reshaped picture keeps height, width, channels as the order of its numbers, there and back', async () => {
  const model = modelOf(
    [computed([1, 2, 2, 3]), computed([1, 4, 3]), computed([1, 3, 2, 2])],
    [
      { kind: 'RESHAPE', inputs: [0], outputs: [1] },
      { kind: 'RESHAPE', inputs: [1], outputs: [2] },
    ],
    [0, 1, 2],
  );
  const numbers = [...Array(24).keys()];
  const session = await openOnnx(tfliteToOnnx(model));
  const outputs = await session.run(Float32Array.from(numbers), 2);
  await session.dispose();
  expect(outputs.map((output) => [...output])).toEqual([numbers, numbers, numbers]);
});

test('what the converter does not know is one error that names it', () => {
  const picture = [computed([1, 2, 2, 1]), computed([1, 2, 2, 1])];
  const whole = (operator: TfliteOperator, more: readonly TfliteTensor[] = []): TfliteModel =>
    modelOf([...picture, ...more], [operator]);
  const io = { inputs: [0], outputs: [1] };
  const unknown = (custom: string): TfliteOperator => ({ kind: 'OTHER', builtin: 39, custom, ...io });
  expect(() => tfliteToOnnx(whole(unknown('')))).toThrow(/operator 39/);
  expect(() => tfliteToOnnx(whole(unknown('TransformLandmarks')))).toThrow(/operator TransformLandmarks/);
  const tanh: TfliteOperator = { kind: 'ADD', activation: 'tanh', inputs: [0, 0], outputs: [1] };
  expect(() => tfliteToOnnx(whole(tanh))).toThrow(/activation tanh/);
  const sparse = { ...floats([1, 1, 1], [1]), name: 'w7', form: 'sparse' as const };
  const prelu: TfliteOperator = { kind: 'PRELU', inputs: [0, 2], outputs: [1] };
  expect(() => tfliteToOnnx(whole(prelu, [sparse]))).toThrow(/w7 is sparse/);
  const acrossBatch: TfliteOperator = {
    kind: 'CONCATENATION',
    axis: 0,
    activation: 'none',
    inputs: [0, 0],
    outputs: [1],
  };
  expect(() => tfliteToOnnx(whole(acrossBatch))).toThrow(/axis 0/);
  const sized = modelOf([computed([2, 2, 2, 1])], [], [0]);
  expect(() => tfliteToOnnx(sized)).toThrow(/2 × 2 × 2 × 1/);
  expect(() => tfliteToOnnx({ ...sized, inputs: [0, 0] })).toThrow(UserError);
});

test('a model file changed in any way is converted or refused with one clear error', () => {
  const bytes = modelBytes('face-detection-short-range');
  const random = seededRandom('converted mutations');
  const weights = readTflite(bytes).tensors.flatMap(({ data }) => (data ? [data] : []));
  const isWeight = new Uint8Array(bytes.length);
  for (const { byteOffset, length } of weights) {
    const start = byteOffset - bytes.byteOffset;
    if (length > 64) isWeight.fill(1, start, start + length);
  }
  const structure = [...isWeight.keys()].filter((at) => isWeight[at] === 0);
  let converted = 0;
  for (let i = 0; i < 300; i++) {
    const mutated = bytes.slice();
    mutated[structure[random.below(structure.length)]!] = random.below(256);
    try {
      tfliteToOnnx(readTflite(mutated));
      converted++;
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
    }
  }
  expect(converted).toBeGreaterThan(30);
  expect(converted).toBeLessThan(300);
});

test('sixteen-bit floats are widened exactly', () => {
  const cases: [number, number][] = [
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
  ];
  for (const [bits, value] of cases) expect(halfToNumber(bits)).toBe(value);
  expect(halfToNumber(0x8000)).toBe(-0);
  expect(halfToNumber(0x7c01)).toBeNaN();
});

async function runOnce(model: TfliteModel, input: readonly number[], batch = 1): Promise<number[]> {
  const session = await openOnnx(tfliteToOnnx(model));
  const [output] = await session.run(Float32Array.from(input), batch);
  await session.dispose();
  return [...output!];
}

/** The model's input is tensor 0, its output tensor 1 where not said. */
function modelOf(
  tensors: readonly TfliteTensor[],
  operators: readonly TfliteOperator[],
  outputs: readonly number[] = [1],
): TfliteModel {
  return { description: '', inputs: [0], outputs, tensors, operators };
}

function computed(shape: readonly number[]): TfliteTensor {
  return { name: 'computed', shape, type: 'float32', data: undefined, form: 'plain' };
}

function floats(shape: readonly number[], values: readonly number[]): TfliteTensor {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { name: 'constant', shape, type: 'float32', data, form: 'plain' };
}

function ints(values: readonly number[]): TfliteTensor {
  const data = new Uint8Array(Int32Array.from(values).buffer);
  return { name: 'numbers', shape: [values.length], type: 'int32', data, form: 'plain' };
}

function reach(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** What TensorFlow's documentation says of `tf.nn.convolution`: extents, and one picture's result, in double precision. */
function slide(c: WindowCase, weights: readonly number[], bias: readonly number[], outChannels: number) {
  const dilation = c.kind === 'MAX_POOL_2D' ? 1 : c.dilation;
  const [vertical, horizontal] = [c.height, c.width].map((extent, i) => {
    const [stride, size] = [c.stride[i]!, reach(c.kernel[i]!, dilation)];
    if (c.padding === 'valid') return { out: Math.ceil((extent - size + 1) / stride), before: 0 };
    const total = Math.max(0, size - (extent % stride === 0 ? stride : extent % stride));
    return { out: Math.ceil(extent / stride), before: Math.floor(total / 2) };
  }) as [{ out: number; before: number }, { out: number; before: number }];
  const expected = (picture: readonly number[]): number[] => {
    const result: number[] = [];
    for (let y = 0; y < vertical.out; y++)
      for (let x = 0; x < horizontal.out; x++)
        for (let o = 0; o < outChannels; o++) {
          let sum = bias[o]!;
          let largest = -Infinity;
          for (let ky = 0; ky < c.kernel[0]; ky++)
            for (let kx = 0; kx < c.kernel[1]; kx++) {
              const row = y * c.stride[0] - vertical.before + ky * dilation;
              const column = x * c.stride[1] - horizontal.before + kx * dilation;
              if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
              const at = (row * c.width + column) * c.channels;
              const tap = ky * c.kernel[1] + kx;
              largest = Math.max(largest, picture[at + o] ?? -Infinity);
              if (c.kind === 'DEPTHWISE_CONV_2D') sum += picture[at + o]! * weights[tap * c.channels + o]!;
              else if (c.kind === 'CONV_2D')
                for (let i = 0; i < c.channels; i++)
                  sum += picture[at + i]! * weights[(o * c.kernel[0] * c.kernel[1] + tap) * c.channels + i]!;
            }
          const value = c.kind === 'MAX_POOL_2D' ? largest : sum;
          result.push(c.activation === 'relu' ? Math.max(0, value) : value);
        }
    return result;
  };
  return { outHeight: vertical.out, outWidth: horizontal.out, expected };
}
