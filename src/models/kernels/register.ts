/** Gives the WASM backend the kernels that training needs and it lacks, or has wrong or slow. */

import { batchNormTrainingGradient, batchNormTrainingKernel } from './batch_norm.js';
import { conv2dFilterGradient, conv2dInputGradient } from './conv2d_gradients.js';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise_gradients.js';
import { type Kernel, setKernel, stockKernel } from './kernel.js';
import { mendedConvolution, mendedMatMul, mendedOneHot } from './mended.js';
import { averagePoolGradient, maxPoolGradient } from './pool_gradients.js';
import { reduction } from './reductions.js';
import { unsortedSegmentSum } from './segment_sum.js';

let isDone = false;

/** Call it once the backend's own kernels are there, which importing `@tensorflow/tfjs-backend-wasm` does. */
export function registerTrainingKernels(): void {
  if (isDone) return;
  isDone = true;
  const stock = (name: string): Kernel => {
    const kernel = stockKernel(name);
    if (kernel === undefined) throw new Error(`the WASM backend has no kernel ${name}`);
    return kernel;
  };
  const kernels: Readonly<Record<string, Kernel>> = {
    Conv2D: mendedConvolution(stock('Conv2D'), stock('Slice'), 'dense'),
    DepthwiseConv2dNative: mendedConvolution(stock('DepthwiseConv2dNative'), stock('Slice'), 'depthwise'),
    Conv2DBackpropFilter: conv2dFilterGradient,
    Conv2DBackpropInput: conv2dInputGradient,
    DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
    DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
    MaxPoolGrad: maxPoolGradient,
    AvgPoolGrad: averagePoolGradient,
    UnsortedSegmentSum: unsortedSegmentSum,
    Sum: reduction('sum', stock('Sum')),
    Mean: reduction('mean', stock('Mean')),
    BatchMatMul: mendedMatMul(stock('BatchMatMul')),
    OneHot: mendedOneHot(stock('OneHot'), stock('Cast')),
    BatchNormTraining: batchNormTrainingKernel,
    BatchNormTrainingGradient: batchNormTrainingGradient,
  };
  for (const [name, kernel] of Object.entries(kernels)) setKernel(name, kernel);
}
