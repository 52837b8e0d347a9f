/** The training loop: from a Problem's shards to checkpoints, resumable to the number, and told to whoever watches. */

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../io/errors.js';
import { lockFile } from '../io/file_lock.js';
import { type BackendName, openBackend } from '../models/backend.js';
import type { Hparams } from '../models/hparams.js';
import type { Model } from '../models/model.js';
import { countWeights } from '../models/network.js';
import { disposeState, type LearnerState, startState } from '../models/train_step.js';
import type { Batch } from '../reading/collate.js';
import type { Reading } from '../reading/pipeline.js';
import { brokenStep } from './broken_step.js';
import { CheckpointFolder } from './checkpoint_folder.js';
import { type DevScore, devScore } from './dev_score.js';
import { createLearner, inputsOf, type Learner, type LearnerBatch } from './learner.js';
import { type LearningRateSchedule, learningRate } from './learning_rate.js';
import {
  checkSameRun,
  findRun,
  manifestDigest,
  type RunConfig,
  type RunSettings,
  runPart,
  writeRun,
} from './run_folder.js';
import { RunRecord } from './run_record.js';
import {
  countClasses,
  openTrainBatches,
  problemOfSplit,
  type ReadPlace,
  type TrainBatches,
  withEvalBatches,
} from './train_data.js';
import type { TrainEvent } from './train_events.js';
import { scheduleOf } from './train_schedule.js';
import { trainStep } from './train_step.js';
import { type BestScore, fromCheckpoint, type TrainingPlace, toCheckpoint } from './training_state.js';

export interface TrainOptions {
  /** Names a Problem that is registered, or whose records were imported. */
  readonly problem: string;
  readonly model: Model;
  /** The name of the set that `hparams` began with. */
  readonly hparamsSet: string;
  readonly hparams: Hparams;
  readonly dataDir: string;
  /** The folder of the run, where it goes on if it was begun. */
  readonly outputDir: string;
  readonly backend?: BackendName;
  readonly threads?: number;
  /** Of the weights, the order of examples, augmentations and dropout. 0 where not said. */
  readonly seed?: number;
  /** Steps from one evaluation and checkpoint to the next. 200 where not said. */
  readonly evalEvery?: number;
  /** Examples of dev that are evaluated; all where not said. */
  readonly evalLimit?: number;
  /** Evaluations without a better one after which training ends; never where not said. */
  readonly patience?: number;
  /** Threads that decode; see `openExamples`. */
  readonly workers?: number;
  readonly imports?: readonly string[];
  /** Ends training after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
}

export interface TrainSummary {
  readonly outputDir: string;
  readonly steps: number;
  /** Whether `patience` ended it before its last step. */
  readonly endedEarly: boolean;
  /** Of the last step; null where there was nothing left to do. */
  readonly loss: number | null;
  readonly best: TrainingPlace['best'];
  readonly backend: BackendName;
  /** Numbers in the network. */
  readonly weights: number;
  readonly seconds: number;
}

export const DEFAULT_EVAL_EVERY = 200;

/** A checkpoint is written at the latest after so long, whatever `evalEvery` says: no more is lost by a kill. */
const CHECKPOINT_AFTER_MS = 300_000;

/**
 * Trains a model, or goes on with the run in `outputDir`. A run that was killed and goes on has the losses of one that was
 * not, number for number, on one backend.
 * @throws UserError where data or model don't suit, the folder is of another run, or the loss is no number; AbortError
 * (a DOMException) where `signal` ended it, after a checkpoint.
 */
export async function train(options: TrainOptions): Promise<TrainSummary> {
  const outputDir = resolve(options.outputDir);
  mkdirSync(outputDir, { recursive: true });
  const unlock = lockFile(join(outputDir, 'config.json'), 'training in this folder');
  try {
    return await trainIn(outputDir, options);
  } finally {
    unlock();
  }
}

