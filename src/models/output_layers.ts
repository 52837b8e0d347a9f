/** How networks end: in classes, or in an embedding. */

import type { Hparams } from './hparams.js';
import type { NetworkOutput } from './model.js';
import type { NetworkBuilder, Value } from './network.js';

/** Batch normalisation with Keras's epsilon; averages of 1 / (1 − 0.99) = 100 steps, as Keras too. */
export const BATCH_NORM = { op: 'batchNorm', epsilon: 1e-3, momentum: 0.99 } as const;

/** Puts the last layers on a vector: [classes], or [embedding_size]. @param maxNorm of the classes' weights. */
export function outputLayers(
  net: NetworkBuilder,
  vector: Value,
  { hparams, output, maxNorm }: { hparams: Hparams; output: NetworkOutput; maxNorm?: number },
): void {
  if (output.kind === 'classes') {
    net.apply(vector, { op: 'dense', units: output.count, ...(maxNorm === undefined ? {} : { maxNorm }) });
    return;
  }
  const embedding = net.apply(vector, { op: 'dense', units: hparams.embedding_size });
  if (output.length === 'normalised') net.apply(embedding, { op: 'l2Normalise' });
}
