/** `t2t-ts forget`: strikes what must not be used any more. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { forgetUrls } from '../src/datagen/forget.js';
import { UserError } from '../src/io/errors.js';
import '../src/problems/all.js';
import { stopOnInterrupt } from './interrupt.js';
import { addOutputOptions, importModules } from './options.js';
import { ProgressDisplay } from './progress.js';
import { addRawOptions, type RawOptions, rawDataOptions } from './raw_options.js';
import { print, printJson } from './terminal.js';

interface ForgetCommandOptions extends RawOptions {
  readonly url: readonly string[];
}

export function addForgetCommand(program: Command): void {
  const command = program
    .command('forget')
    .argument('<data-dir>', 'the data folder')
    .argument('<problem>', 'the Problem’s name')
    .description('strike addresses: erase what was kept of them and make only the shards that hold them anew')
    .option(
      '--url <url>',
      'an address to strike (repeatable)',
      (url: string, all: readonly string[]) => [...all, url],
      [] as readonly string[],
    );
  addOutputOptions(addRawOptions(command))
    .addHelpText(
      'after',
      '\nExample:\n  t2t-ts forget data fec --tmp-dir tmp --url http://farm1.staticflickr.com/1/2_3_b.jpg',
    )
    .action(forget);
}

async function forget(dataDir: string, name: string, options: ForgetCommandOptions): Promise<void> {
  if (options.url.length === 0)
    throw new UserError('forget needs something to strike', { remedy: 'give --url ADDRESS', exitCode: 2 });
  const imports = await importModules(options.import);
  const progress = new ProgressDisplay();
  const interrupt = stopOnInterrupt();
  try {
    const summary = await forgetUrls(name, options.url, {
      ...rawDataOptions(options),
      dataDir: resolve(dataDir),
      imports,
      signal: interrupt.signal,
      onEvent: progress.onEvent,
    });
    progress.stop();
    if (options.json === true) printJson(summary);
    else {
      print(`struck ${summary.struck.length}, erased ${summary.erased.length} files`);
      print(
        summary.remade.length === 0
          ? 'no shard held them: compare with the addresses that `t2t-ts inspect` shows'
          : `made anew: ${summary.remade.join(', ')}`,
      );
    }
  } finally {
    progress.stop();
    interrupt.release();
  }
}
