/** `t2t-ts train`: trains a model on a Problem's shards, or goes on with a run. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../src/io/errors.js';
import '../src/models/all.js';
import { BACKENDS, type BackendName } from '../src/models/backend.js';
import { parseHparams } from '../src/models/hparams.js';
import { type HparamsSet, hparamsSet, hparamsSetFor, hparamsSetNames } from '../src/models/hparams_sets.js';
import { model } from '../src/models/registry.js';
import '../src/problems/all.js';
import type { TrainEvent } from '../src/train/train_events.js';
import { DEFAULT_EVAL_EVERY, type TrainSummary, train } from '../src/train/train_loop.js';
import { stopOnInterrupt } from './interrupt.js';
import {
  addImportOption,
  addOutputOptions,
  dataDirOption,
  importModules,
  type OutputOptions,
  readWhole,
} from './options.js';
import { formatCount, formatSeconds, print, printJson, table, tell } from './terminal.js';

interface TrainCommandOptions extends OutputOptions {
  readonly problem: string;
  readonly model?: string;
  readonly hparamsSet?: string;
  readonly hparams?: string;
  readonly dataDir: string;
  readonly outputDir: string;
  readonly backend?: BackendName;
  readonly steps?: number;
  readonly seed: number;
  readonly evalEvery: number;
  readonly evalLimit?: number;
  readonly patience?: number;
  readonly workers?: number;
  readonly import: readonly string[];
}

export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .description('train a model on a Problem’s train split, or go on with a run; dev is scored on the way')
    .requiredOption('--problem <name>', 'the Problem, of which datagen has made train (and dev)')
    .option('--model <name>', 'the model (default: that of the set)')
    .option('--hparams-set <name>', 'the set of hyper-parameters (default: the Problem’s own)')
    .option('--hparams <changes>', 'name=value,name=value: changes to the set')
    .addOption(dataDirOption())
    .requiredOption('--output-dir <dir>', 'the folder of the run')
    .addOption(
      new Option('--backend <name>', 'what computes (default: the fastest there is)').choices(BACKENDS),
    )
    .option('--steps <n>', 'so many steps: train_steps of the set', readWhole('--steps', 1))
    .option('--seed <n>', 'of weights, order, augmentations and dropout', readWhole('--seed', 0), 0)
    .option(
      '--eval-every <n>',
      'steps from one evaluation and checkpoint to the next',
      readWhole('--eval-every', 1),
      DEFAULT_EVAL_EVERY,
    )
    .option('--eval-limit <n>', 'so many examples of dev (default: all)', readWhole('--eval-limit', 1))
    .option('--patience <n>', 'end after so many evaluations without a better', readWhole('--patience', 1))
    .option('--workers <n>', 'threads that decode (default: one a core)', readWhole('--workers', 0));
  addOutputOptions(addImportOption(command))
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  t2t-ts train --problem fec_tiny --data-dir data --output-dir runs/fec_tiny\n' +
        '  t2t-ts train --problem eeg_tiny --model eegnet --hparams-set eegnet_tiny --hparams learning_rate=1e-3 \\\n' +
        '    --data-dir data --output-dir runs/eeg --steps 200',
    )
    .action(runTrain);
}

async function runTrain(options: TrainCommandOptions): Promise<void> {
  const imports = await importModules(options.import);
  const set = chosenSet(options);
  const changes = [options.hparams, options.steps && `train_steps=${options.steps}`]
    .filter(Boolean)
    .join(',');
  const progress = new TrainProgress();
  const interrupt = stopOnInterrupt();
  let summary: TrainSummary;
  try {
    summary = await train({
      problem: options.problem,
      model: model(options.model ?? set.model),
      hparamsSet: set.name,
      hparams: parseHparams(set.hparams, changes),
      dataDir: resolve(options.dataDir),
      outputDir: options.outputDir,
      seed: options.seed,
      evalEvery: options.evalEvery,
      ...(options.backend && { backend: options.backend }),
      ...(options.evalLimit && { evalLimit: options.evalLimit }),
      ...(options.patience && { patience: options.patience }),
      ...(options.workers !== undefined && { workers: options.workers }),
      imports,
      signal: interrupt.signal,
      onEvent: progress.onEvent,
    });
  } finally {
    interrupt.release();
  }
  if (options.json === true) printJson({ problem: options.problem, ...summary });
  else printSummary(summary);
}

/** The set that is named, or made for the Problem, or the model's `_base`. @throws UserError where none is meant. */
function chosenSet({ problem, model: name, hparamsSet: named }: TrainCommandOptions): HparamsSet {
  if (named !== undefined) {
    const set = hparamsSet(named);
    if (name === undefined || name === set.model) return set;
    throw new UserError(`the set ${named} is for ${set.model}, not for ${name}`, {
      remedy: `choose one of ${hparamsSetNames(name).join(', ')}`,
      exitCode: 2,
    });
  }
  const made = hparamsSetFor(problem, name);
  if (made !== undefined) return made;
  if (name !== undefined) return hparamsSet(`${model(name).name}_base`);
  throw new UserError(`no set of hyper-parameters was made for ${problem}`, {
    remedy: 'give --model and --hparams-set',
    exitCode: 2,
  });
}

function printSummary({ steps, best, loss, endedEarly, weights, seconds, outputDir }: TrainSummary): void {
  print(
    table([
      ['steps', 'loss', 'best dev score', 'at step', 'weights', 'time'],
      [
        steps,
        loss?.toFixed(4) ?? '–',
        best?.score.toFixed(4) ?? '–',
        best?.step ?? '–',
        weights,
        formatSeconds(seconds),
      ],
    ]),
  );
  if (endedEarly) print('ended early: dev got no better');
  print(`${outputDir}: the best checkpoint is checkpoints/best.safetensors`);
}

const LINE_EVERY_MS = 10_000;

/** A line every ten seconds, and one for each evaluation, on standard error. */
class TrainProgress {
  private lastMs = performance.now();

  readonly onEvent = (event: TrainEvent): void => {
    if (event.type === 'note') tell(`note: ${event.text}`);
    else if (event.type === 'evaluation') {
      const { metric, score, loss, examples } = event.dev;
      tell(
        `step ${formatCount(event.step)}: dev ${metric} ${score.toFixed(4)}` +
          `${loss === null ? '' : `, loss ${loss.toFixed(4)}`} on ${formatCount(examples)} examples` +
          `${event.isBest ? ' (the best so far)' : ''}`,
      );
    } else if (performance.now() - this.lastMs >= LINE_EVERY_MS) {
      this.lastMs = performance.now();
      const { step, steps, loss, examplesPerSecond, secondsLeft } = event;
      tell(
        `step ${formatCount(step)} of ${formatCount(steps)}: loss ${loss.toFixed(4)}, ` +
          `${examplesPerSecond.toFixed(examplesPerSecond < 10 ? 1 : 0)} examples/s, about ${formatSeconds(secondsLeft)} left`,
      );
    }
  };
}
