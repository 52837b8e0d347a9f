/** The registry: Problems by name, so that one word on the command line finds everything about a problem. */

import { UserError } from '../io/errors.js';
import { didYouMean } from './nearest.js';
import type { FitsFeatures, Problem } from './problem.js';

type ProblemClass = new () => Problem;

const classes = new Map<string, ProblemClass>();

/**
 * Makes a Problem known by its name. Call it once in the file that defines the class. It does not compile where what
 * `example()` gives does not fit the class's `features`.
 * @throws UserError where the name is not snake_case or is taken by another class.
 */
export function registerProblem<P extends Problem>(problemClass: new () => P & FitsFeatures<P>): void {
  const { name } = new problemClass();
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name))
    throw new UserError(`a Problem's name must be snake_case, not ${JSON.stringify(name)}`, {
      where: problemClass.name,
    });
  const known = classes.get(name);
  if (known !== undefined && known !== problemClass)
    throw new UserError(`two Problems are called ${name}`, {
      where: `${known.name} and ${problemClass.name}`,
      remedy: 'rename one of them',
    });
  classes.set(name, problemClass);
}

/**
 * The Problem of a name.
 * @throws UserError with the nearest names where there is none.
 */
export function problem(name: string): Problem {
  const problemClass = classes.get(name);
  if (problemClass !== undefined) return new problemClass();
  const names = problemNames();
  throw new UserError(`there is no Problem ${JSON.stringify(name)}`, {
    remedy: `${didYouMean(name, names)} (\`t2t-ts list\` says what they are)`,
    exitCode: 2,
  });
}

/** The names of all registered Problems, sorted. */
export function problemNames(): string[] {
  return [...classes.keys()].sort();
}
