/** The one error class for what a user can mend: it says what is wrong, where, and how to mend it. */

/**
 * An error whose message is meant for the person at the keyboard. The command line prints `message` alone
 * (no stack trace) and exits with `exitCode`.
 */
export class UserError extends Error {
  /** What is wrong, as a clause without a full stop. */
  readonly what: string;
  /** The file, line, URL or option where it is wrong. */
  readonly where: string | undefined;
  /** What to do about it, as an imperative clause. */
  readonly remedy: string | undefined;
  /** 2 for misuse of the command line, 1 for anything else. */
  readonly exitCode: 1 | 2;

  constructor(
    what: string,
    details: { where?: string; remedy?: string; exitCode?: 1 | 2; cause?: unknown } = {},
  ) {
    const place = details.where === undefined ? '' : ` (${details.where})`;
    const remedy = details.remedy === undefined ? '' : `: ${details.remedy}`;
    super(`${what}${place}${remedy}`, { cause: details.cause });
    this.name = 'UserError';
    this.what = what;
    this.where = details.where;
    this.remedy = details.remedy;
    this.exitCode = details.exitCode ?? 1;
  }
}

/** The sentence for a file that the system does not let us write. */
export function unwritable(what: string, path: string, cause: unknown): UserError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new UserError(`${what} can't be written (${code})`, {
    where: path,
    remedy: code === 'ENOSPC' ? 'free some disk space' : 'check the folder and its permissions',
    cause,
  });
}
