import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { MalformedFlatbufferError } from './flatbuffer.js';
import { seededRandom } from './random.js';
import { readTflite, type TfliteModel } from './tflite.js';

const MODEL = '@mediapipe/face_detection/face_detection_short_range.tflite';
const bytes = new Uint8Array(readFileSync(createRequire(import.meta.url).resolve(MODEL)));

test('a model has the tensors and operators that its authors put in', () => {
  const model = readTflite(bytes);
  expect(model.description).toBe('keras2tflite_facedetector-front.tflite.generated');
  expect(model.inputs.map((number) => model.tensors[number])).toEqual([
    { name: 'input', shape: [1, 128, 128, 3], type: 'float32', data: undefined, form: 'plain' },
  ]);
  expect(model.outputs.map((number) => model.tensors[number]!.name)).toEqual([
    'regressors',
    'classificators',
  ]);
  const counts: Record<string, number> = {};
  for (const { kind } of model.operators) counts[kind] = (counts[kind] ?? 0) + 1;
  // As TensorFlow's own generated reader of the schema counts them.
  expect(counts).toEqual({
    ADD: 16,
    CONCATENATION: 2,
    CONV_2D: 21,
    DEPTHWISE_CONV_2D: 16,
    DEQUANTIZE: 74,
    MAX_POOL_2D: 3,
    PAD: 11,
    RELU: 17,
    RESHAPE: 4,
  });
  const first = model.operators.find(({ kind }) => kind === 'CONV_2D')!;
  expect(first).toMatchObject({ padding: 'same', strideHeight: 2, strideWidth: 2, activation: 'none' });
  expect(first).toMatchObject({ dilationHeight: 1, dilationWidth: 1 });
});

test('a constant is a view of the file, of the size that its shape and type say', () => {
  const { tensors } = readTflite(bytes);
  const widths = { float16: 2, float32: 4, int32: 4 };
  const constants = tensors.filter(({ data }) => data !== undefined);
  expect(constants).toHaveLength(85);
  for (const { shape, type, data } of constants) {
    expect(data!.buffer).toBe(bytes.buffer);
    expect(data!.length).toBe(shape.reduce((a, b) => a * b, 1) * widths[type as keyof typeof widths]);
  }
});

test('a file that is cut off anywhere is refused with the place', () => {
  const random = seededRandom('cut');
  for (let i = 0; i < 300; i++) {
    const length = i < 20 ? i : random.below(bytes.length);
    const outcome = attempt(bytes.slice(0, length));
    expect(outcome).toBeInstanceOf(MalformedFlatbufferError);
    expect((outcome as MalformedFlatbufferError).message).toMatch(/ at byte \d+$/);
  }
});

test('another kind of file is refused', () => {
  expect(() => readTflite(new TextEncoder().encode('no model at all'))).toThrow(/no "TFL3"/);
  expect(() => readTflite(new Uint8Array())).toThrow(MalformedFlatbufferError);
});

test('a file changed in any way is read or refused, quickly', () => {
  const structure = structuralBytes(readTflite(bytes));
  const random = seededRandom('mutations');
  const odd = [0, 1, 4, 0x7f, 0x80, 0xff];
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const mutated = bytes.slice();
    for (let change = random.below(4); change >= 0; change--) {
      const at = structure[random.below(structure.length)]!;
      mutated[at] = random.below(2) === 0 ? random.below(256) : odd[random.below(odd.length)]!;
    }
    if (attempt(mutated) instanceof MalformedFlatbufferError) refused++;
  }
  // Most bytes that matter are offsets; some are names and options.
  expect(refused).toBeGreaterThan(300);
  expect(refused).toBeLessThan(3000);
});

test('vectors that lead to one long vector again and again are refused before they are read', () => {
  const hostile = overlappingVectors(20_000);
  expect(() => readTflite(hostile)).toThrow(/vectors overlap/);
});

/** The model or the error that the reader gives; anything else fails the test. */
function attempt(input: Uint8Array): TfliteModel | MalformedFlatbufferError {
  try {
    return readTflite(input);
  } catch (error) {
    if (error instanceof MalformedFlatbufferError) return error;
    throw error;
  }
}

/** Places outside the weights, where every byte means something to the reader. */
function structuralBytes(model: TfliteModel): number[] {
  const isWeight = new Uint8Array(bytes.length);
  for (const { data } of model.tensors)
    if (data) isWeight.fill(1, data.byteOffset, data.byteOffset + data.length);
  return [...isWeight.keys()].filter((at) => isWeight[at] === 0);
}

/**
 * A graph of `count` tensors that are all one table, whose shape is a vector of `count` numbers: the file has 8 × `count`
 * bytes, what it says has `count` squared.
 */
function overlappingVectors(count: number): Uint8Array {
  const out = new DataView(new ArrayBuffer(200 + 8 * count));
  const u32 = (at: number, value: number): void => out.setUint32(at, value, true);
  const u16s = (at: number, values: readonly number[]): void =>
    values.forEach((value, i) => {
      out.setUint16(at + 2 * i, value, true);
    });
  // Offsets lead forwards, but those to layouts, which stand before their tables here.
  const [model, graph, tensors] = [32, 80, 96];
  const [buffer, tensor, shape] = [112 + 4 * count, 128 + 4 * count, 144 + 4 * count];
  u32(0, model);
  [...'TFL3'].forEach((letter, i) => {
    out.setUint8(4 + i, letter.charCodeAt(0));
  });
  // The model: version, no codes, graphs, no description, buffers; its layout before it.
  u16s(model - 16, [14, 16, 4, 0, 8, 0, 12]);
  u32(model, 16);
  u32(model + 4, 3);
  u32(model + 8, 56 - (model + 8));
  u32(56, 1);
  u32(60, graph - 60);
  u32(model + 12, 64 - (model + 12));
  u32(64, 1);
  u32(68, buffer - 68);
  u16s(graph - 8, [6, 8, 4]);
  u32(graph, 8);
  u32(graph + 4, tensors - (graph + 4));
  u16s(tensor - 8, [6, 8, 4]);
  u32(tensor, 8);
  u32(tensor + 4, shape - (tensor + 4));
  u16s(buffer - 4, [4, 4]);
  u32(buffer, 4);
  u32(tensors, count);
  for (let i = 0; i < count; i++) u32(tensors + 4 + 4 * i, tensor - (tensors + 4 + 4 * i));
  u32(shape, count);
  return new Uint8Array(out.buffer);
}
