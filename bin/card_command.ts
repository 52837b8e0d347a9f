/** `t2t-ts card`: the dataset card of a data folder, written again. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeCard } from '../src/explore/dataset_card.js';
import { UserError } from '../src/io/errors.js';
import '../src/problems/all.js';
import { addImportOption, addOutputOptions, importModules, type OutputOptions } from './options.js';
import { print, printJson } from './terminal.js';

interface CardCommandOptions extends OutputOptions {
  readonly import: readonly string[];
  readonly cardPictures?: boolean;
}

export function addCardCommand(program: Command): void {
  const command = program
    .command('card')
    .argument('<data-dir>', 'the data folder')
    .description(
      'write README.md, the dataset card: what the folder holds, its licence, counts, checks, how to load it',
    )
    .option('--card-pictures', 'show examples even where the licence does not let them be passed on')
    .option('--no-card-pictures', 'show no examples');
  addOutputOptions(addImportOption(command))
    .addHelpText('after', '\nExample:\n  t2t-ts card data')
    .action(card);
}

async function card(dataDir: string, options: CardCommandOptions): Promise<void> {
  await importModules(options.import);
  const { cardPictures } = options;
  const pictures = cardPictures === undefined ? 'licensed' : cardPictures ? 'always' : 'never';
  const outcome = await writeCard(resolve(dataDir), { pictures });
  if ('kept' in outcome)
    throw new UserError('there is a README.md that t2t-ts did not write', {
      where: outcome.kept,
      remedy: 'move it away to have the card written',
    });
  if (options.json === true) printJson({ card: outcome.written, problems: outcome.problems });
  else print(`wrote ${outcome.written} (${outcome.problems.join(', ')})`);
}
