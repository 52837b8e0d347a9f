/** EEGNet: filters over time, then over the electrodes, in a few thousand weights. */

import { UserError } from '../io/errors.js';
import type { Model } from './model.js';
import { NetworkBuilder } from './network.js';
import { BATCH_NORM, outputLayers } from './output_layers.js';
import { registerModel } from './registry.js';

/** The paper's averages over time, and the length of the separable filters, in samples (table 2). */
const FIRST_POOL = 4;
const SECOND_POOL = 8;
const SEPARABLE_KERNEL = 16;

export const eegnet: Model = {
  name: 'eegnet',
  description: 'Filters over time and over electrodes in a few thousand weights, for windows of EEG',
  paper:
    'Lawhern et al. EEGNet: a compact convolutional neural network for EEG-based brain-computer interfaces. Journal of Neural Engineering 15, 2018.',
  takes: ['windows'],
  gives: ['classes', 'embedding'],
  build(inputShape, hparams, output) {
    const {
      temporal_filters: filters,
      temporal_kernel: length,
      spatial_multiplier: multiplier,
      dropout,
    } = hparams;
    const [channels = 0, samples = 0] = inputShape;
    if (samples < FIRST_POOL * SECOND_POOL)
      throw new UserError(`a window of ${samples} samples is too short for eegnet`, {
        remedy: `it needs ${FIRST_POOL * SECOND_POOL} or more`,
        exitCode: 2,
      });
    const one = [1, 1] as const;
    const net = new NetworkBuilder(inputShape);
    let x = net.apply(net.input, {
      op: 'conv2d',
      filters,
      kernel: [1, length],
      strides: one,
      padding: 'same',
      bias: 'none',
    });
    x = net.apply(x, BATCH_NORM);
    x = net.apply(x, {
      op: 'depthwiseConv2d',
      multiplier,
      kernel: [channels, 1],
      strides: one,
      padding: 'valid',
      maxNorm: 1,
    });
    x = net.apply(net.apply(x, BATCH_NORM), { op: 'elu' });
    x = net.apply(x, {
      op: 'averagePool',
      kernel: [1, FIRST_POOL],
      strides: [1, FIRST_POOL],
      padding: 'valid',
    });
    x = net.apply(x, { op: 'dropout', rate: dropout });
    x = net.apply(x, {
      op: 'depthwiseConv2d',
      multiplier: 1,
      kernel: [1, SEPARABLE_KERNEL],
      strides: one,
      padding: 'same',
    });
    x = net.apply(x, {
      op: 'conv2d',
      filters: filters * multiplier,
      kernel: one,
      strides: one,
      padding: 'same',
      bias: 'none',
    });
    x = net.apply(net.apply(x, BATCH_NORM), { op: 'elu' });
    x = net.apply(x, {
      op: 'averagePool',
      kernel: [1, SECOND_POOL],
      strides: [1, SECOND_POOL],
      padding: 'valid',
    });
    x = net.apply(x, { op: 'dropout', rate: dropout });
    outputLayers(net, net.apply(x, { op: 'flatten' }), { hparams, output, maxNorm: 0.25 });
    return net.finish();
  },
};

registerModel(eegnet);
