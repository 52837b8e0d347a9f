/** A loss that is no number ends training, and what it came from is kept: nothing that follows would be worth anything. */

import { join } from 'node:path';
import { writeWhole } from '../datagen/data_files.js';
import { UserError } from '../io/errors.js';
import type { NamedTensor } from '../io/safetensors.js';
import type { Batch } from '../reading/collate.js';
import { writeCheckpoint } from './checkpoint.js';
import type { Learner, LearnerBatch } from './learner.js';
import { textRows } from './model_input.js';

export interface BrokenStep {
  readonly step: number;
  readonly loss: number;
  readonly norm: number;
  /** Where the reader stood before. */
  readonly reader: string | null;
  readonly batches: readonly Batch[];
  /** The same as the network got them. */
  readonly inputs: readonly LearnerBatch[];
  readonly learner: Learner;
}

/**
 * Writes `broken-step-N.json` (keys of the examples, the reader's state) and `broken-step-N.safetensors` (`input/0`,
 * `targets/0`, … as the network got them), and gives the error to throw.
 */
export function brokenStep(outputDir: string, broken: BrokenStep): UserError {
  const { step, loss, norm, reader, batches, inputs, learner } = broken;
  const path = join(outputDir, `broken-step-${step}`);
  const keys = batches.flatMap((batch) => textRows(batch, 'key'));
  const numbers = { loss: String(loss), gradientNorm: String(norm) };
  writeWhole(`${path}.json`, `${JSON.stringify({ step, ...numbers, reader, keys }, null, 2)}\n`);
  const tensors = new Map<string, NamedTensor>();
  for (const [part, { input, rows, targets }] of inputs.entries()) {
    tensors.set(`input/${part}`, { data: input, shape: [rows, ...learner.inputs.shape] });
    tensors.set(`targets/${part}`, { data: Float32Array.from(targets), shape: [targets.length] });
  }
  writeCheckpoint(`${path}.safetensors`, { step, tensors, state: { reader, keys } });
  const isLoss = !Number.isFinite(loss);
  return new UserError(
    `${isLoss ? `the loss is ${loss}` : `the loss is finite, but the length of its gradients is ${norm}`} at step ${step}`,
    {
      where: `${path}.json names the examples`,
      remedy: 'look at them, or train with a lower learning_rate; the checkpoints before are whole',
    },
  );
}
