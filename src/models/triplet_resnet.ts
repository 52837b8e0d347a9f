/** A residual network for faces: larger and better than `triplet_mobilenet`, for those with time or native TensorFlow. */

import { convolution, normalisedRelu } from './convolutions.js';
import type { Model } from './model.js';
import { NetworkBuilder, type Value } from './network.js';
import { BATCH_NORM, outputLayers } from './output_layers.js';
import { registerModel } from './registry.js';

/** Stages: each halves the picture, but for the first, and doubles the filters. */
const STAGES = 4;

export const tripletResnet: Model = {
  name: 'triplet_resnet',
  description: 'A residual network of basic blocks, for faces',
  paper: 'He et al. Deep Residual Learning for Image Recognition. CVPR 2016.',
  takes: ['image'],
  gives: ['embedding', 'classes'],
  build(inputShape, hparams, output) {
    const { width, blocks_per_stage: blocks, dropout } = hparams;
    const net = new NetworkBuilder(inputShape);
    let x = normalisedRelu(net, convolution(net, net.input, { filters: width, size: 3, stride: 2 }));
    for (let stage = 0; stage < STAGES; stage++)
      for (let block = 0; block < blocks; block++)
        x = basicBlock(net, x, { filters: width * 2 ** stage, stride: stage > 0 && block === 0 ? 2 : 1 });
    x = net.apply(x, { op: 'globalAveragePool' });
    if (dropout > 0) x = net.apply(x, { op: 'dropout', rate: dropout });
    outputLayers(net, x, { hparams, output });
    return net.finish();
  },
};

registerModel(tripletResnet);

/** Two convolutions, and beside them the input itself, or its projection where sizes differ (section 3.3, option B). */
function basicBlock(
  net: NetworkBuilder,
  x: Value,
  { filters, stride }: { filters: number; stride: number },
): Value {
  const first = normalisedRelu(net, convolution(net, x, { filters, size: 3, stride }));
  const second = net.apply(convolution(net, first, { filters, size: 3, stride: 1 }), BATCH_NORM);
  const isSame = stride === 1 && x.shape.at(-1) === filters;
  const shortcut = isSame ? x : net.apply(convolution(net, x, { filters, size: 1, stride }), BATCH_NORM);
  return net.apply(net.apply([second, shortcut], { op: 'add' }), { op: 'relu' });
}
