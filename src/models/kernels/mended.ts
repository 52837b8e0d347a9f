/** Kernels of the WASM backend (4.22) that give wrong numbers, mended around the original. */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import { convInfo, floats, input, type Kernel, newTensor } from './kernel.js';

/**
 * `BatchMatMul`. XNNPACK's packed copy of b is kept by b's memory alone, so that another shape of the same memory would get
 * the copy of the first: from the second shape on, b is copied.
 */
export function mendedMatMul(stock: Kernel): Kernel {
  const packedAs = new WeakMap<object, string>();
  return (call) => {
    const { backend, attrs } = call;
    const b = input(call, 'b');
    const form = `${attrs.transposeB === true} ${b.shape.join()}`;
    const known = packedAs.get(b.dataId);
    if (known === undefined || known === form) {
      packedAs.set(b.dataId, form);
      return stock(call);
    }
    const copy = newTensor(backend, b.shape);
    floats(backend, copy).set(floats(backend, b));
    const product = stock({ ...call, inputs: { ...call.inputs, b: copy } });
    backend.disposeData(copy.dataId);
    return product;
  };
}

/** `OneHot`, which writes whole numbers' bits where floats are asked for. */
export function mendedOneHot(stock: Kernel, cast: Kernel): Kernel {
  return (call) => {
    const { backend, attrs } = call;
    if (attrs.dtype !== 'float32') return stock(call);
    const whole = stock({ ...call, attrs: { ...attrs, dtype: 'int32' } }) as TensorInfo;
    const result = cast({ inputs: { x: whole }, attrs: { dtype: 'float32' }, backend });
    backend.disposeData(whole.dataId);
    return result;
  };
}

/**
 * `Conv2D` and `DepthwiseConv2dNative`. With padding `same`, XNNPACK takes a padding below 0 (a stride that steps over the
 * last rows or columns) for one without end, and gives zeros: what is stepped over is cut off first. Padding in numbers
 * around a filter that isn't square, which spoils memory, is refused.
 */
export function mendedConvolution(stock: Kernel, slice: Kernel, kind: 'dense' | 'depthwise'): Kernel {
  return (call) => {
    const { backend, attrs } = call;
    const [x, filter] = [input(call, 'x'), input(call, 'filter')];
    if (typeof attrs.pad === 'number' && attrs.pad > 0 && filter.shape[0] !== filter.shape[1])
      throw new RangeError('padding in numbers needs a square filter on the WASM backend');
    if (attrs.pad !== 'same') return stock(call);
    const info = convInfo(attrs, { x: x.shape, filter: filter.shape }, kind);
    const height = reached(info.outHeight, info.strideHeight, info.effectiveFilterHeight, info.inHeight);
    const width = reached(info.outWidth, info.strideWidth, info.effectiveFilterWidth, info.inWidth);
    if (height === info.inHeight && width === info.inWidth) return stock(call);
    const size = [info.batchSize, height, width, info.inChannels];
    const cut = slice({ inputs: { x }, attrs: { begin: [0, 0, 0, 0], size }, backend }) as TensorInfo;
    const result = stock({ ...call, inputs: { ...call.inputs, x: cut } });
    backend.disposeData(cut.dataId);
    return result;
  };
}

/** Rows or columns that a window ever reaches. */
function reached(out: number, stride: number, filter: number, all: number): number {
  return Math.min(all, (out - 1) * stride + filter);
}
