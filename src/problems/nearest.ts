/** Finds the names nearest to a mistyped one, and says so. */

import { distance } from 'fastest-levenshtein';

/**
 * A remedy for a name that is not there: the names that it may have been meant for, or all of them where none is like it.
 * @param names what there is; not empty.
 */
export function didYouMean(word: string, names: readonly string[]): string {
  const near = nearest(word, names);
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there is ${[...names].sort().join(', ')}`;
}

/**
 * Up to `most` of `names`, nearest first by edit distance; a name that holds the word comes before. None that is so far
 * away (more than half of the word's letters differ) that it can't have been meant.
 */
export function nearest(word: string, names: readonly string[], most = 3): string[] {
  const holds = (name: string): boolean => word !== '' && name.toLowerCase().includes(word.toLowerCase());
  const score = (name: string): number =>
    distance(word.toLowerCase(), name.toLowerCase()) - (holds(name) ? 100 : 0);
  return names
    .filter((name) => score(name) <= Math.max(2, word.length / 2))
    .sort((a, b) => score(a) - score(b) || (a < b ? -1 : 1))
    .slice(0, most);
}
