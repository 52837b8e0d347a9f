/** What a run goes on from, as a checkpoint holds it: weights, the optimizer's averages, the reader's place, the best score. */

import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../io/errors.js';
import type { NamedTensor } from '../io/safetensors.js';
import type { WeightSpec } from '../models/network.js';
import type { LearnerState } from '../models/train_step.js';
import type { Weights } from '../models/weights.js';
import type { Checkpoint, JsonValue } from './checkpoint.js';

/** All but the learner's own state. Plain data. */
export interface TrainingPlace {
  /** Where the reader of the train split stands; null at its beginning. */
  readonly reader: string | null;
  /** The best evaluation so far; null before the first. */
  readonly best: BestScore | null;
  /** Evaluations since the best one. */
  readonly sinceBest: number;
}

export interface BestScore {
  readonly step: number;
  readonly score: number;
  readonly loss: number | null;
}

const FIRST = 'adam/first/';
const SECOND = 'adam/second/';

/** Chance needs no place: what it does follows from seed and step. */
export function toCheckpoint({ weights, adam }: LearnerState, place: TrainingPlace): Checkpoint {
  const tensors = new Map<string, NamedTensor>();
  const add = (prefix: string, held: Weights): void => {
    for (const [name, tensor] of held)
      tensors.set(`${prefix}${name}`, { data: Float32Array.from(tensor.dataSync()), shape: tensor.shape });
  };
  add('', weights);
  add(FIRST, adam.first);
  add(SECOND, adam.second);
  return { step: adam.step, tensors, state: { ...place, best: place.best as JsonValue } };
}

/** The inverse. @throws UserError where the checkpoint is of another network. */
export function fromCheckpoint(
  { step, tensors, state }: Checkpoint,
  specs: readonly WeightSpec[],
): { readonly learner: LearnerState; readonly place: TrainingPlace } {
  const weights = checkpointWeights({ tensors }, specs);
  const trained = specs.filter(({ trainable }) => trainable);
  const moments = (prefix: string): Weights => (step === 0 ? new Map() : kept(tensors, trained, prefix));
  const adam = { step, first: moments(FIRST), second: moments(SECOND) };
  return { learner: { weights, adam }, place: state as unknown as TrainingPlace };
}

/** The weights alone, to be disposed of by the caller. @throws UserError where the checkpoint is of another network. */
export function checkpointWeights(
  { tensors }: Pick<Checkpoint, 'tensors'>,
  specs: readonly WeightSpec[],
): Weights {
  return kept(tensors, specs, '');
}

function kept(
  tensors: ReadonlyMap<string, NamedTensor>,
  specs: readonly WeightSpec[],
  prefix: string,
): Weights {
  for (const { name, shape } of specs)
    if (tensors.get(`${prefix}${name}`)?.shape.join() !== shape.join())
      throw new UserError(`the checkpoint has no ${prefix}${name} of [${shape}]: it is of another network`, {
        remedy: 'use the version of t2t-ts that config.json of the run names',
      });
  return new Map(
    specs.map(({ name, shape }) => [
      name,
      tf.keep(tf.tensor(tensors.get(`${prefix}${name}`)!.data as Float32Array, [...shape], 'float32')),
    ]),
  );
}
