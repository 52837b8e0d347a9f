/** `t2t-ts convert`: finished splits in the formats of other frameworks. */

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type ConvertSummary, convertData } from '../src/convert/convert.js';
import { CONVERSION_FORMATS, readFormat } from '../src/convert/formats.js';
import type { Split } from '../src/problems/problem.js';
import { stopOnInterrupt } from './interrupt.js';
import { addOutputOptions, type OutputOptions, readSplits, readWhole } from './options.js';
import { ProgressDisplay } from './progress.js';
import { formatBytes, formatSeconds, print, printJson, table } from './terminal.js';

interface ConvertCommandOptions extends OutputOptions {
  readonly to: string;
  readonly out: string;
  readonly split?: readonly Split[];
  readonly shards?: number;
  readonly workers?: number;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

export function addConvertCommand(program: Command): void {
  const command = program
    .command('convert')
    .argument('<data-dir>', 'the data folder')
    .argument('<problem>', 'the Problem’s name')
    .description('write finished splits as WebDataset tars or Parquet files, every feature as it is')
    .requiredOption('--to <format>', `${CONVERSION_FORMATS.join(' or ')}`)
    .requiredOption('--out <dir>', 'where the files go; a folder for each format is best', readFolder)
    .option(
      '--split <splits>',
      'train, dev, test, or several with commas (default: all that are there)',
      readSplits,
    )
    .option('--shards <n>', 'files a split (default: as many as it has shards)', readWhole('--shards', 1))
    .option('--workers <n>', 'worker threads (default: one a core)', readWhole('--workers', 1))
    .option('--dry-run', 'say what would be written')
    .option('--overwrite', 'replace what the folder holds of these splits');
  addOutputOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  t2t-ts convert data fec --to webdataset --out wds\n  t2t-ts convert data fec --to parquet --out parquet --split train,test',
    )
    .action(convert);
}

async function convert(dataDir: string, problem: string, options: ConvertCommandOptions): Promise<void> {
  const to = readFormat(options.to);
  const progress = new ProgressDisplay();
  const interrupt = stopOnInterrupt();
  try {
    const { split, shards, workers, overwrite = false, dryRun = false } = options;
    const summary = await convertData({
      dataDir: resolve(dataDir),
      problem,
      to,
      outDir: resolve(options.out),
      overwrite,
      dryRun,
      signal: interrupt.signal,
      onEvent: progress.onEvent,
      ...(split === undefined ? {} : { splits: split }),
      ...(shards === undefined ? {} : { shards }),
      ...(workers === undefined ? {} : { workers }),
    });
    progress.stop();
    if (options.json === true) printJson(dryRun ? { dryRun, ...summary } : summary);
    else report(summary, dryRun);
  } finally {
    progress.stop();
    interrupt.release();
  }
}

function report({ splits, to, outDir, seconds }: ConvertSummary, dryRun: boolean): void {
  const rows = Object.entries(splits).map(([split, { records, files, made, bytes, sourceBytes }]) => [
    split,
    records,
    files,
    made,
    formatBytes(sourceBytes),
    ...(dryRun ? [] : [formatBytes(bytes)]),
  ]);
  print(
    table([
      [
        'split',
        'records',
        'files',
        dryRun ? 'to make' : 'made now',
        'as TFRecord',
        ...(dryRun ? [] : [`as ${to}`]),
      ],
      ...rows,
    ]),
  );
  if (!dryRun) print(`${outDir}: done in ${formatSeconds(seconds)}`);
}

function readFolder(text: string): string {
  if (text === '') throw new InvalidArgumentError('Give a folder.');
  return text;
}
