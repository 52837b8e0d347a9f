/** The files that are to be imported: which they are, by names and patterns. */

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../io/errors.js';

/** A file of records, and what its records are called in ledgers: its base name, where no other file has the same. */
export interface RecordFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

/**
 * The files that names and patterns stand for: in the given order, those of a pattern sorted. `*`, `?` and `[…]` may stand
 * in the last part of a path, for when the shell has not replaced them. An index beside its shard is left out.
 * @throws UserError where a name or pattern stands for no file, or a file comes twice.
 */
export function recordFiles(patterns: readonly string[]): RecordFile[] {
  const named = patterns.flatMap(expand);
  const all = new Set(named);
  const paths = named.filter((path) => !(path.endsWith('.idx') && all.has(path.slice(0, -'.idx'.length))));
  const twice = paths.find((path, i) => paths.indexOf(path) < i);
  if (twice !== undefined)
    throw new UserError('a file is given twice', { where: twice, remedy: 'give it once', exitCode: 2 });
  const names = paths.map((path) => basename(path));
  const isUnique = new Set(names).size === names.length;
  return paths.map((path) => ({ path, name: isUnique ? basename(path) : path, bytes: statSync(path).size }));
}

function expand(pattern: string): string[] {
  const stats = statSync(pattern, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return [pattern];
  const folder = dirname(pattern);
  if (stats === undefined && /[*?[]/.test(basename(pattern)) && isFolder(folder)) {
    const matches = patternTest(basename(pattern));
    const found = readdirSync(folder)
      .filter((name) => matches.test(name))
      .sort()
      .map((name) => join(folder, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    if (found.length > 0) return found;
  }
  throw new UserError(stats === undefined ? 'there is no such file' : 'this is no regular file', {
    where: pattern,
    remedy: 'give TFRecord files, or a pattern such as data/train-*',
    exitCode: 2,
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A shell's pattern for names; like a shell's, a leading `*` or `?` finds no hidden file. */
function patternTest(pattern: string): RegExp {
  const source = pattern.replace(/\[[!^]?\]?[^\]]*\]|[\s\S]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 1) return `[${part.slice(1, -1).replace(/^!/, '^').replace(/[\\[]/g, '\\$&')}]`;
    return part.replace(/[\\^$.|+(){}[\]/-]/g, '\\$&');
  });
  const hidden = /^[*?[]/.test(pattern) ? '(?!\\.)' : '';
  try {
    return new RegExp(`^${hidden}${source}$`, 's');
  } catch {
    // A range that ends before it begins stands for nothing.
    return /^(?!)/;
  }
}
