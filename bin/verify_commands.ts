/** `t2t-ts verify` and `t2t-ts finish`: is the data folder whole, and joining what tasks have made. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { finishData } from '../src/datagen/finish.js';
import { verifyData } from '../src/datagen/verify.js';
import { addImportOption, addOutputOptions, importModules, type OutputOptions } from './options.js';
import { renewCard } from './renew_card.js';
import { formatBytes, formatCount, formatCounts, print, printJson, table, tell } from './terminal.js';

const ERRORS_SHOWN = 20;

export function addVerifyCommands(program: Command): void {
  const verify = program
    .command('verify')
    .argument('<data-dir>', 'the data folder')
    .argument('[problem]', 'only this Problem')
    .description('read every record and compare it with manifest, ledger, index and checksums');
  addOutputOptions(verify).addHelpText('after', '\nExample:\n  t2t-ts verify data fec').action(verifyFolder);
  const finish = program
    .command('finish')
    .argument('<data-dir>', 'the data folder')
    .argument('<problem>', 'the Problem’s name')
    .description('join the shards that several --task runs made into finished splits');
  addOutputOptions(addImportOption(finish))
    .addHelpText('after', '\nExample:\n  t2t-ts finish data fec')
    .action(finishFolder);
}

async function verifyFolder(
  dataDir: string,
  name: string | undefined,
  options: OutputOptions,
): Promise<void> {
  const report = await verifyData(resolve(dataDir), name);
  if (!report.ok) process.exitCode = 1;
  if (options.json === true) {
    printJson(report);
    return;
  }
  for (const { file, record, offset, error } of report.errors.slice(0, ERRORS_SHOWN))
    tell(`${file}${record === null ? '' : `, record ${record} at byte ${offset}`}: ${error}`);
  if (report.errors.length > ERRORS_SHOWN)
    tell(`… and ${report.errors.length - ERRORS_SHOWN} more (--json has all)`);
  print(
    report.ok
      ? `verified: ${formatCount(report.records)} records in ${formatCount(report.files)} shards`
      : `not as it should be: ${report.errors.length} error${report.errors.length === 1 ? '' : 's'} in ` +
          `${formatCount(report.files)} shards; delete the files named and run the same datagen again: they are made anew`,
  );
}

async function finishFolder(
  dataDir: string,
  name: string,
  options: OutputOptions & { readonly import: readonly string[] },
): Promise<void> {
  await importModules(options.import);
  const manifests = finishData(resolve(dataDir), name);
  await renewCard(resolve(dataDir));
  const splits = manifests.map(({ settings, planned, written, rejected, shards, bytes }) => ({
    split: settings.split,
    planned,
    written,
    rejected,
    shards: shards.length,
    bytes,
  }));
  if (options.json === true) {
    printJson({
      problem: name,
      splits: Object.fromEntries(splits.map(({ split, ...rest }) => [split, rest])),
    });
    return;
  }
  const rows = splits.map(({ split, planned, written, shards, bytes, rejected }) => [
    split,
    planned,
    written,
    shards,
    formatBytes(bytes),
    formatCounts(rejected),
  ]);
  print(table([['split', 'planned', 'written', 'shards', 'size', 'rejected'], ...rows]));
}
