/** The shallow ConvNet: band power as a network, whose square and logarithm do what a filter bank does by hand. */

import { UserError } from '../io/errors.js';
import type { Model } from './model.js';
import { NetworkBuilder } from './network.js';
import { BATCH_NORM, outputLayers } from './output_layers.js';
import { registerModel } from './registry.js';

export const shallowConvnet: Model = {
  name: 'shallow_convnet',
  description: 'Learned band power: filters, squares, averages over time, logarithms; for windows of EEG',
  paper:
    'Schirrmeister et al. Deep learning with convolutional neural networks for EEG decoding and visualization. Human Brain Mapping 38, 2017.',
  takes: ['windows'],
  gives: ['classes', 'embedding'],
  build(inputShape, hparams, output) {
    const { temporal_filters: filters, temporal_kernel: length, dropout } = hparams;
    const { pool_length: poolLength, pool_stride: poolStride } = hparams;
    const [channels = 0, samples = 0] = inputShape;
    const needed = length - 1 + poolLength;
    if (samples < needed)
      throw new UserError(`a window of ${samples} samples is too short for shallow_convnet`, {
        remedy: `it needs ${needed} or more: lengthen it, or lower temporal_kernel or pool_length`,
        exitCode: 2,
      });
    const plain = { op: 'conv2d', filters, strides: [1, 1], padding: 'valid' } as const;
    const net = new NetworkBuilder(inputShape);
    let x = net.apply(net.input, { ...plain, kernel: [1, length], bias: 'bias' });
    x = net.apply(x, { ...plain, kernel: [channels, 1], bias: 'none' });
    x = net.apply(net.apply(x, BATCH_NORM), { op: 'square' });
    x = net.apply(x, {
      op: 'averagePool',
      kernel: [1, poolLength],
      strides: [1, poolStride],
      padding: 'valid',
    });
    // The authors' own bound below the logarithm.
    x = net.apply(x, { op: 'log', least: 1e-6 });
    x = net.apply(x, { op: 'dropout', rate: dropout });
    outputLayers(net, net.apply(x, { op: 'flatten' }), { hparams, output });
    return net.finish();
  },
};

registerModel(shallowConvnet);
