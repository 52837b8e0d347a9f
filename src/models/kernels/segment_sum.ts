/** Sums by segment, the gradient of gathering, which the WASM backend lacks. */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import { floats, input, integers, type KernelCall, newTensor } from './kernel.js';

/** `UnsortedSegmentSum`: rows of x, [rows, ...], added up by their segment; those of a negative one are left out. */
export function unsortedSegmentSum(call: KernelCall): TensorInfo {
  const { backend, attrs } = call;
  const [x, segmentIds] = [input(call, 'x'), input(call, 'segmentIds')];
  const segments = attrs.numSegments as number;
  const tail = x.shape.slice(segmentIds.shape.length);
  const size = tail.reduce((product, length) => product * length, 1);
  const result = newTensor(backend, [segments, ...tail], x.dtype);
  const view = x.dtype === 'float32' ? floats : integers;
  const [xs, results, ids] = [view(backend, x), view(backend, result), integers(backend, segmentIds)];
  results.fill(0);
  for (const [row, segment] of ids.entries()) {
    if (segment < 0 || segment >= segments) continue;
    for (let i = 0; i < size; i++) results[segment * size + i]! += xs[row * size + i] as number;
  }
  return result;
}
