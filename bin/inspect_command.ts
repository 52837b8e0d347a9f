/** `t2t-ts inspect`: what is in a shard, as a table, as JSON, or as a contact sheet to look at. */

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { manifestPath } from '../src/datagen/data_files.js';
import { contactSheet } from '../src/explore/contact_sheet.js';
import {
  describeValue,
  type InspectedExample,
  inspectFile,
  inspectSplit,
  jsonValue,
} from '../src/explore/inspect.js';
import { splitSheet } from '../src/explore/split_sheet.js';
import { UserError } from '../src/io/errors.js';
import '../src/problems/all.js';
import { SPLITS, type Split } from '../src/problems/problem.js';
import {
  addImportOption,
  addOutputOptions,
  importModules,
  type OutputOptions,
  readSplits,
  readWhole,
} from './options.js';
import { formatCount, formatCounts, print, printJson, table, tell } from './terminal.js';

interface InspectOptions extends OutputOptions {
  readonly html?: string;
  readonly limit: number;
  readonly split?: readonly Split[];
  readonly import: readonly string[];
}

const DEFAULT_LIMIT = 10;

export function addInspectCommand(program: Command): void {
  const command = program
    .command('inspect')
    .argument('<data-dir>', 'the data folder, or a TFRecord file')
    .argument('[problem-or-file]', 'the Problem’s name, or the name of a file in the folder')
    .description('show the first examples of a split or file, and what was rejected and why')
    .option('--html <out>', 'write a contact sheet of examples and rejections')
    .option('--limit <n>', 'so many examples', readWhole('--limit', 1), DEFAULT_LIMIT)
    .option('--split <split>', 'train, dev or test (default: the first that is there)', readSplits);
  addOutputOptions(addImportOption(command))
    .addHelpText('after', '\nExample:\n  t2t-ts inspect data fec --html fec.html --limit 48')
    .action(inspect);
}

async function inspect(dataDir: string, name: string | undefined, options: InspectOptions): Promise<void> {
  await importModules(options.import);
  const path = [
    name === undefined ? resolve(dataDir) : resolve(dataDir, name),
    resolve(name ?? dataDir),
  ].find(isFile);
  if (path !== undefined) {
    if (options.html !== undefined)
      throw new UserError('--html shows a split, not a file', {
        remedy: 'give data folder and Problem',
        exitCode: 2,
      });
    showExamples(await inspectFile(path, options.limit), options, {});
    return;
  }
  if (name === undefined)
    throw new UserError('inspect needs a Problem’s name or a file', {
      where: dataDir,
      remedy: 't2t-ts inspect DATA_DIR PROBLEM',
      exitCode: 2,
    });
  if ((options.split?.length ?? 1) > 1)
    throw new UserError('inspect shows one split at a time', {
      remedy: 'give --split one name',
      exitCode: 2,
    });
  const split =
    options.split?.[0] ?? SPLITS.find((each) => existsSync(manifestPath(resolve(dataDir), name, each)));
  const inspected = await inspectSplit(resolve(dataDir), name, split ?? 'train', options.limit);
  const { settings, planned, written, rejected } = inspected.manifest;
  if (options.html !== undefined) {
    writeFileSync(options.html, contactSheet(splitSheet(resolve(dataDir), inspected)));
    tell(`wrote ${options.html} (${pathToFileURL(options.html).href})`);
  }
  if (options.json === true || options.html === undefined)
    showExamples(inspected.examples, options, {
      problem: name,
      split: settings.split,
      planned,
      written,
      rejected,
    });
  if (options.json !== true)
    print(
      `${name} ${settings.split}: ${formatCount(planned)} planned, ${formatCount(written)} written` +
        `${Object.keys(rejected).length === 0 ? '' : `, rejected: ${formatCounts(rejected)}`}`,
    );
}

function showExamples(examples: readonly InspectedExample[], options: InspectOptions, more: object): void {
  if (options.json === true) {
    const rows = examples.map(({ shard, index, values }) => ({
      shard,
      record: index,
      features: Object.fromEntries([...values].map(([feature, value]) => [feature, jsonValue(value)])),
    }));
    printJson({ ...more, examples: rows });
    return;
  }
  for (const { shard, index, values } of examples) {
    print(`${shard}, record ${index}`);
    print(
      table([
        ['  feature', 'value'],
        ...[...values].map(([feature, value]) => [`  ${feature}`, describeValue(value)]),
      ]),
    );
    print();
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
