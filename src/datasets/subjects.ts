/** `--subjects`: a part of a corpus, by the names or the numbers of its people. */

import { UserError } from '../io/errors.js';

/**
 * Those of `all` that are wanted, in the order of `all`; all of them where nothing is said. A wish is a name (`S007`,
 * upper or lower case), a number (`7`: every subject whose name ends in it) or a range of numbers (`1-20`).
 * @param all names that end in digits.
 * @throws UserError for a wish that fits nobody.
 */
export function selectSubjects(
  all: readonly string[],
  wishes: readonly string[] | undefined,
): readonly string[] {
  if (wishes === undefined) return all;
  const chosen = new Set<string>();
  for (const wish of wishes) {
    const fitting = all.filter((name) => fits(name, wish.trim()));
    if (fitting.length === 0)
      throw new UserError(`there is no subject ${JSON.stringify(wish)}`, {
        where: '--subjects',
        remedy: `name some of ${all[0] ?? 'none'} to ${all.at(-1) ?? 'none'}, or their numbers, or a range such as 1-20`,
        exitCode: 2,
      });
    for (const name of fitting) chosen.add(name);
  }
  return all.filter((name) => chosen.has(name));
}

function fits(name: string, wish: string): boolean {
  const [, first, last] = /^(\d{1,9})(?:\s*-\s*(\d{1,9}))?$/.exec(wish) ?? [];
  if (first === undefined) return name.toLowerCase() === wish.toLowerCase();
  const number = Number(/(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  return number >= Number(first) && number <= Number(last ?? first);
}
