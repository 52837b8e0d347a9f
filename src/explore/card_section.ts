/** What a dataset card says of one Problem. */

import type { Manifest } from '../datagen/manifest.js';
import type { OptionValue, Split } from '../problems/problem.js';
import type { CardCounts } from './card_counts.js';
import type { KnownLicence } from './card_licence.js';
import type { CardExample } from './card_pictures.js';

export interface CardSection {
  readonly name: string;
  /** Of its finished splits, one at least. */
  readonly manifests: readonly Manifest[];
  readonly licence: KnownLicence;
  readonly counts: CardCounts;
  readonly examples: readonly CardExample[];
  /** From the Problem itself; absent of one that is not registered. */
  readonly known?: {
    readonly description: string;
    readonly aboutDataset: string;
    readonly terms: string;
    /** Options that are not the Problem's own, by which its features may be others. */
    readonly changedOptions: Readonly<Record<string, OptionValue>>;
  };
}

/** A split that is being made, or whose making was stopped. */
export interface UnfinishedSplit {
  readonly name: string;
  readonly split: Split;
}
