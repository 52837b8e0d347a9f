/** The gradients of a depthwise convolution, both of which the WASM backend lacks: sums over all pairs that a tap joins. */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type ConvInfo, convInfo, floats, input, type KernelCall, newTensor } from './kernel.js';
import { addProducts, addProductsInSingle } from './row_math.js';

/** `DepthwiseConv2dNativeBackpropFilter`: of the filter, [height, width, channels, multiplier]. */
export function depthwiseFilterGradient(call: KernelCall): TensorInfo {
  const { backend, attrs } = call;
  const [x, dy] = [input(call, 'x'), input(call, 'dy')];
  const filterShape = attrs.filterShape as number[];
  const info = convInfo(attrs, { x: x.shape, filter: filterShape }, 'depthwise');
  const dw = newTensor(backend, filterShape);
  const [xs, dys, dws] = [floats(backend, x), floats(backend, dy), floats(backend, dw)];
  const { inChannels: channels, outChannels } = info;
  const multiplier = outChannels / channels;
  const sum = new Float64Array(dws.length);
  eachTap(info, (atX, atY, atFilter) => {
    if (multiplier === 1) addProducts(sum, atFilter, xs, atX, dys, atY, channels);
    else
      for (let i = 0, k = 0; i < channels; i++)
        for (let q = 0; q < multiplier; q++, k++)
          sum[atFilter + k]! += (xs[atX + i] as number) * (dys[atY + k] as number);
  });
  dws.set(sum);
  return dw;
}

/** `DepthwiseConv2dNativeBackpropInput`: of what was convolved, [batch, height, width, channels]. */
export function depthwiseInputGradient(call: KernelCall): TensorInfo {
  const { backend, attrs } = call;
  const [dy, filter] = [input(call, 'dy'), input(call, 'filter')];
  const inputShape = attrs.inputShape as number[];
  const info = convInfo(attrs, { x: inputShape, filter: filter.shape }, 'depthwise');
  const dx = newTensor(backend, inputShape);
  const [dys, ws, dxs] = [floats(backend, dy), floats(backend, filter), floats(backend, dx)];
  const { inChannels: channels, outChannels } = info;
  const multiplier = outChannels / channels;
  dxs.fill(0);
  eachTap(info, (atX, atY, atFilter) => {
    if (multiplier === 1) addProductsInSingle(dxs, atX, dys, atY, ws, atFilter, channels);
    else
      for (let i = 0, k = 0; i < channels; i++)
        for (let q = 0; q < multiplier; q++, k++)
          dxs[atX + i]! += (dys[atY + k] as number) * (ws[atFilter + k] as number);
  });
  return dx;
}

/** Every output position and tap of the filter that meets the picture: where their first channels lie in each. */
function eachTap(info: ConvInfo, visit: (atX: number, atY: number, atFilter: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  let atY = 0;
  for (let picture = 0; picture < batchSize; picture++)
    for (let outRow = 0; outRow < outHeight; outRow++)
      for (let outColumn = 0; outColumn < outWidth; outColumn++, atY += outChannels)
        for (let filterRow = 0; filterRow < filterHeight; filterRow++) {
          const row = outRow * strideHeight - padInfo.top + filterRow * dilationHeight;
          if (row < 0 || row >= inHeight) continue;
          for (let filterColumn = 0; filterColumn < filterWidth; filterColumn++) {
            const column = outColumn * strideWidth - padInfo.left + filterColumn * dilationWidth;
            if (column < 0 || column >= inWidth) continue;
            const atX = ((picture * inHeight + row) * inWidth + column) * inChannels;
            visit(atX, atY, (filterRow * filterWidth + filterColumn) * outChannels);
          }
        }
}
