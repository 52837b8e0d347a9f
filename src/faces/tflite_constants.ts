/** The constant tensors of a TFLite model: numbers out of bytes, and from height-width-channels to channels-height-width. */

import { UserError } from '../io/errors.js';
import type { TfliteTensor } from '../io/tflite.js';

/** Numbers with a shape. */
export interface Constant {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A constant float tensor, 16-bit ones widened. @throws UserError where it is anything else. */
export function floatConstant({ name, shape, type, data, form }: TfliteTensor): Constant {
  if (data === undefined || form !== 'plain')
    throw new UserError(`the model's tensor ${name} is ${data === undefined ? 'computed' : form}`, {
      remedy: 'use a model whose weights are plain numbers',
    });
  const count = shape.reduce((product, extent) => product * extent, 1);
  const width = type === 'float32' ? 4 : type === 'float16' ? 2 : 0;
  if (width === 0 || data.byteLength !== count * width)
    throw new UserError(`the model's tensor ${name} has ${data.byteLength} bytes of ${type}`, {
      remedy: `${count} numbers of 16 or 32 bits were expected`,
    });
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++)
    numbers[i] = width === 4 ? view.getFloat32(4 * i, true) : halfToNumber(view.getUint16(2 * i, true));
  return { shape, data: numbers };
}

/** A constant int32 tensor's numbers. @throws UserError where it is anything else. */
export function intConstant({ name, type, data, form }: TfliteTensor): number[] {
  if (data === undefined || form !== 'plain' || type !== 'int32' || data.byteLength % 4 !== 0)
    throw new UserError(`the model's tensor ${name} is no constant list of int32`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength / 4 }, (_, i) => view.getInt32(4 * i, true));
}

/** IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * HALF_UNITS[exponent]!;
}

/** What the last bit of a number is worth, by its exponent: a table, for there are a million numbers in a model. */
const HALF_UNITS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 25));

/** Axis i of the result is axis `order[i]` of the constant. */
export function transpose({ shape, data }: Constant, order: readonly number[]): Constant {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const newShape = order.map((axis) => shape[axis] ?? 1);
  // Where axes of one element alone move, no number does: the weights of every 1 × 1 convolution.
  const longer = order.filter((axis) => shape[axis] !== 1);
  if (longer.every((axis, i) => i === 0 || axis > longer[i - 1]!)) return { shape: newShape, data };
  const steps = order.map((axis) => strides[axis] ?? 0);
  const result = new Float32Array(data.length);
  const index = newShape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = newShape.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < newShape[axis]!) break;
      from -= steps[axis]! * newShape[axis]!;
      index[axis] = 0;
    }
  }
  return { shape: newShape, data: result };
}
