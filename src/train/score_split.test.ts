import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../io/random.js';
import type { DescribedSplit } from './describe_split.js';
import type { Embeddings } from './embeddings.js';
import type { EvalTask } from './eval_task.js';
import { rowGroups } from './row_groups.js';
import { scoreSplit } from './score_split.js';
import type { ScoredMetric, Scores } from './scores.js';

const rows = (values: readonly (readonly number[])[]): Embeddings => ({
  data: Float32Array.from(values.flat()),
  shape: [values.length, values[0]?.length ?? 0],
});

const EMPTY = { keys: [], types: [], labels: [], ratings: [], folds: [] };

function task(kind: EvalTask['kind']): EvalTask {
  return {
    kind,
    inputKind: 'image',
    names: [],
    target: 'targets',
    groups: { word: 'people', features: [] },
    features: [],
  };
}

function found({ metrics }: Pick<Scores, 'metrics'>, metric: string, of: string): ScoredMetric {
  return metrics.find((each) => each.metric === metric && each.of === of)!;
}

test('triplets: the model, the baseline and their difference, all and by type, with what people reach', () => {
  const right = [[0], [0.1], [9]];
  const wrong = [[0], [9], [0.1]];
  const split: DescribedSplit = {
    ...EMPTY,
    rows: 4,
    embeddings: new Map([
      ['model', [0, 1, 2].map((place) => rows([right, right, right, wrong].map((each) => each[place]!)))],
      ['pixels', [0, 1, 2].map((place) => rows([right, wrong, wrong, wrong].map((each) => each[place]!)))],
    ]),
    targets: Float64Array.from([3, 3, 3, 3]),
    keys: ['w', 'x', 'y', 'z'],
    groups: rowGroups([['p'], ['p', 'q'], ['q', 'r'], ['r']]),
    types: ['one', 'one', 'two', 'two'],
    ratings: [
      [3, 3, 3],
      [3, 3, 3],
      [3, 3, 3],
      [3, 3, 1],
    ],
  };
  const scores = scoreSplit(task('triplets'), split);
  expect(found(scores, 'triplet_accuracy', 'model')).toMatchObject({ value: 0.75, chance: 1 / 3 });
  expect(found(scores, 'triplet_accuracy', 'pixels').value).toBe(0.25);
  expect(found(scores, 'triplet_accuracy', 'model − pixels')).toMatchObject({ value: 0.5, chance: null });
  expect(
    scores.byType.map((each) => [each.type, each.rows, found(each, 'triplet_accuracy', 'model').value]),
  ).toEqual([
    ['one', 2, 1],
    ['two', 2, 0.5],
  ]);
  expect(scores.ceiling!.majorityVoteShare).toBeCloseTo(11 / 12, 12);
  expect(scores.examples).toMatchObject({ best: expect.arrayContaining(['w', 'x', 'y']), worst: ['z'] });
  expect(
    scores.byGroup.map(({ group, rows: count, values }) => [group, count, values.triplet_accuracy]),
  ).toEqual([
    ['p', 2, 1],
    ['q', 2, 1],
    ['r', 2, 0.5],
  ]);
  expect(scores.cautions).toEqual(['there are only 3 people: intervals over fewer than 10 are too narrow']);
});

test('embeddings that say nothing are at chance within their intervals, as often as 95 % ones may promise', () => {
  const seeds = 10;
  const inside = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const random = seededRandom(`nothing ${seed}`);
    for (const kind of ['triplets', 'pairs', 'single'] as const)
      for (const { metric, low, high, chance } of scoreSplit(task(kind), nothing(kind, random)).metrics)
        inside.set(metric, (inside.get(metric) ?? 0) + Number(low! <= chance! && chance! <= high!));
  }
  for (const metric of [
    'triplet_accuracy',
    'roc_auc',
    'equal_error_rate',
    'fold_accuracy',
    'recall_at_1',
    'recall_at_5',
  ])
    expect([metric, inside.get(metric)! >= seeds - 3]).toEqual([metric, true]);
});

/** Embeddings and targets by chance. */
function nothing(kind: EvalTask['kind'], random: Random): DescribedSplit {
  const count = 60;
  const [places, answers] = { triplets: [3, 3], pairs: [2, 2], single: [1, 5] }[kind] as [number, number];
  const noise = (): Embeddings => rows(Array.from({ length: count }, () => [random.next(), random.next()]));
  return {
    ...EMPTY,
    rows: count,
    embeddings: new Map([['model', Array.from({ length: places }, noise)]]),
    targets: Float64Array.from(
      { length: count },
      () => random.below(answers) + (kind === 'triplets' ? 1 : 0),
    ),
    groups: rowGroups(Array.from({ length: count }, () => [`p${random.below(30)}`])),
    keys: Array.from({ length: count }, (_, i) => String(i)),
    folds: kind === 'pairs' ? Array.from({ length: count }, (_, i) => i % 10) : [],
  };
}

test('classes: scores, confusion with words for classes, and no interval for one subject', () => {
  const split: DescribedSplit = {
    ...EMPTY,
    rows: 4,
    embeddings: new Map([
      [
        'model',
        [
          rows([
            [2, 0],
            [0, 1],
            [0, 3],
            [1, 0],
          ]),
        ],
      ],
    ]),
    targets: Float64Array.from([0, 1, 1, 1]),
    keys: ['a', 'b', 'c', 'd'],
    labels: ['left', 'right', 'right', 'right'],
    groups: rowGroups([['s'], ['s'], ['s'], ['s']]),
  };
  const answers = new Map([['model', [0, 1, 1, 0]]]);
  const scores = scoreSplit(task('single'), split, { classes: 2, answers });
  expect(found(scores, 'accuracy', 'model')).toMatchObject({ value: 0.75, low: null, chance: 0.75 });
  expect(found(scores, 'balanced_accuracy', 'model').value).toBeCloseTo((1 + 2 / 3) / 2, 12);
  expect(scores.confusion).toEqual({
    classes: ['left', 'right'],
    counts: [
      [1, 0],
      [1, 2],
    ],
  });
  expect(scores.examples).toEqual({ best: ['c', 'a', 'b'], worst: ['d'] });
  expect(scores.cautions).toEqual(['all examples are of one group (people): there is no interval']);
});
