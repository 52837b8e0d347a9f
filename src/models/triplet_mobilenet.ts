/** A small network of separable convolutions for faces: quick enough to train in WebAssembly and to run in a browser. */

import { convolution, normalisedRelu } from './convolutions.js';
import type { Model } from './model.js';
import { NetworkBuilder } from './network.js';
import { outputLayers } from './output_layers.js';
import { registerModel } from './registry.js';

/** Filters as multiples of the width, and strides, of the separable convolutions. */
const BLOCKS = [
  [2, 1],
  [4, 2],
  [4, 1],
  [8, 2],
] as const;

export const tripletMobilenet: Model = {
  name: 'triplet_mobilenet',
  description: 'Separable convolutions with batch normalisation, for faces',
  paper:
    'Howard et al. MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications. 2017.',
  takes: ['image'],
  gives: ['embedding', 'classes'],
  build(inputShape, hparams, output) {
    const { width, dropout } = hparams;
    const net = new NetworkBuilder(inputShape);
    let x = normalisedRelu(net, convolution(net, net.input, { filters: width, size: 3, stride: 2 }));
    for (const [multiple, stride] of BLOCKS) {
      const each = { op: 'depthwiseConv2d', kernel: [3, 3], padding: 'same', multiplier: 1 } as const;
      x = net.apply(x, { ...each, strides: [stride, stride], initialiser: 'heNormal' });
      x = normalisedRelu(net, convolution(net, x, { filters: width * multiple, size: 1, stride: 1 }));
    }
    x = net.apply(x, { op: 'globalAveragePool' });
    if (dropout > 0) x = net.apply(x, { op: 'dropout', rate: dropout });
    outputLayers(net, x, { hparams, output });
    return net.finish();
  },
};

registerModel(tripletMobilenet);
