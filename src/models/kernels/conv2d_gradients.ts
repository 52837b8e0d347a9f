/**
 * The gradients of a convolution, which the WASM backend lacks (of the filter) or computes slowly (of the input). With
 * P the matrix of patches, a row an output position, y = P·W; hence dW = Pᵀ·dy, and dx is dy·Wᵀ put back where the patches
 * came from.
 */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import {
  type ConvInfo,
  convInfo,
  floats,
  input,
  type KernelCall,
  matMul,
  newTensor,
  transposeInto,
} from './kernel.js';

/** Numbers in the matrix of patches at a time (16 MB): batches of any size need no more memory. */
const MOST_PATCH_NUMBERS = 4 * 2 ** 20;

/** `Conv2DBackpropFilter`: of the filter, [height, width, channels, filters]. */
export function conv2dFilterGradient(call: KernelCall): TensorInfo {
  const { backend, attrs } = call;
  const [x, dy] = [input(call, 'x'), input(call, 'dy')];
  const filterShape = attrs.filterShape as number[];
  const info = convInfo(attrs, { x: x.shape, filter: filterShape }, 'dense');
  const { outChannels } = info;
  const length = patchLength(info);
  // XNNPACK sums each element in single precision: parts are added in double.
  const sum = new Float64Array(outChannels * length);
  for (const part of batchParts(info)) {
    const dyPart = newTensor(backend, [outChannels, part.positions]);
    const patches = newTensor(backend, [part.positions, length]);
    transposeInto(floats(backend, dyPart), floats(backend, dy), {
      rows: part.positions,
      columns: outChannels,
      start: part.firstPosition * outChannels,
    });
    takePatches(floats(backend, patches), floats(backend, x), info, part);
    const product = matMul(backend, dyPart, patches);
    const values = floats(backend, product);
    for (let i = 0; i < sum.length; i++) sum[i]! += values[i] as number;
    for (const { dataId } of [dyPart, patches, product]) backend.disposeData(dataId);
  }
  const dw = newTensor(backend, filterShape);
  const values = floats(backend, dw);
  for (let filter = 0; filter < outChannels; filter++)
    for (let i = 0; i < length; i++) values[i * outChannels + filter] = sum[filter * length + i] as number;
  return dw;
}

/** `Conv2DBackpropInput`: of what was convolved, [batch, height, width, channels]. */
export function conv2dInputGradient(call: KernelCall): TensorInfo {
  const { backend, attrs } = call;
  const [dy, filter] = [input(call, 'dy'), input(call, 'filter')];
  const inputShape = attrs.inputShape as number[];
  const info = convInfo(attrs, { x: inputShape, filter: filter.shape }, 'dense');
  const { outChannels } = info;
  const length = patchLength(info);
  const transposed = newTensor(backend, [outChannels, length]);
  transposeInto(floats(backend, transposed), floats(backend, filter), { rows: length, columns: outChannels });
  const dx = newTensor(backend, inputShape);
  floats(backend, dx).fill(0);
  for (const part of batchParts(info)) {
    const dyPart = newTensor(backend, [part.positions, outChannels]);
    const start = part.firstPosition * outChannels;
    floats(backend, dyPart).set(floats(backend, dy).subarray(start, start + part.positions * outChannels));
    const patches = matMul(backend, dyPart, transposed);
    putBackPatches(floats(backend, dx), floats(backend, patches), info, part);
    for (const { dataId } of [dyPart, patches]) backend.disposeData(dataId);
  }
  backend.disposeData(transposed.dataId);
  return dx;
}

/** Some pictures of the batch, one beside the other. */
interface BatchPart {
  readonly firstPicture: number;
  readonly pictures: number;
  readonly firstPosition: number;
  /** Output positions in all. */
  readonly positions: number;
}

function* batchParts(info: ConvInfo): Generator<BatchPart> {
  const perPicture = info.outHeight * info.outWidth;
  const most = Math.max(1, Math.floor(MOST_PATCH_NUMBERS / (perPicture * patchLength(info))));
  for (let firstPicture = 0; firstPicture < info.batchSize; firstPicture += most) {
    const pictures = Math.min(most, info.batchSize - firstPicture);
    yield {
      firstPicture,
      pictures,
      firstPosition: firstPicture * perPicture,
      positions: pictures * perPicture,
    };
  }
}

function patchLength({ filterHeight, filterWidth, inChannels }: ConvInfo): number {
  return filterHeight * filterWidth * inChannels;
}

function takePatches(patches: Float32Array, x: Float32Array, info: ConvInfo, part: BatchPart): void {
  if (isPointwise(info)) {
    const start = part.firstPosition * info.inChannels;
    patches.set(x.subarray(start, start + part.positions * info.inChannels));
    return;
  }
  patches.fill(0);
  eachRun(info, part, (atPatch, atX, count) => {
    for (let i = 0; i < count; i++) patches[atPatch + i] = x[atX + i] as number;
  });
}

function putBackPatches(dx: Float32Array, patches: Float32Array, info: ConvInfo, part: BatchPart): void {
  if (isPointwise(info)) {
    dx.set(patches, part.firstPosition * info.inChannels);
    return;
  }
  eachRun(info, part, (atPatch, atX, count) => {
    for (let i = 0; i < count; i++) dx[atX + i]! += patches[atPatch + i] as number;
  });
}

function isPointwise({ filterHeight, filterWidth, strideHeight, strideWidth, padInfo }: ConvInfo): boolean {
  const { top, left } = padInfo;
  return filterHeight * filterWidth * strideHeight * strideWidth === 1 && top + left === 0;
}

/** Stretches of a patch that lie together in the picture too, edges left out: where each is in both, and how long. */
function eachRun(
  info: ConvInfo,
  { firstPicture, pictures }: BatchPart,
  visit: (atPatch: number, atX: number, count: number) => void,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  let atPatch = 0;
  for (let picture = firstPicture; picture < firstPicture + pictures; picture++)
    for (let outRow = 0; outRow < outHeight; outRow++)
      for (let outColumn = 0; outColumn < outWidth; outColumn++)
        for (let filterRow = 0; filterRow < filterHeight; filterRow++, atPatch += filterWidth * inChannels) {
          const row = outRow * strideHeight - padInfo.top + filterRow * dilationHeight;
          if (row < 0 || row >= inHeight) continue;
          const left = outColumn * strideWidth - padInfo.left;
          const rowStart = (picture * inHeight + row) * inWidth;
          if (dilationWidth === 1) {
            const from = Math.max(0, -left);
            const to = Math.min(filterWidth, inWidth - left);
            if (to > from)
              visit(
                atPatch + from * inChannels,
                (rowStart + left + from) * inChannels,
                (to - from) * inChannels,
              );
          } else
            for (let i = 0; i < filterWidth; i++) {
              const column = left + i * dilationWidth;
              if (column >= 0 && column < inWidth)
                visit(atPatch + i * inChannels, (rowStart + column) * inChannels, inChannels);
            }
        }
}
