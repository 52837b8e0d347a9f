/** Scores a run's checkpoint on a split, beside its baselines; each look at a test split is written down. */

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeWhole } from '../datagen/data_files.js';
import { problemIn } from '../datagen/manifest_problem.js';
import { UserError } from '../io/errors.js';
import { type BackendName, openBackend } from '../models/backend.js';
import { type Network, product } from '../models/network.js';
import { model } from '../models/registry.js';
import { disposeWeights } from '../models/weights.js';
import { type Problem, type Split, withOptions } from '../problems/problem.js';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointFolder } from './checkpoint_folder.js';
import { fitClassMeans, nearestClass } from './class_means.js';
import {
  type DescribedSplit,
  type Describer,
  describeSplit,
  modelDescriber,
  plainDescriber,
} from './describe_split.js';
import { answersOf } from './dev_score.js';
import { type EvalTask, evalTask } from './eval_task.js';
import { createLearner, type Learner } from './learner.js';
import { type RunConfig, readRun } from './run_folder.js';
import { scoreSplit } from './score_split.js';
import type { Scores } from './scores.js';
import { problemOfSplit, withEvalBatches } from './train_data.js';
import { checkpointWeights } from './training_state.js';

export interface EvaluateOptions {
  readonly dataDir: string;
  /** The folder of the run. */
  readonly outputDir: string;
  /** `dev` where not said, or of another Problem the first that it has of `dev` and `test`. */
  readonly split?: Split;
  /** Another Problem than the run was trained on. */
  readonly transfer?: string;
  /** `best` where not said. */
  readonly checkpoint?: 'best' | 'last';
  /** So many examples; all where not said. */
  readonly limit?: number;
  readonly backend?: BackendName;
  readonly workers?: number;
  readonly imports?: readonly string[];
  /** Rows done. */
  readonly onRows?: (rows: number) => void;
}

export interface EvalReport {
  readonly problem: string;
  readonly split: Split;
  /** What the run was trained on. */
  readonly trainedOn: string;
  readonly model: string;
  readonly checkpoint: 'best' | 'last';
  readonly step: number;
  readonly backend: string;
  /** How often this run has looked at this test split, this time included; null for other splits. */
  readonly looks: number | null;
  readonly scores: Scores;
  readonly seconds: number;
}

/** A line of `test_looks.jsonl`: a score on a test split that was looked at often is no longer that of unseen data. */
export interface TestLook {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly problem: string;
  readonly checkpoint: string;
  readonly step: number;
  readonly rows: number;
  /** The model's. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** Examples that go through the network at a time. */
const BATCH = 64;

/** Examples of train that class means are taken from: more change them little. */
const MEANS_FROM = 5_000;

/**
 * The scores, also written to `eval/<problem>-<split>-<checkpoint>.json` in the run's folder.
 * @throws UserError where there is no such run, checkpoint or split, or the run can't be measured on it.
 */
export async function evaluateRun(options: EvaluateOptions): Promise<EvalReport> {
  const startedMs = performance.now();
  const outputDir = resolve(options.outputDir);
  const dataDir = resolve(options.dataDir);
  const config = readRun(outputDir);
  const { checkpoint: which = 'best' } = options;
  const checkpoint = checkpointOf(outputDir, which);
  const backend = await openBackend(options.backend === undefined ? {} : { prefer: options.backend });
  const name = options.transfer ?? config.settings.problem.name;
  const split = options.split ?? (problemIn(dataDir, name).splits.includes('dev') ? 'dev' : 'test');
  const problem = problemOfSplit(dataDir, name, split);
  const task = evalTask(problem);
  const learner = learnerOf(config, dataDir);
  checkFits(learner, task, problem);
  const weights = checkpointWeights(checkpoint, learner.specs);
  try {
    const describe = (network: Network): Promise<DescribedSplit> =>
      describedRows(problem, split, task, [modelDescriber(network, weights), plainDescriber(task)], options);
    let classes = classesOf(learner, task);
    let described = await describe(classes === undefined ? embeddingNetwork(learner) : learner.network);
    if (described.rows === 0)
      throw new UserError(`the ${split} split of ${name} has no examples`, { where: dataDir });
    if (classes !== undefined && split === 'test' && isOpenSet(task, described)) {
      classes = undefined;
      described = await describe(embeddingNetwork(learner));
    }
    const scores = scoreSplit(
      task,
      described,
      classes === undefined
        ? undefined
        : { classes, answers: await classAnswers({ problem, task, described, classes, options }) },
    );
    const { step } = checkpoint;
    const looks = split === 'test' ? recordLook(outputDir, { name, which, step, scores }) : null;
    const report: EvalReport = {
      problem: name,
      split,
      trainedOn: config.settings.problem.name,
      model: config.settings.model,
      checkpoint: which,
      step,
      backend: backend.reason,
      looks,
      scores,
      seconds: (performance.now() - startedMs) / 1000,
    };
    mkdirSync(join(outputDir, 'eval'), { recursive: true });
    writeWhole(
      join(outputDir, 'eval', `${name}-${split}-${which}.json`),
      `${JSON.stringify(report, null, 2)}\n`,
    );
    return report;
  } finally {
    disposeWeights(weights);
  }
}

/** The looks at test splits that a run has had, in their order. */
export function testLooks(outputDir: string): TestLook[] {
  const path = looksPath(outputDir);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as TestLook);
}

