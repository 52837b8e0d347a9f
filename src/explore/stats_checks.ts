/** What statistics say about a data set's health, as sentences: what is well, and what should be looked at. */

import type { DataStats, SplitStats } from './data_stats.js';
import type { FeatureStats } from './feature_stats.js';

export interface Check {
  /** False where somebody should look at it. */
  readonly isWell: boolean;
  readonly sentence: string;
}

/** What should be looked at comes first. */
export function checksOf(stats: DataStats): Check[] {
  const splits = Object.entries(stats.splits);
  const findings = [
    ...stats.unfinished.map((split) => ({
      kind: 'unfinished' as const,
      sentence: `the ${split} split is not finished: nothing of it is counted`,
    })),
    ...repeatedKeys(splits),
    ...shared(stats),
    ...repeatedContents(splits),
    ...splits.flatMap(([split, { features }]) =>
      Object.entries(features).flatMap(([name, feature]) => faults(`${name} of ${split}`, feature)),
    ),
    ...lookingAlike(stats),
  ];
  const isClear = (kind: Finding['kind']): boolean => findings.every((finding) => finding.kind !== kind);
  return [
    ...findings.map(({ sentence }): Check => ({ isWell: false, sentence })),
    ...praises(stats)
      .filter(([kind]) => isClear(kind))
      .map(([, sentence]): Check => ({ isWell: true, sentence })),
  ];
}

interface Finding {
  readonly kind:
    | 'unfinished'
    | 'keys'
    | 'shared'
    | 'contents'
    | 'pictures'
    | 'numbers'
    | 'channels'
    | 'alike';
  readonly sentence: string;
}

type NamedSplit = readonly [split: string, stats: SplitStats];

/** What can be said where nothing was found: only of what was looked at, and in how many records. */
function praises({ splits, nearDuplicates }: DataStats): [Finding['kind'], string][] {
  const all = Object.values(splits);
  const some = all.flatMap(({ features }) => Object.values(features)).filter(({ present }) => present > 0);
  const withKeys = all.filter(({ keys }) => keys.all > 0).length;
  const withContents = all.filter(({ contents }) => contents !== undefined).length;
  const photographed = Object.values(nearDuplicates?.photographs ?? {}).filter((count) => count > 0).length;
  const shareable = [
    ...(withKeys > 1 ? ['a key'] : []),
    ...(withContents > 1 ? ['a picture or a window'] : []),
  ];
  const limits = all.flatMap(({ records, written }) => (records < written ? [records] : []));
  const among = limits.length === 0 ? '' : `, among the first ${counted(Math.max(...limits), 'record')}`;
  const sayings: [Finding['kind'], boolean, string][] = [
    ['keys', withKeys > 0, withKeys > 1 ? 'no key is there twice in a split' : 'no key is there twice'],
    ['shared', shareable.length > 0, `no two splits share ${shareable.join(', ')}`],
    ['contents', withContents > 0, 'no record has one picture or window twice'],
    [
      'pictures',
      some.some(({ kind }) => kind === 'image'),
      'every picture can be decoded, and none is of one colour all over',
    ],
    ['numbers', some.some(({ kind }) => kind === 'float32'), 'every number is finite'],
    [
      'channels',
      some.some((feature) => feature.kind === 'float32' && feature.unit !== undefined),
      'no channel stands still through a window',
    ],
    ['alike', photographed > 1, 'no photographs of two splits look alike'],
  ];
  return sayings.flatMap(([kind, isSeen, sentence]) => (isSeen ? [[kind, `${sentence}${among}`]] : []));
}

function repeatedKeys(splits: readonly NamedSplit[]): Finding[] {
  return splits.flatMap(([split, { keys }]) => {
    const twice = keys.all - keys.distinct;
    const sentence = `${counted(twice, 'record')} of ${split} ${twice === 1 ? 'has' : 'have'} a key that another has`;
    return twice === 0 ? [] : [{ kind: 'keys' as const, sentence }];
  });
}

function shared(stats: DataStats): Finding[] {
  return stats.shared.flatMap(({ splits: [one, other], keys, contents }) => {
    const what = [
      ...(keys > 0 ? [counted(keys, 'key')] : []),
      ...(contents > 0 ? [counted(contents, 'picture or window', 'pictures or windows')] : []),
    ];
    const sentence = `${one} and ${other} share ${what.join(' and ')}`;
    return what.length === 0 ? [] : [{ kind: 'shared' as const, sentence }];
  });
}

function repeatedContents(splits: readonly NamedSplit[]): Finding[] {
  return splits.flatMap(([split, { contents }]) => {
    const records = contents?.repeatingRecords ?? 0;
    const sentence = `${counted(records, 'record')} of ${split} ${records === 1 ? 'has' : 'have'} one picture or window twice`;
    return records === 0 ? [] : [{ kind: 'contents' as const, sentence }];
  });
}

function lookingAlike({ nearDuplicates }: DataStats): Finding[] {
  const groups = nearDuplicates?.across.length ?? 0;
  const sentence = `${counted(groups, 'group')} of photographs that look alike ${groups === 1 ? 'reaches' : 'reach'} across splits`;
  return groups === 0 ? [] : [{ kind: 'alike', sentence }];
}

function faults(where: string, feature: FeatureStats): Finding[] {
  const finding = (kind: Finding['kind'], what: string): Finding => ({ kind, sentence: `${where}: ${what}` });
  if (feature.kind === 'image') {
    const { undecodable, plain } = feature;
    return [
      ...(undecodable > 0
        ? [finding('pictures', `${counted(undecodable, 'picture')} can’t be decoded`)]
        : []),
      ...(plain > 0 ? [finding('pictures', `${counted(plain, 'picture')} of one colour all over`)] : []),
    ];
  }
  if (feature.kind !== 'float32') return [];
  const sum = (of: 'notNumbers' | 'infinite'): number =>
    feature.channels.reduce((total, channel) => total + channel[of], 0);
  const [notNumbers, infinite] = [sum('notNumbers'), sum('infinite')];
  const flat = feature.unit === undefined ? undefined : flatChannels(feature.channels);
  return [
    ...(notNumbers > 0 ? [finding('numbers', `${counted(notNumbers, 'value')} not a number (NaN)`)] : []),
    ...(infinite > 0 ? [finding('numbers', `${counted(infinite, 'value')} infinite`)] : []),
    ...(flat === undefined ? [] : [finding('channels', flat)]),
  ];
}

function flatChannels(
  channels: readonly { readonly name: string; readonly flat: number }[],
): string | undefined {
  const flat = channels.filter((channel) => channel.flat > 0);
  if (flat.length === 0) return undefined;
  const windows = flat.reduce((sum, channel) => sum + channel.flat, 0);
  const names = flat.slice(0, 4).map(({ name }) => name);
  const more = flat.length > names.length ? ` and ${flat.length - names.length} more` : '';
  return `channels stand still through windows, ${counted(windows, 'time')} in all (${names.join(', ')}${more})`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
