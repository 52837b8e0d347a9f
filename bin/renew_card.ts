/** Keeps the dataset card true after a command that changed what a data folder holds. */

import { writeCard } from '../src/explore/dataset_card.js';
import { UserError } from '../src/io/errors.js';
import { tell } from './terminal.js';

/**
 * Writes the card of a data folder again. What stands in its way is told and does not fail the command, whose own work is
 * done.
 */
export async function renewCard(dataDir: string): Promise<void> {
  try {
    const outcome = await writeCard(dataDir);
    if ('kept' in outcome)
      tell(`${outcome.kept} was not written by t2t-ts and is left as it is: no dataset card`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell(`no dataset card was written: ${error.message}`);
  }
}
