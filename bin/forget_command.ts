/** `t2t-ts forget`: strikes what must not be used any more. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { forget } from '../src/datagen/forget.js';
import { UserError } from '../src/io/errors.js';
import '../src/problems/all.js';
import { stopOnInterrupt } from './interrupt.js';
import { addOutputOptions, importModules } from './options.js';
import { ProgressDisplay } from './progress.js';
import { addRawOptions, type RawOptions, rawDataOptions } from './raw_options.js';
import { renewCard } from './renew_card.js';
import { print, printJson } from './terminal.js';

interface ForgetCommandOptions extends RawOptions {
  readonly url: readonly string[];
  readonly identity: readonly string[];
  readonly subject: readonly string[];
}

export function addForgetCommand(program: Command): void {
  const command = program
    .command('forget')
    .argument('<data-dir>', 'the data folder')
    .argument('<problem>', 'the Problem’s name')
    .description(
      'strike addresses or people: erase what was kept of them and make only the shards that hold them anew',
    )
    .option('--url <url>', 'an address to strike (repeatable)', another, [])
    .option('--identity <id>', 'a person to strike, as the dataset names them (repeatable)', another, [])
    .option('--subject <id>', 'the same, of recordings', another, []);
  addOutputOptions(addRawOptions(command))
    .addHelpText(
      'after',
      '\nExample:\n  t2t-ts forget data fec --tmp-dir tmp --url http://farm1.staticflickr.com/1/2_3_b.jpg',
    )
    .action(runForget);
}

function another(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}

async function runForget(dataDir: string, name: string, options: ForgetCommandOptions): Promise<void> {
  const struck = { urls: options.url, identities: [...options.identity, ...options.subject] };
  if (struck.urls.length + struck.identities.length === 0)
    throw new UserError('forget needs something to strike', {
      remedy: 'give --url ADDRESS, --identity ID or --subject ID',
      exitCode: 2,
    });
  const imports = await importModules(options.import);
  const progress = new ProgressDisplay();
  const interrupt = stopOnInterrupt();
  try {
    const summary = await forget(name, struck, {
      ...rawDataOptions(options),
      dataDir: resolve(dataDir),
      imports,
      signal: interrupt.signal,
      onEvent: progress.onEvent,
    });
    progress.stop();
    await renewCard(resolve(dataDir));
    if (options.json === true) printJson(summary);
    else {
      print(
        `struck ${summary.struck.length}, erased ${summary.erased.length} files and ${summary.erasedPrepared} prepared pictures`,
      );
      print(
        summary.remade.length === 0
          ? 'no shard held them: compare with the addresses and identities that `t2t-ts inspect` shows'
          : `made anew: ${summary.remade.join(', ')}`,
      );
    }
  } finally {
    progress.stop();
    interrupt.release();
  }
}
