/** Parses pairs.txt of Labeled Faces in the Wild: 6,000 pairs of pictures in ten folds, the same person or not. */

import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../../io/errors.js';
import { quoted } from '../malformed_lines.js';

/** Two pictures and whether they show one person. */
export interface LfwPair {
  /** Names like `Abel_Pacheco/Abel_Pacheco_0001.jpg`. */
  readonly images: readonly [string, string];
  /** 1 … 10. The folds share no person. */
  readonly fold: number;
  readonly same: boolean;
}

/** The published file has 155 KB. */
const MAX_FILE_BYTES = 4 * 2 ** 20;
/** Ten folds of 600 pairs are 6,000. */
const MAX_PAIRS = 100_000;

/**
 * Reads the file: a line `folds<TAB>n`, then for each fold n lines `name<TAB>i<TAB>j` (one person) and n lines
 * `name1<TAB>i<TAB>name2<TAB>j` (two). A results table over a part of the protocol would mean nothing, so any line that
 * does not fit is an error.
 * @throws UserError with file and line.
 */
export function readLfwPairs(path: string): LfwPair[] {
  if (statSync(path).size > MAX_FILE_BYTES)
    throw malformed(path, 1, 'the file is far too large for a list of pairs');
  const lines = readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
  const { folds, pairsOfAKind } = sizesOf(path, lines[0] ?? '');
  const wanted = folds * pairsOfAKind * 2;
  if (lines.length - 1 !== wanted)
    throw malformed(
      path,
      lines.length,
      `the file has ${lines.length - 1} pairs, its first line speaks of ${wanted}`,
    );
  return lines.slice(1).map((line, i) => {
    const fold = Math.floor(i / (2 * pairsOfAKind)) + 1;
    const same = i % (2 * pairsOfAKind) < pairsOfAKind;
    const images = imagesOf(line, same);
    if (typeof images === 'string') throw malformed(path, i + 2, images);
    return { images, fold, same };
  });
}

/** `Abel_Pacheco/Abel_Pacheco_0001.jpg`. */
export function lfwImage(person: string, number: number): string {
  return `${person}/${person}_${String(number).padStart(4, '0')}.jpg`;
}

function sizesOf(path: string, line: string): { folds: number; pairsOfAKind: number } {
  const [, folds, pairs] = /^\s*(\d{1,3})\s+(\d{1,5})\s*$/.exec(line) ?? [];
  const sizes = { folds: Number(folds), pairsOfAKind: Number(pairs) };
  const total = sizes.folds * sizes.pairsOfAKind * 2;
  if (!(total > 0 && total <= MAX_PAIRS))
    throw malformed(path, 1, `${quoted(line)} is not the number of folds and of pairs, like 10 and 300`);
  return sizes;
}

/** The pictures of a line, or what is wrong with it. */
function imagesOf(line: string, same: boolean): [string, string] | string {
  const fields = line.trim().split(/\t+| +/);
  const [first, i, second, j] = same ? [fields[0], fields[1], fields[0], fields[2]] : fields;
  const wanted = same ? 3 : 4;
  if (fields.length !== wanted)
    return `${fields.length} columns, ${wanted} wanted for a pair of ${same ? 'one person' : 'two persons'}`;
  // Names go into paths.
  for (const name of [first, second])
    if (name === undefined || !/^[\p{L}\p{N}_.'-]+$/u.test(name) || name.startsWith('.'))
      return `${quoted(name ?? '')} is no name of a person`;
  for (const number of [i, j])
    if (number === undefined || !/^\d{1,4}$/.test(number) || Number(number) < 1)
      return `${quoted(number ?? '')} is no number of a picture`;
  if (!same && first === second) return `a pair of two persons names ${quoted(first as string)} twice`;
  return [lfwImage(first as string, Number(i)), lfwImage(second as string, Number(j))];
}

function malformed(path: string, line: number, reason: string): UserError {
  return new UserError(reason, {
    where: `${path}, line ${line}`,
    remedy: 'use pairs.txt as it was published',
  });
}
