/** Keeps the dataset card true after a command that changed what a data folder holds. */

import { writeCard } from '../src/explore/dataset_card.js';
// A card tells more of a Problem that is known: the same whichever command writes it.
import '../src/problems/all.js';
import { tell } from './terminal.js';

/**
 * Writes the card of a data folder again. Whatever stands in its way is told and does not fail the command, whose own work
 * is done.
 */
export async function renewCard(dataDir: string): Promise<void> {
  try {
    const outcome = await writeCard(dataDir);
    if ('kept' in outcome)
      tell(`${outcome.kept} was not written by t2t-ts and is left as it is: no dataset card`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell(`no dataset card was written in ${dataDir}: ${reason}`);
  }
}