/** The run's model on the Problem that it was trained on, as its config has it. */
export function learnerOf({ settings, classes }: RunConfig, dataDir: string): Learner {
  const { name, options } = settings.problem;
  const known = problemIn(dataDir, name);
  const changed = Object.entries(options).some(([option, value]) => known.options[option] !== value);
  const problem = changed ? withOptions(known, options) : known;
  return createLearner({ problem, model: model(settings.model), hparams: settings.hparams, classes });
}

/** What of the network embeds: all of it, or all before the logits of a classifier. */
export function embeddingNetwork({ network, hparams }: Learner): Network {
  return hparams.loss === 'cross_entropy' ? { ...network, nodes: network.nodes.slice(0, -1) } : network;
}

function checkpointOf(outputDir: string, which: 'best' | 'last'): Checkpoint {
  const folder = new CheckpointFolder(join(outputDir, 'checkpoints'));
  const found = which === 'best' ? folder.best() : folder.last()?.checkpoint;
  if (found !== undefined) return found;
  throw new UserError(`the run has no ${which} checkpoint yet`, {
    where: outputDir,
    remedy: 'train it on: the same `t2t-ts train` command goes on',
  });
}

function checkFits({ inputs }: Learner, task: EvalTask, { name, features }: Problem): void {
  if (inputs.kind !== task.inputKind)
    throw new UserError(`the run takes ${inputs.kind}, but ${name} has ${task.inputKind}`, {
      remedy: 'choose another Problem for --transfer',
      exitCode: 2,
    });
  if (task.inputKind === 'image') return;
  const [feature] = task.names as readonly [string];
  const { shape } = features[feature]!;
  const numbers = shape.reduce<number>((size, each) => size * (each ?? 1), 1);
  if (shape[0] === null || (shape[0] === inputs.shape[0] && numbers === product(inputs.shape))) return;
  throw new UserError(
    `${feature} of ${name} is of [${shape.join(', ')}], but the run takes [${inputs.shape.slice(0, 2).join(', ')}]`,
    { remedy: 'make both data with the same channels, sampling rate and length', exitCode: 2 },
  );
}

/** How many classes are judged; undefined where embeddings are. */
function classesOf({ hparams, network }: Learner, task: EvalTask): number | undefined {
  if (task.kind !== 'single' || hparams.loss !== 'cross_entropy') return undefined;
  return network.nodes.at(-1)!.shape[0]!;
}

/**
 * Whether the class is the person: test then has people of its own, whose numbers mean nothing to the classifier, and they
 * are told apart by embeddings (see `vggface2_identities`).
 */
function isOpenSet(task: EvalTask, { groups, targets }: DescribedSplit): boolean {
  if (task.groups.word !== 'people') return false;
  const both = new Set(
    Array.from(targets, (target, row) => `${target} ${groups.members[groups.starts[row]!]}`),
  );
  return both.size === groups.names.length && both.size === new Set(targets).size;
}

function describedRows(
  problem: Problem,
  split: Split,
  task: EvalTask,
  describers: readonly Describer[],
  { dataDir, workers, imports, limit, onRows }: EvaluateOptions,
): Promise<DescribedSplit> {
  const part = { split, features: task.features, batchSize: BATCH, limit };
  return withEvalBatches(problem, { dataDir: resolve(dataDir), workers, imports }, part, (batches) =>
    describeSplit(batches, task, describers, onRows),
  );
}

/**
 * The class of each row, as the model says it and, by the nearest class mean of train, as pixels or band powers do; without
 * a train split of the Problem there is no such baseline.
 */
async function classAnswers(of: {
  readonly problem: Problem;
  readonly task: EvalTask;
  readonly described: DescribedSplit;
  readonly classes: number;
  readonly options: EvaluateOptions;
}): Promise<Map<string, ArrayLike<number>>> {
  const { problem, task, described, classes, options } = of;
  const unknown = described.targets.find((target) => !(target >= 0 && target < classes));
  if (unknown !== undefined)
    throw new UserError(`${problem.name} has a class ${unknown}, but the run knows ${classes}`, {
      remedy: 'choose a Problem with the same classes',
      exitCode: 2,
    });
  const answers = new Map<string, ArrayLike<number>>([
    ['model', answersOf(described.embeddings.get('model')![0]!)],
  ]);
  const plain = plainDescriber(task);
  let train: DescribedSplit;
  try {
    const { onRows: _, ...rest } = options;
    train = await describedRows(problem, 'train', task, [plain], { ...rest, limit: MEANS_FROM });
  } catch (error) {
    if (error instanceof UserError) return answers;
    throw error;
  }
  const means = fitClassMeans(train.embeddings.get(plain.name)![0]!, train.targets, classes);
  return answers.set(plain.name, nearestClass(means, described.embeddings.get(plain.name)![0]!));
}

function recordLook(
  outputDir: string,
  of: { readonly name: string; readonly which: string; readonly step: number; readonly scores: Scores },
): number {
  const ofModel = of.scores.metrics.filter((metric) => metric.of === 'model');
  const look: TestLook = {
    at: new Date().toISOString(),
    problem: of.name,
    checkpoint: of.which,
    step: of.step,
    rows: of.scores.rows,
    metrics: Object.fromEntries(ofModel.map(({ metric, value }) => [metric, value])),
  };
  appendFileSync(looksPath(outputDir), `${JSON.stringify(look)}\n`);
  return testLooks(outputDir).filter(({ problem }) => problem === of.name).length;
}

function looksPath(outputDir: string): string {
  return join(outputDir, 'test_looks.jsonl');
}
