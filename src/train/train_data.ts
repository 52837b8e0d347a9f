/** What training and evaluation read: the Problem as its data were made, batches of a split, and how often each class occurs. */

import { finishedManifest } from '../datagen/manifest.js';
import { problemIn } from '../datagen/manifest_problem.js';
import { UserError } from '../io/errors.js';
import { seededRandom } from '../io/random.js';
import { type Problem, type Split, withOptions } from '../problems/problem.js';
import { problemNames } from '../problems/registry.js';
import { type Batch, collate, separate } from '../reading/collate.js';
import { type Examples, type OpenExamplesOptions, openExamples } from '../reading/examples.js';
import type { Pipeline } from '../reading/pipeline.js';
import type { ClassCounts, Learner, LearnerBatch } from './learner.js';

/** The Problem with the options that a finished split was made with. @throws UserError where there is no such split. */
export function problemOfSplit(dataDir: string, name: string, split: Split): Problem {
  const problem = problemIn(dataDir, name);
  const { options } = finishedManifest(dataDir, name, split).settings;
  const changed = Object.entries(options).some(([option, value]) => problem.options[option] !== value);
  return changed ? withOptions(problem, options) : problem;
}

/** Where a split is, and what decodes it. */
export interface ReadPlace {
  readonly dataDir: string;
  /** Threads that decode; see `openExamples`. */
  readonly workers?: number | undefined;
  readonly imports?: readonly string[] | undefined;
}

/** Threads know only Problems that are registered; examples that were imported are decoded in this one. */
function readOptions(problem: Problem, { dataDir, workers, imports }: ReadPlace): OpenExamplesOptions {
  const threads = problemNames().includes(problem.name) ? workers : 0;
  return {
    dataDir,
    ...(threads === undefined ? {} : { workers: threads }),
    ...(imports === undefined ? {} : { imports }),
  };
}

/** How many examples of each class a split has: index is the class. @throws UserError for a class that is no number from 0. */
export async function countClasses(
  problem: Problem,
  target: string,
  options: Pick<OpenExamplesOptions, 'dataDir' | 'split'>,
): Promise<ClassCounts> {
  const examples = await openExamples(problem, 'eval', { ...options, workers: 0, features: [target] });
  const counts: number[] = [];
  try {
    for await (const example of examples.parsed()) {
      const label = Number(example[target]);
      if (!(Number.isInteger(label) && label >= 0 && label < MOST_CLASSES))
        throw new UserError(`${target} is ${label}, where a class from 0 to ${MOST_CLASSES - 1} is wanted`, {
          remedy: 'choose another loss, or another Problem',
        });
      while (counts.length <= label) counts.push(0);
      counts[label]! += 1;
    }
  } finally {
    await examples.close();
  }
  return counts;
}

/** More are no classes but numbers of something else: VGGFace2 has 9,131 people. */
const MOST_CLASSES = 1_000_000;

/** Batches of the train split without an end, and where they come from. */
export interface TrainBatches {
  readonly examples: Examples<Problem['features']>;
  readonly batches: Pipeline<Batch>;
  /** What the learner gets of one. @param name of the step: what chance does follows from it. */
  prepare(batch: Batch, name: string): LearnerBatch;
}

/** Batches that are ready before they are asked for. */
const PREFETCHED = 2;

/** For `nt_xent` examples come as they are, and two views of each are made here. */
export async function openTrainBatches(
  learner: Learner,
  place: ReadPlace,
  seed: number,
): Promise<TrainBatches> {
  const { problem, hparams, features } = learner;
  const isTwoViews = hparams.loss === 'nt_xent';
  const examples = await openExamples(problem, isTwoViews ? 'eval' : 'train', {
    ...readOptions(problem, place),
    seed,
    split: 'train',
    shuffle: 'global',
    features,
  });
  const batches = examples.repeat().batch(hparams.batch_size, { remainder: 'drop' }).prefetch(PREFETCHED);
  return { examples, batches, prepare };

  function prepare(batch: Batch, name: string): LearnerBatch {
    if (!isTwoViews) return learner.batch(batch);
    const [first, second] = ['first', 'second'].map((view) => viewOf(problem, batch, `${name}/${view}`));
    return learner.batch(first!, second!);
  }
}

function viewOf(problem: Problem, batch: Batch, name: string): Batch {
  const examples = separate(batch, (batch.key as readonly unknown[]).length);
  return collate(
    examples.map((example, row) =>
      problem.preprocessExample(example, 'train', seededRandom(`${name}/${row}`)),
    ),
  );
}

/** What of a split is evaluated. */
export interface EvalPart {
  readonly split: Split;
  /** Names of the features that are read. */
  readonly features: readonly string[];
  readonly batchSize: number;
  /** So many examples; all where undefined. */
  readonly limit?: number | undefined;
}

/** Goes through a split in the order of its files and gives what `use` makes of its batches. */
export async function withEvalBatches<Result>(
  problem: Problem,
  place: ReadPlace,
  { split, features, batchSize, limit }: EvalPart,
  use: (batches: Pipeline<Batch>) => Promise<Result>,
): Promise<Result> {
  const examples = await openExamples(problem, 'eval', { ...readOptions(problem, place), split, features });
  try {
    const some = limit === undefined ? examples : examples.take(limit);
    return await use(some.batch(batchSize).prefetch(PREFETCHED));
  } finally {
    await examples.close();
  }
}
