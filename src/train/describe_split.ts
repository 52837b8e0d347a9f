/** Goes through a split once and has every example described by the model and by the baselines beside it. */

import * as tf from '@tensorflow/tfjs-core';
import { forward } from '../models/forward.js';
import type { Network } from '../models/network.js';
import type { Weights } from '../models/weights.js';
import type { Tensor } from '../problems/decoded.js';
import { isTensor } from '../problems/decoded.js';
import type { Batch } from '../reading/collate.js';
import type { Pipeline } from '../reading/pipeline.js';
import { bandPowerEmbedding } from './band_power.js';
import { concat } from './dev_score.js';
import type { Embeddings } from './embeddings.js';
import type { EvalTask } from './eval_task.js';
import { inputNumbers, numberRows, tensorRows, textRows } from './model_input.js';
import { pixelEmbedding } from './pixel_embedding.js';
import { type RowGroups, rowGroups } from './row_groups.js';

/** Turns one feature of a batch into numbers, as many for each row. */
export interface Describer {
  /** `model`, `pixels` or `band power`. */
  readonly name: string;
  describe(batch: Batch, feature: string): Float32Array;
}

export interface DescribedSplit {
  readonly rows: number;
  /** By describer, the embeddings of each feature of the task. */
  readonly embeddings: ReadonlyMap<string, readonly Embeddings[]>;
  readonly targets: Float64Array;
  readonly keys: readonly string[];
  readonly groups: RowGroups;
  /** FEC's types; empty where there are none. */
  readonly types: readonly string[];
  /** Words for the targets; empty where there are none. */
  readonly labels: readonly string[];
  /** Annotators' votes; empty where there are none. */
  readonly ratings: readonly ArrayLike<number>[];
  /** LFW's; empty where there are none. */
  readonly folds: readonly number[];
}

export async function describeSplit(
  batches: Pipeline<Batch>,
  task: EvalTask,
  describers: readonly Describer[],
  onRows: (rows: number) => void = () => {},
): Promise<DescribedSplit> {
  const pieces = new Map(describers.map(({ name }) => [name, task.names.map((): Float32Array[] => [])]));
  const targets: number[] = [];
  const [keys, types, labels]: [string[], string[], string[]] = [[], [], []];
  const ratings: ArrayLike<number>[] = [];
  const folds: number[] = [];
  const groups: string[][] = [];
  for await (const batch of batches) {
    for (const { name, describe } of describers)
      for (const [place, feature] of task.names.entries())
        pieces.get(name)![place]!.push(describe(batch, feature));
    const before = targets.length;
    targets.push(...numberRows(batch, task.target));
    keys.push(...textRows(batch, 'key'));
    types.push(...textRows(batch, 'type'));
    labels.push(...textRows(batch, 'label'));
    if (batch['rating/all'] !== undefined) ratings.push(...listRows(batch, 'rating/all'));
    if (batch.fold !== undefined) folds.push(...numberRows(batch, 'fold'));
    const named = task.groups.features.map((feature) => textRows(batch, feature));
    for (let row = before; row < targets.length; row++)
      groups.push(named.length === 0 ? [`example ${row}`] : named.map((names) => names[row - before]!));
    onRows(targets.length);
  }
  const rows = targets.length;
  const embeddings = new Map<string, readonly Embeddings[]>();
  for (const [name, places] of pieces)
    embeddings.set(
      name,
      places.map((each) => {
        const data = concat(each);
        return { data, shape: [rows, rows === 0 ? 0 : data.length / rows] };
      }),
    );
  return {
    rows,
    embeddings,
    targets: Float64Array.from(targets),
    keys,
    groups: rowGroups(groups),
    types,
    labels,
    ratings,
    folds,
  };
}

/** The network's output for the feature. */
export function modelDescriber(network: Network, weights: Weights): Describer {
  return {
    name: 'model',
    describe(batch, feature) {
      const numbers = inputNumbers(batch, feature, network.inputShape);
      const output = tf.tidy(() => {
        const x = tf.tensor(numbers, [tensorRows(batch, feature).length, ...network.inputShape]);
        return forward(network, weights, x);
      });
      const values = Float32Array.from(output.dataSync());
      output.dispose();
      return values;
    },
  };
}

/** What is there before anything was learned: raw pixels of pictures, band powers of EEG. */
export function plainDescriber({ inputKind }: EvalTask): Describer {
  if (inputKind === 'image')
    return {
      name: 'pixels',
      describe: (batch, feature) =>
        concat(tensorRows(batch, feature).map((picture) => pixelEmbedding(picture as Tensor<Uint8Array>))),
    };
  return {
    name: 'band power',
    describe(batch, feature) {
      const rates = numberRows(batch, 'eeg/sampling_rate');
      const windows = tensorRows(batch, feature) as Tensor<Float32Array>[];
      return concat(windows.map((window, row) => bandPowerEmbedding(window, rates[row]!)));
    },
  };
}

function listRows(batch: Batch, feature: string): ArrayLike<number>[] {
  const value = batch[feature];
  if (value !== undefined && isTensor(value)) return tensorRows(batch, feature).map(({ data }) => data);
  return (value ?? []).map((each) => (each !== undefined && isTensor(each) ? each.data : []));
}
