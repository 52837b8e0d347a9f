/** `t2t-ts eval`: scores a run on dev, on test (each look is written down), or on another Problem. */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../src/io/errors.js';
import '../src/models/all.js';
import { BACKENDS, type BackendName } from '../src/models/backend.js';
import '../src/problems/all.js';
import { evalPage } from '../src/explore/eval_page.js';
import type { Split } from '../src/problems/problem.js';
import { type EvalReport, evaluateRun } from '../src/train/evaluate_run.js';
import { readRun } from '../src/train/run_folder.js';
import type { ScoredMetric } from '../src/train/scores.js';
import {
  addImportOption,
  addOutputOptions,
  dataDirOption,
  importModules,
  type OutputOptions,
  readSplits,
  readWhole,
} from './options.js';
import { formatCount, formatSeconds, print, printJson, table, tell } from './terminal.js';

interface EvalCommandOptions extends OutputOptions {
  readonly problem?: string;
  readonly dataDir: string;
  readonly outputDir: string;
  readonly split?: Split;
  readonly checkpoint: 'best' | 'last';
  readonly transfer?: string;
  readonly backend?: BackendName;
  readonly limit?: number;
  readonly workers?: number;
  readonly html?: string;
  readonly import: readonly string[];
}

export function addEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .description('score a run, with intervals, beside chance and what needs no training')
    .option('--problem <name>', 'the Problem that it was trained on (the run knows it)')
    .addOption(dataDirOption())
    .requiredOption('--output-dir <dir>', 'the folder of the run')
    .option('--split <split>', 'dev or test (default: dev, or test where there is no dev)', readSplit)
    .addOption(
      new Option('--checkpoint <which>', 'the best on dev, or the last')
        .choices(['best', 'last'])
        .default('best'),
    )
    .option('--transfer <problem>', 'another Problem, acquired differently, to score it on')
    .addOption(
      new Option('--backend <name>', 'what computes (default: the fastest there is)').choices(BACKENDS),
    )
    .option('--limit <n>', 'so many examples (default: all)', readWhole('--limit', 1))
    .option('--workers <n>', 'threads that decode (default: one a core)', readWhole('--workers', 0))
    .option('--html <out>', 'write a page with plots');
  addOutputOptions(addImportOption(command))
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  t2t-ts eval --problem fec_tiny --data-dir data --output-dir runs/fec_tiny\n' +
        '  t2t-ts eval --problem vggface2 --data-dir data --output-dir runs/vggface2 --transfer lfw --split test',
    )
    .action(runEval);
}

async function runEval(options: EvalCommandOptions): Promise<void> {
  const imports = await importModules(options.import);
  const { name } = readRun(resolve(options.outputDir)).settings.problem;
  if (options.problem !== undefined && options.problem !== name)
    throw new UserError(`the run was trained on ${name}, not on ${options.problem}`, {
      where: options.outputDir,
      remedy: `give --transfer ${options.problem} to score it there`,
      exitCode: 2,
    });
  let toldMs = performance.now();
  const report = await evaluateRun({
    dataDir: options.dataDir,
    outputDir: options.outputDir,
    checkpoint: options.checkpoint,
    ...(options.split && { split: options.split }),
    ...(options.transfer && { transfer: options.transfer }),
    ...(options.backend && { backend: options.backend }),
    ...(options.limit && { limit: options.limit }),
    ...(options.workers !== undefined && { workers: options.workers }),
    imports,
    onRows(rows) {
      if (performance.now() - toldMs < LINE_EVERY_MS) return;
      toldMs = performance.now();
      tell(`${formatCount(rows)} examples`);
    },
  });
  if (options.html !== undefined) {
    writeFileSync(options.html, evalPage(report));
    tell(`wrote ${options.html} (${pathToFileURL(resolve(options.html)).href})`);
  }
  if (options.json === true) printJson(report);
  else printReport(report);
}

const LINE_EVERY_MS = 10_000;

function printReport({
  problem,
  split,
  trainedOn,
  model,
  checkpoint,
  step,
  looks,
  scores,
  seconds,
}: EvalReport): void {
  const { rows, groups } = scores;
  const transfer = problem === trainedOn ? '' : `, trained on ${trainedOn}`;
  print(
    `${problem} ${split}: ${formatCount(rows)} examples, ${formatCount(groups.count)} ${groups.word}; ` +
      `${model}, the ${checkpoint} checkpoint, of step ${formatCount(step)}${transfer} (${formatSeconds(seconds)})`,
  );
  const head = ['metric', 'of', 'value', `95 % over ${groups.word}`, 'chance'];
  print(table([head, ...scores.metrics.map(metricRow)]));
  for (const { type, rows, metrics } of scores.byType) {
    print();
    print(`${type === '' ? 'without a type' : type}: ${formatCount(rows)} examples`);
    print(table([head, ...metrics.map(metricRow)]));
  }
  if (scores.ceiling !== undefined)
    print(
      `\npeople: one annotator agrees with the others in ${shown(scores.ceiling.agreementWithOthers)}; ` +
        `the most frequent vote has ${shown(scores.ceiling.majorityVoteShare)} of the votes`,
    );
  if (scores.confusion !== undefined) {
    const { classes, counts } = scores.confusion;
    print();
    print(table([['is \\ said', ...classes], ...counts.map((row, one) => [classes[one]!, ...row])]));
  }
  for (const caution of scores.cautions) print(`\ncaution: ${caution}`);
  if (looks !== null)
    print(
      `\nlook ${looks} of this run at ${problem}'s test split (test_looks.jsonl): the more there are, the less it says of unseen data`,
    );
}

function metricRow({ metric, of, value, low, high, chance }: ScoredMetric): string[] {
  const interval = low === null || high === null ? '–' : `${shown(low)} … ${shown(high)}`;
  return [metric, of, shown(value), interval, shown(chance)];
}

function shown(value: number | null): string {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(3);
}

function readSplit(text: string): Split {
  const [split, another] = readSplits(text);
  if (another !== undefined) throw new InvalidArgumentError('One split at a time is scored.');
  return split!;
}
