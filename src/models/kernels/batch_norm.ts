/** Batch normalisation in training as two kernels: what TF.js composes of fifteen passes over the batch takes five here. */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import { floats, input, type KernelCall, newTensor } from './kernel.js';
import { addCoMoments, addMoments, addScaledRow, scaleRow } from './row_math.js';

/**
 * `BatchNormTraining`: of x, [..., channels], the normalised values, and the mean and the variance (divided by the count) of
 * each channel, [channels].
 */
export function batchNormTrainingKernel(call: KernelCall): TensorInfo[] {
  const { backend, attrs } = call;
  const [x, scale, offset] = [input(call, 'x'), input(call, 'scale'), input(call, 'offset')];
  const channels = x.shape.at(-1) as number;
  const [y, mean, variance] = [x.shape, [channels], [channels]].map((shape) => newTensor(backend, shape));
  const outputs = [y, mean, variance] as [TensorInfo, TensorInfo, TensorInfo];
  const [ys, means, variances] = outputs.map((info) => floats(backend, info)) as Views;
  const [xs, scales, offsets] = [x, scale, offset].map((info) => floats(backend, info)) as Views;
  const count = xs.length / channels;
  // In double precision the sum of squares is good enough for values of single precision; it saves a pass.
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let at = 0; at < xs.length; at += channels) addMoments(sums, squares, xs, at);
  const slope = new Float64Array(channels);
  const shift = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const average = (sums[channel] as number) / count;
    const spread = Math.max(0, (squares[channel] as number) / count - average * average);
    means[channel] = average;
    variances[channel] = spread;
    slope[channel] = (scales[channel] as number) / Math.sqrt(spread + (attrs.epsilon as number));
    shift[channel] = (offsets[channel] as number) - average * slope[channel]!;
  }
  for (let at = 0; at < xs.length; at += channels) scaleRow(ys, xs, slope, shift, at);
  return outputs;
}

/**
 * `BatchNormTrainingGradient`: the gradients of y = scale · (x − mean) / √(variance + epsilon) + offset with respect to x, scale and offset, where mean
 * and variance are x's own (Ioffe and Szegedy, "Batch Normalization", 2015, section 3).
 */
export function batchNormTrainingGradient(call: KernelCall): TensorInfo[] {
  const { backend, attrs } = call;
  const [dy, x, scale] = [input(call, 'dy'), input(call, 'x'), input(call, 'scale')];
  const channels = x.shape.at(-1) as number;
  const dx = newTensor(backend, x.shape);
  const dscale = newTensor(backend, [channels]);
  const doffset = newTensor(backend, [channels]);
  const values = (info: TensorInfo): Float32Array => floats(backend, info);
  const [dys, xs, dxs, means] = [values(dy), values(x), values(dx), values(input(call, 'mean'))];
  const count = xs.length / channels;
  const sums = new Float64Array(channels);
  const products = new Float64Array(channels);
  for (let at = 0; at < xs.length; at += channels) addCoMoments(sums, products, dys, xs, means, at);
  // dx = slope · dy + tilt · x + shift, a channel each.
  const slope = new Float64Array(channels);
  const tilt = new Float64Array(channels);
  const shift = new Float64Array(channels);
  const [variances, scales] = [values(input(call, 'variance')), values(scale)];
  const [dscales, doffsets] = [values(dscale), values(doffset)];
  for (let channel = 0; channel < channels; channel++) {
    const inverse = 1 / Math.sqrt((variances[channel] as number) + (attrs.epsilon as number));
    const [sum, product] = [sums[channel] as number, products[channel] as number];
    dscales[channel] = product * inverse;
    doffsets[channel] = sum;
    slope[channel] = (scales[channel] as number) * inverse;
    tilt[channel] = (-slope[channel]! * product * inverse * inverse) / count;
    shift[channel] = (-slope[channel]! * sum) / count - tilt[channel]! * (means[channel] as number);
  }
  for (let at = 0; at < xs.length; at += channels) {
    scaleRow(dxs, dys, slope, shift, at);
    addScaledRow(dxs, xs, tilt, at);
  }
  return [dx, dscale, doffset];
}

type Views = [Float32Array, Float32Array, Float32Array];
