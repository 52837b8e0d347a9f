/** `t2t-ts duplicates`: photographs that look alike inside a split and across splits. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  DEFAULT_MAX_DISTANCE,
  duplicateReport,
  type ReportedGroup,
} from '../src/explore/duplicate_report.js';
import { UserError } from '../src/io/errors.js';
import { addOutputOptions, type OutputOptions, readWhole } from './options.js';
import { formatCount, print, printJson } from './terminal.js';

interface DuplicatesOptions extends OutputOptions {
  readonly distance: number;
  readonly limit: number;
}

export function addDuplicatesCommand(program: Command): void {
  const command = program
    .command('duplicates')
    .argument('<data-dir>', 'the data folder')
    .argument('<problem>', 'the Problem’s name')
    .description('report photographs that look alike, inside a split and across splits')
    .option(
      '--distance <bits>',
      'bits of 64 in which two hashes may differ, 0 to 11',
      readWhole('--distance', 0),
      DEFAULT_MAX_DISTANCE,
    )
    .option('--limit <n>', 'groups to print of each kind', readWhole('--limit', 0), 10);
  addOutputOptions(command)
    .addHelpText('after', '\nExample:\n  t2t-ts duplicates data vggface2')
    .action(duplicates);
}

async function duplicates(dataDir: string, problem: string, options: DuplicatesOptions): Promise<void> {
  if (options.distance > 11)
    throw new UserError(`a distance of ${options.distance} bits says nothing any more`, {
      where: '--distance',
      remedy: 'give 0 to 11',
      exitCode: 2,
    });
  const report = await duplicateReport(resolve(dataDir), problem, options.distance);
  if (options.json === true) {
    printJson(report);
    return;
  }
  const counts = Object.entries(report.photographs).map(([split, n]) => `${formatCount(n)} in ${split}`);
  print(`${problem}: photographs ${counts.join(', ')}; alike is ${report.maxDistance} bits of 64 or fewer`);
  printGroups('across splits', report.across, options.limit);
  printGroups('inside a split', report.within, options.limit);
}

function printGroups(title: string, groups: readonly ReportedGroup[], limit: number): void {
  print(`${title}: ${groups.length === 0 ? 'none' : `${groups.length} groups`}`);
  for (const { photographs } of groups.slice(0, limit)) {
    print('  ─');
    for (const { split, name } of photographs) print(`  ${split}  ${name}`);
  }
  if (groups.length > limit && limit > 0) print(`  … and ${groups.length - limit} more (--limit, --json)`);
}
