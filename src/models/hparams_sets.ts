/** Sets of hyper-parameters by name, as tensor2tensor has them: `_base`, `_small` and `_tiny` of each model, and one for each Problem. */

import { UserError } from '../io/errors.js';
import { didYouMean } from '../problems/nearest.js';
import { type Hparams, hparams } from './hparams.js';

export interface HparamsSet {
  /** The model's name and a word: `triplet_mobilenet_base`, `triplet_mobilenet_fec`. */
  readonly name: string;
  readonly model: string;
  /** The Problem that it was made for; undefined for the sizes. */
  readonly problem?: string;
  readonly hparams: Hparams;
}

const sets = new Map<string, HparamsSet>();

/** What a set is made of: what it changes of the defaults, or of another set's values. */
export interface HparamsSetSource {
  readonly model: string;
  /** `base`, `small`, `tiny`, or the name of a Problem, which then gets this set by default. */
  readonly word: string;
  /** The name of a set of the same model. */
  readonly from?: string;
  readonly changes: Partial<Hparams>;
}

/** Makes a set known. @throws UserError where its name is taken, or a value is out of range. */
export function registerHparamsSet({ model, word, from, changes }: HparamsSetSource): void {
  const name = `${model}_${word}`;
  if (sets.has(name))
    throw new UserError(`two sets of hyper-parameters are called ${name}`, { remedy: 'rename one of them' });
  const start = from === undefined ? {} : hparamsSet(from).hparams;
  const problem = ['base', 'small', 'tiny'].includes(word) ? {} : { problem: word };
  sets.set(name, { name, model, ...problem, hparams: hparams({ ...start, ...changes }) });
}

/** The set of a name. @throws UserError with the nearest names where there is none. */
export function hparamsSet(name: string): HparamsSet {
  const set = sets.get(name);
  if (set !== undefined) return set;
  throw new UserError(`there is no set of hyper-parameters ${JSON.stringify(name)}`, {
    remedy: didYouMean(name, hparamsSetNames()),
    exitCode: 2,
  });
}

/** The names of all sets, or of one model's, sorted. */
export function hparamsSetNames(model?: string): string[] {
  return [...sets.values()]
    .filter((set) => model === undefined || set.model === model)
    .map(({ name }) => name)
    .sort();
}

/** The set that was made for a Problem, with one model where it is named; undefined where there is none. */
export function hparamsSetFor(problem: string, model?: string): HparamsSet | undefined {
  return [...sets.values()].find(
    (set) => set.problem === problem && (model === undefined || set.model === model),
  );
}

