/** The dataset card: `README.md` in a data folder, which says what the folder holds and may be pushed with it. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, removeLeftovers, writeWhole } from '../datagen/data_files.js';
import { type Manifest, readManifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { SPLITS } from '../problems/problem.js';
import { problem, problemNames } from '../problems/registry.js';
import { cardCounts } from './card_counts.js';
import { knownLicence } from './card_licence.js';
import { CARD_FOLDER, type CardPicture, cardExamples, renewPictures } from './card_pictures.js';
import type { CardSection, UnfinishedSplit } from './card_section.js';
import { cardText } from './card_text.js';
import { checkSplit } from './whole_split.js';

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
 * @throws UserError where nothing in the folder is finished, or a shard is damaged or not the manifest's.
 */
export async function writeCard(dataDir: string, options: CardOptions = {}): Promise<CardOutcome> {
  const path = join(dataDir, 'README.md');
  const before = cardBefore(path);
  const isOurs = before === undefined || before.includes(CARD_MARK);
  if (!isOurs && !statSync(join(dataDir, CARD_FOLDER), { throwIfNoEntry: false })) return { kept: path };
  // What a killed run was about to write here.
  removeLeftovers(join(dataDir, CARD_FOLDER));
  const sections: CardSection[] = [];
  const pictures: CardPicture[] = [];
  const unfinished: UnfinishedSplit[] = [];
  const failures: unknown[] = [];
  for (const name of namesIn(dataDir)) {
    const manifests = SPLITS.flatMap((split) => readManifest(dataDir, name, split) ?? []);
    const finished = manifests.filter(({ complete }) => complete);
    for (const { complete, settings } of manifests)
      if (!complete) unfinished.push({ name, split: settings.split });
    if (finished.length === 0) continue;
    try {
      const { section, files } = await sectionOf(dataDir, finished, options);
      sections.push(section);
      pictures.push(...files);
    } catch (error) {
      failures.push(error);
    }
  }
  // Also where no card can be written: who was struck is not to stay in a picture.
  renewPictures(dataDir, pictures);
  if (failures.length > 0) throw failures[0];
  if (!isOurs) return { kept: path };
  if (sections.length === 0)
    throw new UserError('nothing in the folder is finished', {
      where: dataDir,
      remedy: unfinished.length > 0 ? `run datagen ${unfinished[0]?.name} again` : 'run datagen first',
    });
  const text = cardText(sections, CARD_MARK, unfinished);
  if (before !== text) writeWhole(path, text);
  return { written: path, problems: sections.map(({ name }) => name) };
}

/** By which a card of ours is known. */
const CARD_MARK =
  '<!-- Written by t2t-ts; `t2t-ts card` writes it again. Take this line out to keep your own words. -->';

/** What is there as README.md; undefined where nothing is, and empty where it is no file. */
function cardBefore(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return stats.isFile() ? readFileSync(path, 'utf8') : '';
}

async function sectionOf(
  dataDir: string,
  manifests: readonly Manifest[],
  { pictures = 'licensed' }: CardOptions,
): Promise<{ readonly section: CardSection; readonly files: readonly CardPicture[] }> {
  for (const manifest of manifests) await checkSplit(dataDir, manifest);
  const [first] = manifests as [Manifest];
  const { problem: name, split, options } = first.settings;
  const known = problemNames().includes(name) ? problem(name) : undefined;
  const licence = knownLicence(first.dataset.licence.url);
  const isShown = pictures === 'always' || (pictures === 'licensed' && licence.maySharePieces);
  const { examples, files } = isShown
    ? await cardExamples(dataDir, name, split)
    : { examples: [], files: [] };
  const section: CardSection = {
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
  return { section, files };
}
