/** What every worker thread of ours needs: the flags that it may inherit, and errors that keep their parts on the way back. */

import { UserError } from './errors.js';
import { RecordError, type RecordFault, type RecordPlace } from './tfrecord_reader.js';

/** An error that crosses threads, as plain data: structured cloning would keep its message only. */
export interface WorkerFailure {
  readonly what: string;
  readonly where?: string;
  readonly remedy?: string;
  readonly stack?: string;
  /** Of a `RecordError`: what is wrong with which record. */
  readonly damage?: RecordPlace & { readonly fault: RecordFault };
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
    ...(error instanceof RecordError ? { damage: damageOf(error) } : {}),
  };
}

/** The error again, with the stack that it had in its thread. */
export function errorOf({ what, where, remedy, stack, damage }: WorkerFailure): UserError {
  const error =
    damage === undefined
      ? new UserError(what, {
          ...(where === undefined ? {} : { where }),
          ...(remedy === undefined ? {} : { remedy }),
        })
      : new RecordError(damage.fault, what, damage);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function damageOf({ fault, file, record, offset }: RecordError): NonNullable<WorkerFailure['damage']> {
  return { fault, file, record, offset };
}

/**
 * What to start a thread with so that it runs like the process: Node hands its flags on by itself. Only where the program was
 * given as text (`--input-type`) does it refuse to, since a thread has a file; and named one by one, it takes none that are
 * about the whole process (`--max-old-space-size`). The flags that decide how modules are found are then handed on.
 */
export function inheritedFlags(flags: readonly string[]): { readonly execArgv?: string[] } {
  if (!flags.some((flag) => flag.startsWith('--input-type'))) return {};
  const isBare = (flag = ''): boolean => MODULE_FLAGS.includes(flag);
  const isModuleFlag = (flag: string): boolean => isBare(flag.split('=', 1)[0]);
  return { execArgv: flags.filter((flag, i) => isModuleFlag(flag) || isBare(flags[i - 1])) };
}

const MODULE_FLAGS = [
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
];
