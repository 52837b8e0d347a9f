/** `t2t-ts stats`: what the splits of a Problem hold, counted in one pass: as a summary, as JSON, or as a page of plots. */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { type DataStats, dataStats, type SplitStats } from '../src/explore/data_stats.js';
import { checksOf } from '../src/explore/stats_checks.js';
import { statsPage } from '../src/explore/stats_page.js';
import type { Split } from '../src/problems/problem.js';
import '../src/problems/all.js';
import {
  addImportOption,
  addOutputOptions,
  importModules,
  type OutputOptions,
  readSplits,
  readWhole,
} from './options.js';
import { ProgressDisplay } from './progress.js';
import { formatBytes, formatCount, print, printJson, table, tell } from './terminal.js';

interface StatsCommandOptions extends OutputOptions {
  readonly import: readonly string[];
  readonly html?: string;
  readonly limit?: number;
  readonly workers?: number;
  readonly split?: readonly Split[];
  readonly near?: boolean;
}

export function addStatsCommand(program: Command): void {
  const command = program
    .command('stats')
    .argument('<data-dir>', 'the data folder')
    .argument('<problem>', 'the Problem’s name')
    .description('count what finished splits hold: means, deviations, classes, sizes, repeats, faults')
    .option('--html <out>', 'write a page of plots')
    .option('--split <splits>', 'train, dev, test or several between commas (default: all)', readSplits)
    .option('--limit <n>', 'only so many records of each split', readWhole('--limit', 1))
    .option('--workers <n>', 'threads (default: one a core)', readWhole('--workers', 1))
    .option('--near', 'look for photographs that look alike, too');
  addOutputOptions(addImportOption(command))
    .addHelpText('after', '\nExample:\n  t2t-ts stats data fec --html fec-stats.html')
    .action(stats);
}

async function stats(dataDir: string, problem: string, options: StatsCommandOptions): Promise<void> {
  await importModules(options.import);
  const progress = new ProgressDisplay();
  const { split, limit, workers, near } = options;
  let counted: DataStats;
  try {
    counted = await dataStats(resolve(dataDir), problem, {
      ...(split && { splits: split }),
      ...(limit && { limit }),
      ...(workers && { workers }),
      ...(near && { near }),
      onProgress: (bytes, totalBytes) =>
        progress.onEvent({ type: 'resource', activity: 'reading', name: problem, bytes, totalBytes }),
    });
  } finally {
    progress.stop();
  }
  if (options.html !== undefined) {
    writeFileSync(options.html, statsPage(counted));
    tell(`wrote ${options.html} (${pathToFileURL(options.html).href})`);
  }
  if (options.json === true) printJson(counted);
  else printSummary(counted);
}

function printSummary(counted: DataStats): void {
  const splits = Object.entries(counted.splits);
  print(
    table([
      ['split', 'records', 'size', 'bytes a record'],
      ...splits.map(([split, { records, bytes, recordBytes }]) => [
        split,
        records,
        formatBytes(bytes),
        Math.round(recordBytes.mean ?? 0),
      ]),
    ]),
  );
  for (const [split, one] of splits) {
    print();
    print(`${split}:`);
    for (const line of linesOf(one)) print(`  ${line}`);
  }
  print();
  for (const { isWell, sentence } of checksOf(counted)) print(`${isWell ? 'well' : 'LOOK'}  ${sentence}`);
}

/** Classes in a line, most first; so many of them. */
const SHOWN_CLASSES = 12;

function linesOf({ features, labels, agreement }: SplitStats): string[] {
  const classes = labels.flatMap((name) => {
    const feature = features[name];
    return feature !== undefined && 'values' in feature && feature.values !== undefined
      ? [`${name}: ${valuesLine(feature.values)}`]
      : [];
  });
  const figures = Object.entries(features).flatMap(([name, feature]) => {
    if (feature.kind === 'image')
      return feature.channels.map(
        ({ name: colour, mean, deviation }) =>
          `${name} ${colour}: mean ${mean.toFixed(4)}, deviation ${deviation.toFixed(4)}`,
      );
    if (feature.kind !== 'float32' || feature.unit === undefined) return [];
    return feature.channels.map(
      ({ name: channel, mean, deviation }) =>
        `${name} ${channel}: mean ${mean?.toPrecision(4)}, deviation ${deviation?.toPrecision(4)} ${feature.unit}`,
    );
  });
  return [
    ...classes,
    ...(agreement === undefined ? [] : [`agreement: ${valuesLine(agreement)}`]),
    ...figures,
  ];
}

function valuesLine({ most, distinct }: NonNullable<SplitStats['agreement']>): string {
  if (distinct === null) return 'more than 10,000 different values';
  const shown = most.slice(0, SHOWN_CLASSES).map(([value, times]) => `${value} ${formatCount(times)}`);
  return `${shown.join(', ')}${distinct > shown.length ? `, … ${formatCount(distinct)} in all` : ''}`;
}
