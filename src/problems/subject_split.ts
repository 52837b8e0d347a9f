/** Cuts people into train, dev and test, so that nobody is on two sides: the only honest cut of recordings of people. */

import { createHash } from 'node:crypto';
import { UserError } from '../io/errors.js';
import type { Split } from './problem.js';

export interface SubjectSplitOptions {
  /** Fractions of the people, 0 … 1; together at most 1. */
  readonly devFraction: number;
  readonly testFraction: number;
  readonly seed: string;
}

/**
 * The split of each person. It depends on who there is and on the seed, not on the order or on repeats. People stand in
 * the order of a seeded hash of their names: the first ones are test, the next dev. So another person moves nobody but
 * those at the borders. A fraction above 0 is one person at least, as long as train keeps one; test comes before dev.
 * @throws UserError where the fractions are none or are more than all.
 */
export function splitSubjects(
  subjects: Iterable<string>,
  options: SubjectSplitOptions,
): ReadonlyMap<string, Split> {
  const { devFraction, testFraction, seed } = options;
  if (!(devFraction >= 0 && testFraction >= 0 && devFraction + testFraction <= 1))
    throw new UserError(
      `dev and test can't have the fractions ${devFraction} and ${testFraction} of the people`,
      {
        where: '--option dev_fraction, test_fraction',
        remedy: 'give numbers from 0 to 1 that are at most 1 together',
        exitCode: 2,
      },
    );
  const ranked = [...new Set(subjects)]
    .map((subject) => ({ subject, rank: rankOf(subject, seed) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  const isTrainWanted = devFraction + testFraction < 1;
  const people = ranked.length;
  const test = shareOf(testFraction, people, people - (isTrainWanted ? 1 : 0));
  const dev = shareOf(devFraction, people, people - test - (isTrainWanted ? 1 : 0));
  return new Map(
    ranked.map(({ subject }, i) => [subject, i < test ? 'test' : i < test + dev ? 'dev' : 'train'] as const),
  );
}

function shareOf(fraction: number, people: number, most: number): number {
  const share = fraction > 0 ? Math.max(1, Math.round(fraction * people)) : 0;
  return Math.max(0, Math.min(share, most));
}

/** Of equal length, so that they are ordered as numbers are. */
function rankOf(subject: string, seed: string): string {
  return createHash('sha256').update(`${seed}\n${subject}`).digest('hex');
}
