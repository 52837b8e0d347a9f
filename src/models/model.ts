/** What a model is, and how it is fitted to a Problem: its inputs are found among the Problem's features. */

import { UserError } from '../io/errors.js';
import { type Features, fixedCount } from '../io/features.js';
import type { Hparams } from './hparams.js';
import type { ExampleShape, Network } from './network.js';

/** `image`: a picture, [image_size, image_size, 3], values from −1 to 1. `windows`: [channels, samples, 1], in microvolts or standardised. */
export type InputKind = 'image' | 'windows';

/** What a network ends in. Classes are logits, one a class; an embedding has length 1 where it is `normalised`. */
export type NetworkOutput =
  | { readonly kind: 'embedding'; readonly length: 'normalised' | 'free' }
  | { readonly kind: 'classes'; readonly count: number };

export interface Model {
  /** snake_case; the name on the command line. */
  readonly name: string;
  /** One sentence for a list. */
  readonly description: string;
  /** Where it was published. */
  readonly paper: string;
  readonly takes: readonly InputKind[];
  readonly gives: readonly NetworkOutput['kind'][];
  /**
   * The network for one example of `inputShape`.
   * @throws UserError where the example is too small for it, or it can't give the output.
   */
  build(inputShape: ExampleShape, hparams: Hparams, output: NetworkOutput): Network;
}

/** Which of a Problem's features a model reads. Plain data. */
export interface ModelInputs {
  readonly kind: InputKind;
  /** One feature, or the three of a triplet. */
  readonly names: readonly [string] | readonly [string, string, string];
  /** The feature with the answer: a class, or the odd one's place in the triplet (1 to 3). */
  readonly target: string;
  /** Of each input, as the network gets it. */
  readonly shape: ExampleShape;
}

/** How Problems name what models learn: a triplet's odd one in FEC's word, and tensor2tensor's word for all else. */
const TARGETS = ['triplet_code', 'targets'];

/** How Problems name what models read. */
const TRIPLETS = [
  { kind: 'image', names: ['image/a', 'image/b', 'image/c'] },
  { kind: 'windows', names: ['eeg/a', 'eeg/b', 'eeg/c'] },
] as const;

const SINGLES = [
  { kind: 'image', names: ['image'] },
  { kind: 'windows', names: ['eeg/raw'] },
] as const;

/**
 * The inputs of a model among the features of a Problem.
 * @param problem its name, for messages.
 * @throws UserError where the model takes none of them, its output suits no loss over them, or their shape is left open.
 */
export function modelInputs(
  model: Model,
  { problem, features, hparams }: { problem: string; features: Features; hparams: Hparams },
): ModelInputs {
  const found = [...TRIPLETS, ...SINGLES].find(({ names }) =>
    names.every((name) => Object.hasOwn(features, name)),
  );
  if (found === undefined)
    throw new UserError(`${problem} has nothing that a model learns from`, {
      remedy: `it needs ${[...TRIPLETS, ...SINGLES].map(({ names }) => names.join(' + ')).join(', or ')}`,
      exitCode: 2,
    });
  const { kind, names } = found;
  const target = TARGETS.find((name) => Object.hasOwn(features, name));
  const wanted = networkOutput(hparams).kind;
  if (!model.takes.includes(kind))
    throw new UserError(`${model.name} takes ${model.takes.join(' or ')}, but ${problem} has ${kind}`, {
      where: `feature ${names[0]}`,
      remedy: 'choose another model: `t2t-ts list` names them',
      exitCode: 2,
    });
  if (!model.gives.includes(wanted))
    throw new UserError(
      `${model.name} gives ${model.gives.join(' or ')}, but the loss ${hparams.loss} needs ${WORDS[wanted]}`,
      {
        remedy: 'choose another model or another loss',
        exitCode: 2,
      },
    );
  if (target === undefined)
    throw new UserError(`${problem} has no ${TARGETS.join(' or ')} to learn`, {
      remedy: 'choose another Problem',
      exitCode: 2,
    });
  if ((wanted === 'classes' || MINING.includes(hparams.loss)) && names.length === 3)
    throw new UserError(`the loss ${hparams.loss} needs labelled examples, but ${problem} has triplets`, {
      remedy: 'choose fec_hinges, soft_margin or, of EEG, relative_positioning',
      exitCode: 2,
    });
  if (OF_TRIPLETS.includes(hparams.loss) && names.length === 1)
    throw new UserError(`the loss ${hparams.loss} needs triplets, but ${problem} has single examples`, {
      remedy: 'choose cross_entropy, semi_hard, hard or nt_xent',
      exitCode: 2,
    });
  return { kind, names, target, shape: inputShape(kind, names[0], { problem, features, hparams }) };
}

/** What a loss needs, in full; `classes`, how many there are, only counts for cross-entropy. */
export function networkOutput({ loss }: Pick<Hparams, 'loss'>, classes = 0): NetworkOutput {
  if (loss === 'cross_entropy') return { kind: 'classes', count: classes };
  // Relative positioning compares dimension by dimension, with weights of its own.
  return { kind: 'embedding', length: loss === 'relative_positioning' ? 'free' : 'normalised' };
}

const WORDS = { embedding: 'an embedding', classes: 'classes' } as const;
const MINING: readonly Hparams['loss'][] = ['semi_hard', 'hard', 'nt_xent'];
const OF_TRIPLETS: readonly Hparams['loss'][] = ['fec_hinges', 'soft_margin', 'relative_positioning'];

function inputShape(
  kind: InputKind,
  name: string,
  { problem, features, hparams }: { problem: string; features: Features; hparams: Hparams },
): ExampleShape {
  if (kind === 'image') return [hparams.image_size, hparams.image_size, 3];
  const { shape } = features[name] as { readonly shape: readonly (number | null)[] };
  const [channels, samples] = shape;
  if (typeof channels !== 'number' || typeof samples !== 'number')
    throw new UserError(`${name} of ${problem} may have any number of channels`, {
      remedy: 'make the data with --option channels=…, naming them',
      exitCode: 2,
    });
  return [channels, fixedCount(shape) / channels, 1];
}
