/** What can be measured on a Problem: found among its features, as what a model learns from is. */

import { UserError } from '../io/errors.js';
import type { Features } from '../io/features.js';
import type { Problem } from '../problems/problem.js';

export interface EvalTask {
  /** Which of three is the odd one; whether two are of one; the class, or what is alike, of one. */
  readonly kind: 'triplets' | 'pairs' | 'single';
  readonly inputKind: 'image' | 'windows';
  /** The features that are embedded: three, two or one. */
  readonly names: readonly string[];
  readonly target: string;
  readonly groups: EvalGroups;
  /** Names of all features that are read. */
  readonly features: readonly string[];
}

/** Whom or what rows share: intervals are over these, not over rows. */
export interface EvalGroups {
  /** What they are, in the plural. */
  readonly word: 'people' | 'subjects' | 'photographs' | 'examples';
  /** Text features whose values are the groups of a row. */
  readonly features: readonly string[];
}

const INPUTS = [
  { kind: 'triplets', inputKind: 'image', names: ['image/a', 'image/b', 'image/c'] },
  { kind: 'triplets', inputKind: 'windows', names: ['eeg/a', 'eeg/b', 'eeg/c'] },
  { kind: 'pairs', inputKind: 'image', names: ['image/a', 'image/b'] },
  { kind: 'single', inputKind: 'image', names: ['image'] },
  { kind: 'single', inputKind: 'windows', names: ['eeg/raw'] },
] as const;

const TARGETS = ['triplet_code', 'targets'];

/** What else is read where a Problem has it. */
const FURTHER = ['key', 'type', 'rating/all', 'fold', 'label', 'eeg/sampling_rate'];

/** @throws UserError where a Problem has nothing to measure. */
export function evalTask({ name, features }: Problem): EvalTask {
  const has = (feature: string): boolean => Object.hasOwn(features, feature);
  const found = INPUTS.find(({ names }) => names.every(has));
  const target = TARGETS.find(has);
  if (found === undefined || target === undefined)
    throw new UserError(`${name} has nothing to measure`, {
      remedy: `it needs ${INPUTS.map(({ names }) => names.join(' + ')).join(', or ')}, and ${TARGETS.join(' or ')}`,
      exitCode: 2,
    });
  const groups = groupsOf(found.names, features);
  const all = [...found.names, target, ...groups.features, ...FURTHER.filter(has)];
  return { ...found, target, groups, features: [...new Set(all)] };
}

function groupsOf(names: readonly string[], features: Features): EvalGroups {
  const has = (feature: string): boolean => features[feature]?.kind === 'text';
  for (const [part, word] of [
    ['identity', 'people'],
    ['subject', 'subjects'],
    ['url', 'photographs'],
  ] as const) {
    const each = names.map((name) => `${name}/${part}`);
    if (each.every(has)) return { word, features: each };
    if (has(part)) return { word, features: [part] };
  }
  return { word: 'examples', features: [] };
}
