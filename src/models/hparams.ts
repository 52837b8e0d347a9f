/** Hyper-parameters: their names, defaults and ranges, and the reading of `learning_rate=3e-4,margin=0.2`. */

import { UserError } from '../io/errors.js';
import { didYouMean } from '../problems/nearest.js';

interface NumberSpec {
  readonly kind: 'number' | 'whole';
  readonly standard: number;
  readonly least: number;
  readonly most: number;
}

interface WordSpec<Word extends string = string> {
  readonly kind: 'word';
  readonly standard: Word;
  readonly words: readonly Word[];
}

/** All that a model, a loss or training can be told. Each model and loss uses some. */
export const HPARAMS = {
  /** Examples a step; triplets where the Problem is one of triplets. */
  batch_size: whole(32, 1, 65_536),
  train_steps: whole(10_000, 1, 1e9),
  learning_rate: number(1e-3, 1e-9, 10),
  /** How the learning rate goes on after the warm-up: down to 0 by a cosine, by 1/√step, or not at all. */
  learning_rate_schedule: word('cosine', ['constant', 'cosine', 'rsqrt']),
  /** Steps in which the learning rate rises from 0. */
  learning_rate_warmup_steps: whole(100, 0, 1e9),
  /** Decoupled, of matrices and kernels. */
  weight_decay: number(1e-4, 0, 1),
  /** Longest that all gradients together may be; 0 for any length. */
  clip_gradient_norm: number(1, 0, 1e9),
  /** Batches whose gradients are added up to a step. */
  accumulate_steps: whole(1, 1, 65_536),
  adam_beta1: number(0.9, 0, 0.999999),
  adam_beta2: number(0.999, 0, 0.999999),
  adam_epsilon: number(1e-7, 1e-12, 1),

  loss: word('fec_hinges', [
    'fec_hinges',
    'soft_margin',
    'semi_hard',
    'hard',
    'cross_entropy',
    'nt_xent',
    'relative_positioning',
  ]),
  margin: number(0.2, 0, 4),
  /** Of `fec_hinges`, for triplets whose three faces show one class of expressions. */
  margin_one_class: number(0.1, 0, 4),
  /** Of `nt_xent`. */
  temperature: number(0.1, 0.001, 100),
  class_weights: word('none', ['none', 'inverse_frequency']),
  /** Share of the loss that a teacher's answers have; the rest is the labels'. */
  distil_weight: number(0, 0, 1),
  distil: word('embeddings', ['embeddings', 'logits']),
  distil_temperature: number(4, 0.1, 100),

  /** Height and width of pictures as the model gets them, in pixels. */
  image_size: whole(64, 16, 512),
  /** Numbers in an embedding. */
  embedding_size: whole(16, 1, 4096),
  /** Filters of the first convolution of a picture model; later ones have multiples of it. */
  width: whole(32, 1, 1024),
  /** Of `triplet_resnet`. */
  blocks_per_stage: whole(2, 1, 64),
  /** Filters over time of an EEG model, each as long as `temporal_kernel` samples. */
  temporal_filters: whole(8, 1, 1024),
  temporal_kernel: whole(64, 1, 4096),
  /** Of `eegnet`: filters over the channels for each filter over time. */
  spatial_multiplier: whole(2, 1, 64),
  /** Of `shallow_convnet`: samples that are averaged, and from one average to the next. */
  pool_length: whole(35, 1, 4096),
  pool_stride: whole(7, 1, 4096),
  dropout: number(0, 0, 0.95),
} as const;

export type HparamName = keyof typeof HPARAMS;

type ValueOf<Spec> = Spec extends { readonly words: readonly (infer Word)[] } ? Word : number;

/** A full set of values. Plain data. */
export type Hparams = { readonly [Name in HparamName]: ValueOf<(typeof HPARAMS)[Name]> };

/** The defaults with some of them changed. @throws UserError for a value out of its range. */
export function hparams(changes: Partial<Hparams> = {}): Hparams {
  const values: Record<string, number | string> = {};
  for (const name of hparamNames()) values[name] = HPARAMS[name].standard;
  for (const [name, value] of Object.entries(changes)) values[name] = checked(known(name), value);
  return values as Hparams;
}

/**
 * A set with the changes that a text asks for, `learning_rate=3e-4,margin=0.2`.
 * @throws UserError for a name that there is not, or a value of another type or out of its range.
 */
export function parseHparams(set: Hparams, text: string): Hparams {
  const values: Record<string, number | string> = { ...set };
  for (const change of text.split(',').map((part) => part.trim())) {
    if (change === '') continue;
    const [, name, value] = /^([^=]*?)\s*=\s*(.*)$/.exec(change) ?? [];
    if (name === undefined || value === undefined)
      throw misuse(`${JSON.stringify(change)} is no hyper-parameter`, 'write name=value,name=value');
    values[known(name)] = checked(known(name), value);
  }
  return values as Hparams;
}

/** The names, in the order of `HPARAMS`. */
export function hparamNames(): readonly HparamName[] {
  return Object.keys(HPARAMS) as HparamName[];
}

function known(name: string): HparamName {
  if (Object.hasOwn(HPARAMS, name)) return name as HparamName;
  throw misuse(`there is no hyper-parameter ${JSON.stringify(name)}`, didYouMean(name, hparamNames()));
}

/** A value that a person or a set gave, in its own type. */
function checked(name: HparamName, value: unknown): number | string {
  const spec: NumberSpec | WordSpec = HPARAMS[name];
  const what = `hyper-parameter ${name} is ${typeof value === 'string' ? value || 'empty' : String(value)}`;
  if (spec.kind === 'word') {
    if (spec.words.includes(String(value))) return String(value);
    throw misuse(what, `it is ${spec.words.slice(0, -1).join(', ')} or ${spec.words.at(-1)}`);
  }
  const number = typeof value === 'number' || String(value).trim() !== '' ? Number(value) : Number.NaN;
  const isWhole = spec.kind === 'number' || Number.isInteger(number);
  if (number >= spec.least && number <= spec.most && isWhole) return number;
  const kind = spec.kind === 'whole' ? 'a whole number' : 'a number';
  throw misuse(what, `it is ${kind} from ${spec.least} to ${spec.most}`);
}

function misuse(what: string, remedy: string): UserError {
  return new UserError(what, { remedy, exitCode: 2 });
}

function number(standard: number, least: number, most: number): NumberSpec {
  return { kind: 'number', standard, least, most };
}

function whole(standard: number, least: number, most: number): NumberSpec {
  return { kind: 'whole', standard, least, most };
}

function word<const Word extends string>(standard: NoInfer<Word>, words: readonly Word[]): WordSpec<Word> {
  return { kind: 'word', standard, words };
}
