/** The files that are to be imported: which they are, by names and patterns. */

import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UserError } from '../io/errors.js';

/** A file of records, and what its records are called in ledgers and notes: the shortest ending of its path that no other
 * file's has, most often its base name. */
export interface RecordFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

/**
 * The files that names and patterns stand for: in the given order, those of a pattern sorted. `*`, `?` and `[…]` may stand
 * in the last part of a path, for when the shell has not replaced them. An index beside its shard is left out.
 * @throws UserError where a name or pattern stands for no file, or a file comes twice, under one name or two.
 */
export function recordFiles(patterns: readonly string[]): RecordFile[] {
  const named = patterns.flatMap(expand);
  const all = new Set(named);
  const paths = named.filter((path) => !(path.endsWith('.idx') && all.has(path.slice(0, -'.idx'.length))));
  const real = paths.map((path) => realpathSync(path));
  const twice = paths.find((_, i) => real.indexOf(real[i] as string) < i);
  if (twice !== undefined)
    throw new UserError('a file is given twice', { where: twice, remedy: 'give it once', exitCode: 2 });
  const names = distinctEndings(paths);
  return paths.map((path, i) => ({ path, name: names[i] as string, bytes: statSync(path).size }));
}

/** For each path as few of its last parts as no other path ends with: where a data set lay is nobody's business. */
function distinctEndings(paths: readonly string[]): string[] {
  const parts = paths.map((path) => resolve(path).split(sep));
  const ending = (of: readonly string[], length: number): string => of.slice(-length).join('/');
  const names = paths.map(() => '');
  let unnamed = [...parts.keys()];
  for (let length = 1; unnamed.length > 0; length++) {
    const counts = new Map<string, number>();
    for (const of of parts) counts.set(ending(of, length), (counts.get(ending(of, length)) ?? 0) + 1);
    for (const i of unnamed) names[i] = ending(parts[i] as string[], length);
    unnamed = unnamed.filter((i) => (counts.get(names[i] as string) ?? 0) > 1);
  }
  return names;
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
