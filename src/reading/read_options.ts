/** Checks what a reader is opened with: JavaScript and command lines can give anything, and a wrong number would read wrongly in silence. */

import { UserError } from '../io/errors.js';

/** @throws UserError where `value` is no whole number from `least` to `most`. */
export function wholeOption(
  name: string,
  value: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw wrong(name, value, `a whole number from ${least} to ${most}`);
}

/** @throws UserError where `value` is none of `values`. */
export function listedOption<T extends string>(name: string, value: T, values: readonly T[]): T {
  if (values.includes(value)) return value;
  throw wrong(name, value, values.join(' or '));
}

function wrong(name: string, value: unknown, wanted: string): UserError {
  const given = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new UserError(`${name} is ${given}`, {
    where: `the option ${name} of the reader`,
    remedy: `give ${wanted}`,
  });
}
