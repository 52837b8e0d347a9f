/** `SHA256SUMS.txt`: which files a publisher has and what each must be, as GNU coreutils' sha256sum writes and reads it. */

import { UserError } from './errors.js';

/**
 * Lower-case hex SHA-256 by file name, in the order of the file. A line is the digest, a blank, a blank or `*` (binary),
 * and the name; a `\` before the digest says that the name has an escaped backslash or line end (coreutils manual, "md5sum
 * invocation"), which no name here may have. Empty lines are passed over; a byte-order mark and CR LF are no matter.
 * @param where what errors call the text, e.g. its URL.
 * @throws UserError at the line that is no such line, that names a path out of the folder, or that contradicts another.
 */
export function parseSha256Sums(text: string, where: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.trim() === '') continue;
    const fault = (what: string): UserError =>
      new UserError(what, {
        where: `${where}, line ${index + 1}`,
        remedy: 'see whether the publisher has changed it, or delete it and run the command again',
      });
    const match = LINE.exec(line);
    if (match === null) throw fault('the line is no SHA-256 and file name');
    const digest = (match[2] as string).toLowerCase();
    const name = match[3] as string;
    if (!isSafeRelativePath(name)) throw fault('the file name is none that may be written below a folder');
    if ((sums.get(name) ?? digest) !== digest) throw fault('a second, other SHA-256 for the same file');
    sums.set(name, digest);
  }
  return sums;
}

const LINE = /^(\\?)([0-9a-f]{64}) [ *](.+)$/is;

/** A path below a folder with `/` between its parts, that no system reads as leading out of it. */
export function isSafeRelativePath(name: string): boolean {
  return (
    name.length <= 1024 &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
    !/[\\\x00-\x1f\x7f]|^[a-z]:/i.test(name) &&
    name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
