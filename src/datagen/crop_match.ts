/**
 * Whether crops are cut as those were on which a model was trained: fed another template, a model sees every face shifted
 * and scaled, and answers worse without a word.
 */

import { existsSync, readdirSync } from 'node:fs';
import type { OptionValue, Problem, Split } from '../problems/problem.js';
import { readManifest, type SplitSettings } from './manifest.js';

/** How crops are cut, in words: `arcface112 at 112 pixels`, `by box with margin 0.15 at 128 pixels`. */
export function cropWords(options: Readonly<Record<string, OptionValue>>): string | undefined {
  const { align, margin, size } = options;
  if (size === undefined || margin === undefined) return undefined; // No Problem over faces.
  const cut = align === undefined || align === 'none' ? `by box with margin ${margin}` : align;
  return `${cut} at ${size} pixels`;
}

/**
 * A sentence where a split's crops are cut otherwise than those that a model was trained on; undefined where they agree,
 * or where one of the two has no faces.
 */
export function cropMismatch(
  trained: Pick<SplitSettings, 'problem' | 'options'>,
  fed: Pick<SplitSettings, 'problem' | 'options'>,
): string | undefined {
  const [of, to] = [cropWords(trained.options), cropWords(fed.options)];
  if (of === undefined || to === undefined || of === to) return undefined;
  return `crops of ${fed.problem} are cut ${to}, those of ${trained.problem} ${of}: a model trained on ${trained.problem} needs them cut alike (--option align=${trained.options.align ?? 'none'} --option size=${trained.options.size})`;
}

/** What to tell of a Problem for evaluation whose crops differ from those of the training sets in the same folder. */
export function otherCrops(dataDir: string, problem: Problem): string[] {
  if (problem.splits.includes('train') || !existsSync(dataDir)) return [];
  const fed = { problem: problem.name, options: problem.options };
  const trained = readdirSync(dataDir).flatMap((name) => {
    const [, other, split] = /^(\w+)\.(\w+)\.manifest\.json$/.exec(name) ?? [];
    if (other === undefined || other === problem.name || split !== 'train') return [];
    return readManifest(dataDir, other, 'train' satisfies Split)?.settings ?? [];
  });
  return trained.flatMap((settings) => cropMismatch(settings, fed) ?? []);
}
