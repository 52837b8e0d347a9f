/** `t2t-ts datagen`: from a Problem's name to finished shards. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type GenerateSummary, generateData } from '../src/datagen/generate.js';
import { readTask } from '../src/datagen/task.js';
import type { OptionValue, Split } from '../src/problems/problem.js';
import { withOptions } from '../src/problems/problem.js';
import '../src/problems/all.js';
import { problem } from '../src/problems/registry.js';
import { stopOnInterrupt } from './interrupt.js';
import { addOutputOptions, dataDirOption, importModules, readSplits, readWhole } from './options.js';
import { ProgressDisplay } from './progress.js';
import { addRawOptions, type RawOptions, rawDataOptions } from './raw_options.js';
import { renewCard } from './renew_card.js';
import { formatBytes, formatCounts, formatSeconds, print, printJson, table } from './terminal.js';

interface DatagenOptions extends RawOptions {
  readonly dataDir: string;
  readonly split?: Split[];
  readonly limit?: number;
  readonly shards?: number;
  readonly workers?: number;
  readonly seed?: number;
  readonly task?: string;
  readonly dryRun?: boolean;
  readonly overwrite?: boolean;
  readonly option: Readonly<Record<string, OptionValue>>;
  readonly align?: string | true;
  readonly examples?: number;
  readonly subjects?: string;
}

/** The looser template, which keeps the whole face. */
const DEFAULT_TEMPLATE = 'expression128';
const TEMPLATE_WORDS = 'expression128 or arcface112';

export function addDatagenCommand(program: Command): void {
  const command = program
    .command('datagen')
    .argument('<problem>', 'the Problem’s name (`t2t-ts list`)')
    .description('make the training examples of a Problem: obtain, crop, shuffle, write checked shards')
    .addOption(dataDirOption())
    .option('--split <splits>', 'train, dev, test, or several with commas', readSplits)
    .option('--limit <n>', 'only the first n examples of each split’s shuffle', readWhole('--limit', 1))
    .option('--shards <n>', 'shards a split', readWhole('--shards', 1))
    .option('--workers <n>', 'worker threads (default: one a core)', readWhole('--workers', 1))
    .option('--seed <n>', 'seed of the shuffle and of the dev split (default: 0)', readWhole('--seed', 0))
    .option('--task <i/n>', 'make the i-th of n parts, from 0; auto/n reads the scheduler’s number')
    .option(
      '--option <name=value>',
      'change an option of the Problem (repeatable; `t2t-ts info`)',
      readOption,
      {},
    )
    .option('--align [template]', `align faces to a template (${TEMPLATE_WORDS}); short for --option align=…`)
    .option(
      '--examples <n>',
      'triplets to draw, of Problems that draw them; short for --option examples=…',
      readWhole('--examples', 0),
    )
    .option(
      '--subjects <list>',
      'only these people’s recordings: names, numbers or ranges, e.g. 1-20,35; short for --option subjects=…',
    )
    .option('--dry-run', 'say what would be done and stop before the first picture')
    .option('--overwrite', 'replace a split that was made with other settings');
  addOutputOptions(addRawOptions(command))
    .addHelpText(
      'after',
      '\nExample:\n  t2t-ts datagen fec --data-dir data --tmp-dir tmp --accept-licence --limit 1000',
    )
    .action(datagen);
}

async function datagen(name: string, options: DatagenOptions): Promise<void> {
  const imports = await importModules(options.import);
  const { align, examples, subjects } = options;
  const chosen = withOptions(problem(name), {
    ...options.option,
    ...(align === undefined ? {} : { align: align === true ? DEFAULT_TEMPLATE : align }),
    ...(examples === undefined ? {} : { examples }),
    ...(subjects === undefined ? {} : { subjects }),
  });
  const progress = new ProgressDisplay();
  const interrupt = stopOnInterrupt();
  try {
    const { split, limit, shards, workers, seed, task, retry } = options;
    const summary = await generateData(chosen, {
      ...rawDataOptions(options),
      dataDir: resolve(options.dataDir),
      imports,
      signal: interrupt.signal,
      onEvent: progress.onEvent,
      dryRun: options.dryRun ?? false,
      overwrite: options.overwrite ?? false,
      ...(split === undefined ? {} : { splits: split }),
      ...(limit === undefined ? {} : { limit }),
      ...(shards === undefined ? {} : { shards }),
      ...(workers === undefined ? {} : { workers }),
      ...(seed === undefined ? {} : { seed }),
      ...(retry === undefined ? {} : { retry }),
      ...(task === undefined ? {} : { task: readTask(task, process.env) }),
    });
    progress.stop();
    // A task has a part of the shards: `finish` joins them and writes the card.
    if (options.dryRun !== true && task === undefined) await renewCard(resolve(options.dataDir));
    if (options.json === true) printJson(options.dryRun === true ? { dryRun: true, ...summary } : summary);
    else if (options.dryRun !== true) report(summary);
  } finally {
    progress.stop();
    interrupt.release();
  }
}

function report(summary: GenerateSummary): void {
  const rows = Object.entries(summary.splits).map(
    ([split, { planned, written, shards, bytes, rejected }]) => [
      split,
      planned,
      written,
      planned - written,
      shards,
      formatBytes(bytes),
      formatCounts(rejected),
    ],
  );
  print(table([['split', 'planned', 'written', 'rejected', 'shards', 'size', 'reasons'], ...rows]));
  print(`${summary.problem}: done in ${formatSeconds(summary.seconds)}`);
}

function readOption(text: string, all: Readonly<Record<string, OptionValue>>): Record<string, OptionValue> {
  const at = text.indexOf('=');
  return at < 0 ? { ...all, [text]: '' } : { ...all, [text.slice(0, at)]: text.slice(at + 1) };
}