async function trainIn(outputDir: string, options: TrainOptions): Promise<TrainSummary> {
  const startedMs = performance.now();
  const { backend: prefer, threads } = options;
  const backend = await openBackend({ ...(prefer && { prefer }), ...(threads && { threads }) });
  options.onEvent?.({ type: 'note', text: backend.reason });
  const begun = await openRun(outputDir, options, backend);
  const { hparams } = begun.learner;
  const run = new TrainingRun(outputDir, begun, options);
  try {
    await run.finish();
    return {
      outputDir,
      steps: run.step,
      endedEarly: run.step < hparams.train_steps,
      loss: run.loss,
      best: run.place.best,
      backend: backend.name,
      weights: begun.config.weights,
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    run.close();
  }
}

/** A run as it was found or begun. */
interface Begun {
  readonly config: RunConfig;
  readonly learner: Learner;
  readonly checkpoints: CheckpointFolder;
  readonly state: LearnerState;
  readonly place: TrainingPlace;
}

async function openRun(
  outputDir: string,
  options: TrainOptions,
  backend: { readonly name: BackendName; readonly reason: string },
): Promise<Begun> {
  const { model, hparams, onEvent, seed = 0 } = options;
  const dataDir = resolve(options.dataDir);
  const problem = problemOfSplit(dataDir, options.problem, 'train');
  const inputs = inputsOf({ problem, model, hparams });
  const data = {
    train: manifestDigest(dataDir, problem.name, 'train') as string,
    dev: manifestDigest(dataDir, problem.name, 'dev'),
  };
  const settings: RunSettings = {
    problem: { name: problem.name, version: problem.version, options: problem.options },
    model: model.name,
    hparamsSet: options.hparamsSet,
    hparams,
    seed,
    backend: backend.name,
    evalEvery: options.evalEvery ?? DEFAULT_EVAL_EVERY,
    evalLimit: options.evalLimit ?? null,
    patience: options.patience ?? null,
    data,
  };
  const there = findRun(outputDir);
  if (there !== undefined) checkSameRun(outputDir, there.settings, settings);
  const needsClasses = hparams.loss === 'cross_entropy';
  const classes =
    there?.classes ??
    (needsClasses ? await countClasses(problem, inputs.target, { dataDir, split: 'train' }) : []);
  const learner = createLearner({ problem, model, hparams, classes });
  const checkpoints = new CheckpointFolder(join(outputDir, 'checkpoints'));
  const found = there === undefined ? undefined : checkpoints.last();
  for (const { message } of found?.passedOver ?? [])
    onEvent?.({ type: 'note', text: `passed over: ${message}` });
  const step = found?.checkpoint.step ?? 0;
  const config: RunConfig = {
    format: 't2t-ts run 1',
    settings,
    classes,
    weights: countWeights(learner.network),
    paper: model.paper,
    dataDir,
    parts: [...(there?.parts ?? []), runPart(step, backend.reason)],
  };
  writeRun(outputDir, config);
  if (found === undefined)
    return { config, learner, checkpoints, state: startState(learner.specs, seed), place: START };
  onEvent?.({ type: 'note', text: `going on after step ${step}` });
  const { learner: state, place } = fromCheckpoint(found.checkpoint, learner.specs);
  return { config, learner, checkpoints, state, place };
}

const START: TrainingPlace = { reader: null, best: null, sinceBest: 0 };

class TrainingRun {
  place: TrainingPlace;
  /** Of the last step; null before the first. */
  loss: number | null = null;
  readonly #outputDir: string;
  readonly #begun: Begun;
  readonly #options: TrainOptions;
  readonly #record: RunRecord;
  readonly #schedule: LearningRateSchedule;
  readonly #firstStep: number;
  #state: LearnerState;
  #savedStep: number;
  #savedMs = performance.now();
  /** The steps' own, without evaluations and checkpoints. */
  #trainedMs = 0;

  constructor(outputDir: string, begun: Begun, options: TrainOptions) {
    this.#outputDir = outputDir;
    this.#begun = begun;
    this.#options = options;
    this.place = begun.place;
    this.#state = begun.state;
    this.#firstStep = begun.state.adam.step;
    this.#savedStep = this.#firstStep;
    this.#schedule = scheduleOf(begun.learner.hparams);
    this.#record = new RunRecord(outputDir, begun.config, this.#firstStep);
  }

  get step(): number {
    return this.#state.adam.step;
  }

  close(): void {
    this.#record.close();
    disposeState(this.#state);
  }

  /** Trains to the last step, or until dev got no better for long. */
  async finish(): Promise<void> {
    const { hparams } = this.#begun.learner;
    if (this.#isOver) return this.#record.succeed();
    const train = await openTrainBatches(
      this.#begun.learner,
      this.#readPlace,
      this.#begun.config.settings.seed,
    );
    const { reader } = this.place;
    const reading = (reader === null ? train.batches : train.batches.resume(reader))[Symbol.asyncIterator]();
    try {
      while (!this.#isOver) {
        await this.#takeStep(reading, train);
        const isDue = this.step % this.#begun.config.settings.evalEvery === 0;
        if (isDue || this.step === hparams.train_steps) await this.#evaluate();
        else if (this.#options.signal?.aborted || performance.now() - this.#savedMs > CHECKPOINT_AFTER_MS)
          this.#save('last');
        this.#options.signal?.throwIfAborted();
      }
    } finally {
      await reading.return();
      await train.examples.close();
    }
    this.#record.succeed();
  }

  get #readPlace(): ReadPlace {
    const { workers, imports } = this.#options;
    return { dataDir: this.#begun.config.dataDir, workers, imports };
  }

  get #isOver(): boolean {
    const { patience } = this.#begun.config.settings;
    const isTired = patience !== null && this.place.sinceBest >= patience;
    return this.step >= this.#begun.learner.hparams.train_steps || isTired;
  }

  async #takeStep(reading: Reading<Batch>, train: TrainBatches): Promise<void> {
    const startedMs = performance.now();
    const { learner, config } = this.#begun;
    const { hparams } = learner;
    const before = this.place.reader;
    const step = this.step + 1;
    const name = `${config.settings.seed}/${step}`;
    const seen: Batch[] = [];
    const batches = async function* (): AsyncGenerator<LearnerBatch> {
      for (let part = 0; part < hparams.accumulate_steps; part++) {
        const { value, done } = await reading.next();
        if (done === true)
          throw new UserError('the train split has no examples', {
            where: config.dataDir,
            remedy: 'make it with `t2t-ts datagen`, and see why they were rejected',
          });
        seen.push(value);
        yield train.prepare(value, `${name}/${part}`);
      }
    };
    const rate = learningRate(this.#schedule, step - 1);
    const { loss, norm, next } = await trainStep(learner, this.#state, batches(), {
      name,
      learningRate: rate,
    });
    if (next === undefined) {
      const inputs = seen.map((batch, part) => train.prepare(batch, `${name}/${part}`));
      throw brokenStep(this.#outputDir, { step, loss, norm, reader: before, batches: seen, inputs, learner });
    }
    this.#state = next;
    this.loss = loss;
    this.place = { ...this.place, reader: reading.state() };
    this.#record.step({ step, loss, learning_rate: rate, gradient_norm: norm });
    this.#trainedMs += performance.now() - startedMs;
    const done = step - this.#firstStep;
    this.#options.onEvent?.({
      type: 'step',
      step,
      steps: hparams.train_steps,
      loss,
      examplesPerSecond: (1000 * done * hparams.batch_size * hparams.accumulate_steps) / this.#trainedMs,
      secondsLeft:
        ((hparams.train_steps - step) * (performance.now() - this.#record.startedMs)) / done / 1000,
    });
  }

  /** Scores dev and saves; without dev the last step is the best. */
  async #evaluate(): Promise<void> {
    const { learner, config } = this.#begun;
    const { data, evalLimit } = config.settings;
    const dev =
      data.dev === null
        ? undefined
        : await withEvalBatches(
            learner.problem,
            this.#readPlace,
            {
              split: 'dev',
              features: learner.features,
              batchSize: learner.hparams.batch_size,
              limit: evalLimit ?? undefined,
            },
            (batches) => devScore(learner, this.#state.weights, batches),
          );
    const { best } = this.place;
    const isBest = dev === undefined || best === null || isBetter(dev, best);
    if (dev !== undefined) {
      const { score, loss } = dev;
      this.place = isBest
        ? { ...this.place, best: { step: this.step, score, loss }, sinceBest: 0 }
        : { ...this.place, sinceBest: this.place.sinceBest + 1 };
      this.#record.dev(this.step, dev);
    }
    this.#save(isBest ? 'best' : 'last');
    if (dev !== undefined)
      this.#options.onEvent?.({
        type: 'evaluation',
        step: this.step,
        dev,
        isBest,
        tensors: tf.memory().numTensors,
      });
  }

  #save(as: 'last' | 'best'): void {
    if (this.#savedStep === this.step && as === 'last') return;
    this.#record.flush();
    this.#begun.checkpoints.save(toCheckpoint(this.#state, this.place), as);
    this.#savedStep = this.step;
    this.#savedMs = performance.now();
  }
}

/** Of equal scores, which a small dev split gives often, the lower loss is better. */
function isBetter(dev: DevScore, best: BestScore): boolean {
  if (dev.score !== best.score) return dev.score > best.score;
  return dev.loss !== null && best.loss !== null && dev.loss < best.loss;
}
