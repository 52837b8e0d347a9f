/** The two steps that picture networks are made of. */

import type { NetworkBuilder, Value } from './network.js';
import { BATCH_NORM } from './output_layers.js';

/** A square convolution without bias, which the batch normalisation after it has; padded so that stride 1 keeps the size. */
export function convolution(
  net: NetworkBuilder,
  x: Value,
  { filters, size, stride }: { readonly filters: number; readonly size: number; readonly stride: number },
): Value {
  return net.apply(x, {
    op: 'conv2d',
    filters,
    kernel: [size, size],
    strides: [stride, stride],
    padding: 'same',
    bias: 'none',
    initialiser: 'heNormal',
  });
}

export function normalisedRelu(net: NetworkBuilder, x: Value): Value {
  return net.apply(net.apply(x, BATCH_NORM), { op: 'relu' });
}
