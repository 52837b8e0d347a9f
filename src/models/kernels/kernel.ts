/** How a kernel of ours stands in the WASM backend: plain loops over the tensors' own memory, nothing copied in or out. */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** What TF.js hands to a kernel. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: BackendWasm;
}

export type Kernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

export type ConvInfo = tf.backend_util.Conv2DInfo;

/** Makes a kernel known under a name, in place of the backend's own where it has one. */
export function setKernel(kernelName: string, kernel: Kernel): void {
  const stock = tf.getKernel(kernelName, 'wasm');
  if (stock !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  // Ours may call the original, which is bound to the compiled code when the backend starts.
  const setupFunc = stock?.setupFunc === undefined ? {} : { setupFunc: stock.setupFunc };
  const kernelFunc = kernel as unknown as tf.KernelFunc;
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc, ...setupFunc });
}

/** The kernel of a name, as it stands. */
export function stockKernel(kernelName: string): Kernel | undefined {
  return tf.getKernel(kernelName, 'wasm')?.kernelFunc as Kernel | undefined;
}

/** An input of a kernel, which TF.js always gives. */
export function input({ inputs }: KernelCall, name: string): tf.TensorInfo {
  const info = inputs[name];
  if (info === undefined) throw new RangeError(`the kernel was called without ${name}`);
  return info;
}

/** A tensor with room for its values, which are whatever lay there. */
export function newTensor(backend: BackendWasm, shape: readonly number[], dtype: tf.DataType = 'float32') {
  return backend.makeOutput([...shape], dtype);
}

/**
 * A tensor's values where they lie. Ask anew after each `newTensor`: it may let the memory grow, and views of before are
 * then empty.
 */
export function floats(backend: BackendWasm, info: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(info) as Float32Array;
}

/** `floats` of a tensor of dtype int32. */
export function integers(backend: BackendWasm, info: tf.TensorInfo): Int32Array {
  return backend.typedArrayFromHeap(info) as Int32Array;
}

/** Where a convolution's or pool's windows lie; `dilations` and the layout are absent from pools' attributes. */
export function convInfo(
  attrs: KernelCall['attrs'],
  shapes: { readonly x: readonly number[]; readonly filter: readonly number[] },
  kind: 'dense' | 'depthwise',
): ConvInfo {
  const { strides, dilations, pad, dimRoundingMode, dataFormat } = attrs as unknown as ConvAttributes;
  if (dataFormat !== undefined && dataFormat !== 'NHWC')
    throw new RangeError(`the layout ${dataFormat} is not supported, only NHWC`);
  return tf.backend_util.computeConv2DInfo(
    shapes.x as [number, number, number, number],
    shapes.filter as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    kind === 'depthwise',
  );
}

/** A matrix product by the backend's own kernel, of rank 2: [m, k] · [k, n]. */
export function matMul(backend: BackendWasm, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const kernel = stockKernel('BatchMatMul') as Kernel;
  return kernel({
    inputs: { a, b },
    attrs: { transposeA: false, transposeB: false },
    backend,
  }) as tf.TensorInfo;
}

/** Copies `rows` × `columns` numbers as `columns` × `rows`, in blocks that stay in the cache. */
export function transposeInto(
  to: Float32Array,
  from: Float32Array,
  { rows, columns, start = 0 }: { readonly rows: number; readonly columns: number; readonly start?: number },
): void {
  for (let top = 0; top < rows; top += BLOCK)
    for (let left = 0; left < columns; left += BLOCK) {
      const bottom = Math.min(rows, top + BLOCK);
      const right = Math.min(columns, left + BLOCK);
      for (let column = left; column < right; column++)
        for (let row = top; row < bottom; row++)
          to[column * rows + row] = from[start + row * columns + column] as number;
    }
}

/** 32 × 32 numbers are 4 KB, which with their copy fit every first-level cache. */
const BLOCK = 32;

interface ConvAttributes {
  readonly strides: number | [number, number];
  readonly dilations?: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: string;
}