const sizes: readonly HparamsSetSource[] = [
  // 82,304 weights with an embedding of 64 numbers.
  { model: 'triplet_mobilenet', word: 'base', changes: { width: 32, embedding_size: 64 } },
  { model: 'triplet_mobilenet', word: 'small', changes: { width: 16, embedding_size: 32 } },
  {
    model: 'triplet_mobilenet',
    word: 'tiny',
    changes: { width: 8, image_size: 32, batch_size: 16, train_steps: 500 },
  },
  { model: 'triplet_resnet', word: 'base', changes: { width: 32, embedding_size: 128 } },
  {
    model: 'triplet_resnet',
    word: 'small',
    changes: { width: 16, blocks_per_stage: 1, embedding_size: 64 },
  },
  {
    model: 'triplet_resnet',
    word: 'tiny',
    changes: { width: 8, blocks_per_stage: 1, image_size: 32, batch_size: 16, train_steps: 500 },
  },
  // The paper's EEGNet-8,2 for 128 Hz: a filter over time is half a second.
  {
    model: 'eegnet',
    word: 'base',
    changes: { ...classification(), batch_size: 64, dropout: 0.5, weight_decay: 0 },
  },
  { model: 'eegnet', word: 'small', from: 'eegnet_base', changes: { temporal_filters: 4 } },
  {
    model: 'eegnet',
    word: 'tiny',
    from: 'eegnet_small',
    changes: { temporal_kernel: 32, dropout: 0.25, batch_size: 16, train_steps: 300, learning_rate: 3e-3 },
  },
  // The paper's lengths are for 250 Hz; these are as long at 128 Hz.
  {
    model: 'shallow_convnet',
    word: 'base',
    changes: {
      ...classification(),
      batch_size: 64,
      temporal_filters: 40,
      temporal_kernel: 13,
      dropout: 0.5,
      weight_decay: 0,
    },
  },
  {
    model: 'shallow_convnet',
    word: 'small',
    from: 'shallow_convnet_base',
    changes: { temporal_filters: 16 },
  },
  {
    model: 'shallow_convnet',
    word: 'tiny',
    from: 'shallow_convnet_small',
    changes: { temporal_filters: 8, dropout: 0.25, batch_size: 16, train_steps: 300, learning_rate: 3e-3 },
  },
  {
    model: 'linear_probe',
    word: 'base',
    changes: { ...classification(), batch_size: 64, train_steps: 2_000 },
  },
  {
    model: 'linear_probe',
    word: 'small',
    from: 'linear_probe_base',
    changes: { image_size: 32, train_steps: 1_000 },
  },
  {
    model: 'linear_probe',
    word: 'tiny',
    from: 'linear_probe_small',
    changes: { image_size: 16, batch_size: 16, train_steps: 200 },
  },
];

const forProblems: readonly HparamsSetSource[] = [
  // 16 numbers and these margins are the paper's.
  mobilenet('fec', 'base', { embedding_size: 16, margin: 0.2, margin_one_class: 0.1, train_steps: 50_000 }),
  mobilenet('fec_tiny', 'tiny', { image_size: 64, train_steps: 400, learning_rate: 3e-3 }),
  resnet('vggface2', 'base', { loss: 'soft_margin', train_steps: 200_000 }),
  resnet('vggface2_identities', 'base', { loss: 'semi_hard', batch_size: 96, train_steps: 200_000 }),
  mobilenet('vggface2_tiny', 'tiny', { image_size: 64, train_steps: 400, learning_rate: 3e-3 }),
  eegnet('eeg_motor_imagery', 'base', { train_steps: 5_000 }),
  eegnet('eeg_sleep_stages', 'base', { class_weights: 'inverse_frequency', train_steps: 20_000 }),
  eegnet('eeg_seizure', 'base', { class_weights: 'inverse_frequency', train_steps: 20_000 }),
  eegnet('eeg_relative_positioning', 'base', { loss: 'relative_positioning', embedding_size: 64 }),
  eegnet('eeg_motor_imagery_triplets', 'base', { loss: 'soft_margin' }),
  eegnet('eeg_sleep_stages_triplets', 'base', { loss: 'soft_margin' }),
  eegnet('eeg_seizure_triplets', 'base', { loss: 'soft_margin' }),
  eegnet('deap', 'base', { class_weights: 'inverse_frequency', train_steps: 5_000 }),
  eegnet('eeg_folder', 'small', { class_weights: 'inverse_frequency', train_steps: 2_000 }),
  eegnet('eeg_tiny', 'tiny', {}),
];

for (const source of [...sizes, ...forProblems]) registerHparamsSet(source);

function classification(): Partial<Hparams> {
  return { loss: 'cross_entropy' };
}

function mobilenet(problem: string, size: string, changes: Partial<Hparams>): HparamsSetSource {
  return { model: 'triplet_mobilenet', word: problem, from: `triplet_mobilenet_${size}`, changes };
}

function resnet(problem: string, size: string, changes: Partial<Hparams>): HparamsSetSource {
  return { model: 'triplet_resnet', word: problem, from: `triplet_resnet_${size}`, changes };
}

function eegnet(problem: string, size: string, changes: Partial<Hparams>): HparamsSetSource {
  return { model: 'eegnet', word: problem, from: `eegnet_${size}`, changes };
}
