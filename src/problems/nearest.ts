/** Finds the names nearest to a mistyped one. */

import { distance } from 'fastest-levenshtein';

/** Up to `most` of `names`, nearest first by edit distance; a name that holds the word comes before. */
export function nearest(word: string, names: readonly string[], most = 3): string[] {
  const score = (name: string): number =>
    distance(word.toLowerCase(), name.toLowerCase()) - (name.includes(word) ? 100 : 0);
  return [...names]
    .sort((a, b) => score(a) - score(b) || (a < b ? -1 : 1))
    .filter((name, rank) => rank === 0 || score(name) <= Math.max(2, word.length / 2))
    .slice(0, most);
}
