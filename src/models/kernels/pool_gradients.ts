/**
 * The gradients of pools. The WASM backend's own for the maximum gives nothing to windows whose maximum is negative; both
 * are loops here.
 */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type ConvInfo, convInfo, floats, input, type KernelCall, newTensor } from './kernel.js';

/** `MaxPoolGrad`: each window's gradient goes to the first of its largest values, as on the `cpu` backend. */
export function maxPoolGradient(call: KernelCall): TensorInfo {
  const { backend } = call;
  const [dy, x] = [input(call, 'dy'), input(call, 'input')];
  const info = poolInfo(call, x.shape);
  const dx = newTensor(backend, x.shape);
  const [dys, xs, dxs] = [floats(backend, dy), floats(backend, x), floats(backend, dx)];
  const { inChannels: channels, inWidth } = info;
  dxs.fill(0);
  eachWindow(info, (atY, window) => {
    for (let channel = 0; channel < channels; channel++) {
      let best = -1;
      for (let row = window.top; row < window.bottom; row++)
        for (let column = window.left; column < window.right; column++) {
          const at = (row * inWidth + column) * channels + channel;
          if (best === -1 || (xs[at] as number) > (xs[best] as number)) best = at;
        }
      if (best !== -1) dxs[best]! += dys[atY + channel] as number;
    }
  });
  return dx;
}

/** `AvgPoolGrad`: each window's gradient in equal shares to those of its values that are in the picture. */
export function averagePoolGradient(call: KernelCall): TensorInfo {
  const { backend } = call;
  const [dy, x] = [input(call, 'dy'), input(call, 'input')];
  const info = poolInfo(call, x.shape);
  const dx = newTensor(backend, x.shape);
  const [dys, dxs] = [floats(backend, dy), floats(backend, dx)];
  const { inChannels: channels, inWidth } = info;
  dxs.fill(0);
  eachWindow(info, (atY, { top, bottom, left, right }) => {
    const share = 1 / ((bottom - top) * (right - left));
    for (let row = top; row < bottom; row++)
      for (let at = (row * inWidth + left) * channels; at < (row * inWidth + right) * channels; )
        for (let channel = 0; channel < channels; channel++)
          dxs[at++]! += (dys[atY + channel] as number) * share;
  });
  return dx;
}

/** Rows and columns that a window covers, those outside the picture left out; rows are counted through the batch. */
interface Window {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Every window, with the place of its first channel in the output. The window is only good until the next. */
function eachWindow(info: ConvInfo, visit: (atY: number, window: Window) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const window = { top: 0, bottom: 0, left: 0, right: 0 };
  let atY = 0;
  for (let picture = 0; picture < batchSize; picture++)
    for (let outRow = 0; outRow < outHeight; outRow++) {
      const top = outRow * strideHeight - padInfo.top;
      window.top = picture * inHeight + Math.max(0, top);
      window.bottom = picture * inHeight + Math.min(inHeight, top + filterHeight);
      for (let outColumn = 0; outColumn < outWidth; outColumn++, atY += inChannels) {
        const left = outColumn * strideWidth - padInfo.left;
        window.left = Math.max(0, left);
        window.right = Math.min(inWidth, left + filterWidth);
        visit(atY, window);
      }
    }
}

function poolInfo({ attrs }: KernelCall, shape: readonly number[]): ConvInfo {
  const { filterSize } = attrs as { filterSize: number | [number, number] };
  const [height, width] = typeof filterSize === 'number' ? [filterSize, filterSize] : filterSize;
  const channels = shape[3] as number;
  return convInfo(attrs, { x: shape, filter: [height, width, channels, 1] }, 'depthwise');
}
