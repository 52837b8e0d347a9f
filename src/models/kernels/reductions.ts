/** Sums and means over axes that lie together: the WASM backend transposes for them, which costs fifty times the sum. */

import * as tf from '@tensorflow/tfjs-core';
import { floats, input, type Kernel, newTensor } from './kernel.js';

/** `Sum` or `Mean`; what is not in single precision, or over axes that lie apart, is left to the backend's own. */
export function reduction(kind: 'sum' | 'mean', stock: Kernel): Kernel {
  return (call) => {
    const { backend, attrs } = call;
    const x = input(call, 'x');
    const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape).sort((a, b) => a - b);
    const [first = 0] = axes;
    const isTogether = axes.length > 0 && axes.every((axis, i) => axis === first + i);
    if (x.dtype !== 'float32' || !isTogether) return stock(call);
    const { sizeFromShape } = tf.util;
    const kept = [...x.shape.slice(0, first), ...x.shape.slice(first + axes.length)];
    const withOnes = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const outer = sizeFromShape(x.shape.slice(0, first));
    const count = sizeFromShape(axes.map((axis) => x.shape[axis] as number));
    const inner = sizeFromShape(x.shape.slice(first + axes.length));
    const result = newTensor(backend, attrs.keepDims === true ? withOnes : kept);
    const [xs, results] = [floats(backend, x), floats(backend, result)];
    const scale = kind === 'mean' ? 1 / count : 1;
    const sums = new Float64Array(inner);
    for (let i = 0, at = 0; i < outer; i++) {
      sums.fill(0);
      for (let row = 0; row < count; row++)
        for (let column = 0; column < inner; column++) sums[column]! += xs[at++] as number;
      for (let column = 0; column < inner; column++)
        results[i * inner + column] = (sums[column] as number) * scale;
    }
    return result;
  };
}
