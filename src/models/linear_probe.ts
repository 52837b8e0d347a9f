/** A linear classifier: of raw inputs the plainest baseline, of a trained network's embeddings the measure of what they hold. */

import type { Model } from './model.js';
import { NetworkBuilder } from './network.js';
import { BATCH_NORM, outputLayers } from './output_layers.js';
import { registerModel } from './registry.js';

export const linearProbe: Model = {
  name: 'linear_probe',
  description: 'One linear layer on normalised inputs: a baseline, or a probe of another model’s embeddings',
  paper: 'Alain and Bengio. Understanding intermediate layers using linear classifier probes. 2016.',
  takes: ['image', 'windows'],
  gives: ['classes', 'embedding'],
  build(inputShape, hparams, output) {
    const net = new NetworkBuilder(inputShape);
    const vector = inputShape.length === 1 ? net.input : net.apply(net.input, { op: 'flatten' });
    outputLayers(net, net.apply(vector, BATCH_NORM), { hparams, output });
    return net.finish();
  },
};

registerModel(linearProbe);
