/** `t2t-ts import`: TFRecord files that others wrote, as a split that every command knows. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { readFeatureSpec } from '../src/convert/feature_spec.js';
import { type ImportOptions, type ImportSummary, importRecords } from '../src/convert/import_records.js';
import { inferFeatures } from '../src/convert/infer_features.js';
import { recordFiles } from '../src/convert/record_files.js';
import { UserError } from '../src/io/errors.js';
import { featuresToJson } from '../src/io/features.js';
import '../src/problems/all.js';
import type { Split } from '../src/problems/problem.js';
import { stopOnInterrupt } from './interrupt.js';
import { addOutputOptions, dataDirOption, type OutputOptions, readSplits, readWhole } from './options.js';
import { ProgressDisplay } from './progress.js';
import { renewCard } from './renew_card.js';
import {
  formatBytes,
  formatCount,
  formatCounts,
  formatSeconds,
  print,
  printJson,
  table,
  tell,
} from './terminal.js';

interface ImportCommandOptions extends OutputOptions {
  readonly name?: string;
  readonly features?: string;
  readonly infer?: boolean;
  readonly dataDir: string;
  readonly split: readonly Split[];
  readonly shards?: number;
  readonly onMismatch: 'error' | 'reject';
  readonly title?: string;
  readonly homepage?: string;
  readonly citation?: string;
  readonly licence?: string;
  readonly licenceUrl?: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

const ERRORS_SHOWN = 20;

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .argument('<files...>', 'TFRecord files of tf.train.Example, gzip or not, or patterns')
    .description(
      'make a split of TFRecord files that others wrote: shards, indexes and manifest, the records unchanged',
    )
    .option('--name <name>', 'the name by which other commands know it, in snake_case')
    .option(
      '--features <json>',
      'what the records hold: a file as --infer prints it, a manifest, or TFDS’s features.json',
    )
    .option('--infer', 'print the features that the records seem to have, and stop')
    .addOption(dataDirOption())
    .option('--split <split>', 'train, dev or test', readSplits, ['train'] as const)
    .option('--shards <n>', 'shards to write (default: of 128 MiB each)', readWhole('--shards', 1))
    .addOption(
      new Option('--on-mismatch <what>', 'what to do about records that are none of these features')
        .choices(['error', 'reject'])
        .default('error'),
    )
    .option('--title <text>', 'what the records are, for the manifest')
    .option('--homepage <url>', 'where they come from')
    .option('--citation <text>', 'how to cite them')
    .option('--licence <name>', 'under which licence they are')
    .option('--licence-url <url>', 'where that licence stands')
    .option('--dry-run', 'read everything, write nothing')
    .option('--overwrite', 'replace a split of this name that was imported otherwise');
  addOutputOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n' +
        '  t2t-ts import taxi-*.gz --infer > taxi.json\n' +
        '  t2t-ts import taxi-*.gz --name taxi --features taxi.json --data-dir data --split train',
    )
    .action(importFiles);
}

async function importFiles(files: readonly string[], options: ImportCommandOptions): Promise<void> {
  if (options.infer === true) {
    await infer(files, options);
    return;
  }
  const { name, features, split } = options;
  if (name === undefined || features === undefined)
    throw new UserError(`import needs --${name === undefined ? 'name' : 'features'}`, {
      remedy: '--infer prints what the records seem to hold, to be looked through and given as --features',
      exitCode: 2,
    });
  if (split.length !== 1)
    throw new UserError('import makes one split at a time', { remedy: 'give --split one name', exitCode: 2 });
  const progress = new ProgressDisplay();
  const interrupt = stopOnInterrupt();
  try {
    const { shards, onMismatch, overwrite = false, dryRun = false } = options;
    const summary = await importRecords({
      files,
      name,
      features: readFeatureSpec(features),
      dataDir: resolve(options.dataDir),
      split: split[0] as Split,
      onMismatch,
      overwrite,
      dryRun,
      source: sourceOf(options),
      signal: interrupt.signal,
      onEvent: progress.onEvent,
      ...(shards === undefined ? {} : { shards }),
    });
    progress.stop();
    if (summary.ok && !dryRun) await renewCard(resolve(options.dataDir));
    if (!summary.ok) process.exitCode = 1;
    if (options.json === true) printJson(dryRun ? { dryRun, ...summary } : summary);
    else report(summary, dryRun);
  } finally {
    progress.stop();
    interrupt.release();
  }
}

async function infer(files: readonly string[], options: ImportCommandOptions): Promise<void> {
  const { features, records, notes } = await inferFeatures(recordFiles(files));
  for (const note of notes) tell(`note: ${note}`);
  tell(
    `from ${formatCount(records)} records: look it through, give matrices their shapes, and pass it as --features`,
  );
  if (options.json === true) printJson({ features: featuresToJson(features), records, notes });
  else print(JSON.stringify(featuresToJson(features), null, 2));
}

function sourceOf(options: ImportCommandOptions): NonNullable<ImportOptions['source']> {
  const { title, homepage, citation, licence, licenceUrl } = options;
  return Object.fromEntries(
    Object.entries({ title, homepage, citation, licence, licenceUrl }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

function report(summary: ImportSummary, dryRun: boolean): void {
  const { problem, split, files, planned, written, rejected, shards, bytes, errors, notes, seconds } =
    summary;
  for (const note of notes) tell(`note: ${note}`);
  for (const { file, record, offset, error } of errors.slice(0, ERRORS_SHOWN))
    tell(`${file}, record ${record} at byte ${offset}: ${error}`);
  if (errors.length > ERRORS_SHOWN) tell('… and more (--json has up to a thousand)');
  if (!summary.ok)
    tell(
      'nothing was imported: leave out or mend what is named; --on-mismatch reject counts records that do not fit',
    );
  else if (dryRun)
    print(`${formatCount(planned)} records of ${formatCount(files)} files would make ${shards} shards`);
  else {
    print(
      table([
        ['split', 'files', 'planned', 'written', 'rejected', 'shards', 'size', 'reasons'],
        [
          split,
          files,
          planned,
          written,
          planned - written,
          shards,
          formatBytes(bytes),
          formatCounts(rejected),
        ],
      ]),
    );
    print(`${problem}: imported in ${formatSeconds(seconds)}`);
  }
}
