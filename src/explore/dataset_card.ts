/** The dataset card: `README.md` in a data folder, which says what the folder holds and may be pushed with it. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, writeWhole } from '../datagen/data_files.js';
import { type Manifest, readManifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { SPLITS } from '../problems/problem.js';
import { problem, problemNames } from '../problems/registry.js';
import { cardCounts } from './card_counts.js';
import { knownLicence } from './card_licence.js';
import { CARD_FOLDER, type CardExample, cardExamples, removeOtherPictures } from './card_pictures.js';
import type { CardSection } from './card_section.js';
import { cardText } from './card_text.js';

export interface CardOptions {
  /** Example pictures: where the licence lets them be passed on (unless said otherwise), always, or never. */
  readonly pictures?: 'licensed' | 'always' | 'never';
}

/** What became of the card. */
export type CardOutcome =
  | { readonly written: string; readonly problems: readonly string[] }
  /** There is a README.md that somebody else wrote: it is left alone. A card's pictures beside it are renewed. */
  | { readonly kept: string };

/**
 * Writes the card of everything finished in a data folder, from the manifests, the ledgers and the labels of the records. The
 * same folder gives the same bytes. Files that somebody else wrote are left alone.
 * @throws UserError where nothing in the folder is finished.
 */
export async function writeCard(dataDir: string, options: CardOptions = {}): Promise<CardOutcome> {
  const path = join(dataDir, 'README.md');
  const isOurs = !existsSync(path) || readFileSync(path, 'utf8').includes(CARD_MARK);
  if (!isOurs && !existsSync(join(dataDir, CARD_FOLDER))) return { kept: path };
  const sections: CardSection[] = [];
  const unfinished: string[] = [];
  for (const name of namesIn(dataDir)) {
    const manifests = SPLITS.flatMap((split) => readManifest(dataDir, name, split) ?? []);
    const finished = manifests.filter(({ complete }) => complete);
    if (finished.length < manifests.length) unfinished.push(name);
    if (finished.length > 0) sections.push(await sectionOf(dataDir, finished, options));
  }
  // Also where no card is written: who was struck is not to stay in a picture.
  removeOtherPictures(
    dataDir,
    sections.flatMap(({ examples }) => examples.flatMap(({ pictures }) => pictures.map(({ file }) => file))),
  );
  if (!isOurs) return { kept: path };
  if (sections.length === 0)
    throw new UserError('nothing in the folder is finished', {
      where: dataDir,
      remedy: unfinished.length > 0 ? `run datagen ${unfinished[0]} again` : 'run datagen first',
    });
  const text = cardText(sections, CARD_MARK);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeWhole(path, text);
  return { written: path, problems: sections.map(({ name }) => name) };
}

/** By which a card of ours is known. */
const CARD_MARK =
  '<!-- Written by t2t-ts; `t2t-ts card` writes it again. Take this line out to keep your own words. -->';

async function sectionOf(
  dataDir: string,
  manifests: readonly Manifest[],
  { pictures = 'licensed' }: CardOptions,
): Promise<CardSection> {
  const [first] = manifests as [Manifest];
  const { problem: name, split, options } = first.settings;
  const known = problemNames().includes(name) ? problem(name) : undefined;
  const licence = knownLicence(first.dataset.licence.url);
  const isShown = pictures === 'always' || (pictures === 'licensed' && licence.maySharePieces);
  const examples: CardExample[] = isShown ? await cardExamples(dataDir, name, split) : [];
  return {
    name,
    manifests,
    licence,
    counts: await cardCounts(dataDir, manifests, join(dataDir, CARD_FOLDER, `${name}.counts.json`)),
    examples,
    ...(known !== undefined && {
      known: {
        description: known.description,
        aboutDataset: known.dataset.description,
        terms: known.dataset.licence.terms,
        changedOptions: Object.fromEntries(
          Object.entries(options).filter(([option, value]) => known.options[option] !== value),
        ),
      },
    }),
  };
}
