/** `t2t-ts download`: a dataset's raw data and nothing more. */

import type { Command } from 'commander';
import { downloadDataset } from '../src/datagen/download_dataset.js';
import type { Dataset } from '../src/datasets/dataset.js';
import { UserError } from '../src/io/errors.js';
import '../src/problems/all.js';
import { didYouMean } from '../src/problems/nearest.js';
import { problem, problemNames } from '../src/problems/registry.js';
import { stopOnInterrupt } from './interrupt.js';
import { addOutputOptions, importModules } from './options.js';
import { ProgressDisplay } from './progress.js';
import { addRawOptions, type RawOptions, rawDataOptions } from './raw_options.js';
import { formatBytes, formatCount, formatCounts, formatSeconds, print, printJson } from './terminal.js';

interface DownloadCommandOptions extends RawOptions {
  readonly subjects?: string;
}

export function addDownloadCommand(program: Command): void {
  const command = program
    .command('download')
    .argument('<dataset>', 'the dataset’s name (`t2t-ts list`)')
    .description('fetch a dataset’s files and every picture that its rows point to; resumes');
  command.option(
    '--subjects <list>',
    'only these people’s recordings: names, numbers or ranges, e.g. 1-20,35',
  );
  addOutputOptions(addRawOptions(command))
    .addHelpText(
      'after',
      '\nExample:\n  t2t-ts download fec --tmp-dir tmp --accept-licence --retry dead,throttled',
    )
    .action(download);
}

async function download(name: string, options: DownloadCommandOptions): Promise<void> {
  await importModules(options.import);
  const dataset = datasetNamed(name);
  const progress = new ProgressDisplay();
  const interrupt = stopOnInterrupt();
  try {
    const { retry } = options;
    const summary = await downloadDataset(dataset, {
      ...rawDataOptions(options),
      ...(options.subjects === undefined ? {} : { subjects: options.subjects.split(',') }),
      signal: interrupt.signal,
      onEvent: progress.onEvent,
      ...(retry === undefined ? {} : { retry }),
    });
    progress.stop();
    if (options.json === true) printJson(summary);
    else {
      const failures = formatCounts(summary.failed);
      if (summary.files > 0) print(`${summary.dataset}: ${formatCount(summary.files)} files are here`);
      if (summary.urls > 0 || summary.files === 0)
        print(
          `${summary.dataset}: ${formatCount(summary.ok)} of ${formatCount(summary.urls)} addresses are here ` +
            `(${formatBytes(summary.bytes)} fetched in ${formatSeconds(summary.seconds)})`,
        );
      if (failures !== '') print(`failed: ${failures}`);
    }
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** Datasets are found through the Problems that use them. */
function datasetNamed(name: string): Dataset {
  const datasets = new Map(problemNames().map((each) => [problem(each).dataset.name, problem(each).dataset]));
  const dataset = datasets.get(name);
  if (dataset !== undefined) return dataset;
  throw new UserError(`there is no dataset ${JSON.stringify(name)}`, {
    remedy: didYouMean(name, [...datasets.keys()]),
    exitCode: 2,
  });
}
