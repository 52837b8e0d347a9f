/** Which features say what an example is to be told apart by, and which say whose it is: known by their names. */

import type { Features } from '../io/features.js';

/** The last part of a label's name: tensor2tensor's `targets`, FEC's `triplet_code` and `type`, the words for classes. */
const LABEL_NAMES = ['label', 'targets', 'triplet_code', 'class', 'stage', 'type'];

/** The last part of the name of whom a picture or a recording is of. */
const PERSON_NAMES = ['subject', 'identity'];

/**
 * The features that are labels, the clearest first: words where there are words for the numbers. Names with parts count by
 * their last (`eeg/a/label`).
 */
export function labelFeatures(features: Features): string[] {
  const named = namesEndingIn(features, LABEL_NAMES);
  return named.filter((name) => features[name]?.kind === 'int64' || features[name]?.kind === 'text');
}

/** The features that name people, of which no two splits should share one. */
export function personFeatures(features: Features): string[] {
  return namesEndingIn(features, PERSON_NAMES).filter((name) => features[name]?.kind === 'text');
}

function namesEndingIn(features: Features, endings: readonly string[]): string[] {
  const names = Object.keys(features);
  return endings.flatMap((ending) => names.filter((name) => name.split('/').at(-1) === ending));
}
