/** What every worker thread of ours needs: the flags that it may inherit, and errors that keep their parts on the way back. */

import { UserError } from './errors.js';

/** An error that crosses threads, as plain data: structured cloning would keep its message only. */
export interface WorkerFailure {
  readonly what: string;
  readonly where?: string;
  readonly remedy?: string;
  readonly stack?: string;
}

/** What a thread sends of an error. */
export function failureOf(error: unknown): WorkerFailure {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  if (!(error instanceof UserError))
    return { what: error instanceof Error ? error.message : String(error), ...stack };
  const { what, where, remedy } = error;
  return {
    what,
    ...(where === undefined ? {} : { where }),
    ...(remedy === undefined ? {} : { remedy }),
    ...stack,
  };
}

/** The error again, with the stack that it had in its thread. */
export function errorOf({ what, where, remedy, stack }: WorkerFailure): UserError {
  const error = new UserError(what, {
    ...(where === undefined ? {} : { where }),
    ...(remedy === undefined ? {} : { remedy }),
  });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The process's flags without those that name a program text, which a worker, having a file, refuses. */
export function inheritedFlags(flags: readonly string[]): string[] {
  const isText = (flag: string | undefined): boolean => /^(-e|--eval|-p|--print|-pe)$/.test(flag ?? '');
  return flags.filter(
    (flag, i) => !isText(flag) && !isText(flags[i - 1]) && !flag.startsWith('--input-type'),
  );
}
