/** Scores a described split: the metrics that fit its task, each with its interval, its chance and its baseline. */

import { agreementWithOthers, majorityVoteShare } from './annotator_agreement.js';
import { bootstrapIntervals } from './bootstrap.js';
import {
  AUC_CHANCE,
  averagePrecisionChance,
  classificationChance,
  EQUAL_ERROR_CHANCE,
  recallAtKChance,
  TRIPLET_CHANCE,
} from './chance.js';
import {
  accuracy,
  balancedAccuracy,
  type ConfusionMatrix,
  cohensKappa,
  confusionMatrix,
  macroF1,
} from './classification.js';
import type { DescribedSplit } from './describe_split.js';
import { type Embeddings, pairDistances } from './embeddings.js';
import type { EvalTask } from './eval_task.js';
import { groupTable } from './group_table.js';
import { recallAtK, retrieve } from './retrieval.js';
import type { ScoredMetric, Scores } from './scores.js';
import { tenFoldAccuracy } from './ten_fold_accuracy.js';
import { tripletOutcomes } from './triplet_accuracy.js';
import { equalErrorRate, rankPairs, rocAuc, tarAtFar, tarAtFarValue } from './verification.js';
import { type Metric, weightedMean } from './weighted_mean.js';

/** A metric of each describer, and what a guess would score. */
interface Measure {
  readonly metric: string;
  readonly chance: number;
  readonly range: readonly [number, number];
  readonly of: ReadonlyMap<string, Metric>;
}

type Common = Pick<Scores, 'rows' | 'groups' | 'byType' | 'cautions'>;

/**
 * @param answers of classification: the class that each describer says, by row; undefined for other tasks. There the model's
 * embeddings are logits.
 * @param classes how many there are.
 */
export function scoreSplit(
  task: EvalTask,
  split: DescribedSplit,
  classification?: { readonly answers: ReadonlyMap<string, ArrayLike<number>>; readonly classes: number },
): Scores {
  const count = split.groups.names.length;
  const common: Common = {
    rows: split.rows,
    groups: { word: task.groups.word, count },
    byType: [],
    cautions: fewCaution(count, task.groups.word),
  };
  if (task.kind === 'triplets') return tripletScores(split, common);
  if (task.kind === 'pairs') return pairScores(split, common);
  if (classification !== undefined) return classScoresOf(split, common, classification);
  return retrievalScores(split, common);
}

/** As `Interval` has it. */
const FEW_GROUPS = 10;

function fewCaution(count: number, word: string): string[] {
  if (count === 1) return [`all examples are of one group (${word}): there is no interval`];
  return count < FEW_GROUPS
    ? [`there are only ${count} ${word}: intervals over fewer than ${FEW_GROUPS} are too narrow`]
    : [];
}

/** Examples that are named as the best and the worst. */
const NAMED_EXAMPLES = 12;

const SHARE = [0, 1] as const;

function tripletScores(split: DescribedSplit, common: Common): Scores {
  const outcomes = new Map(
    [...split.embeddings].map(([name, [a, b, c]]) => [
      name,
      Float64Array.from(tripletOutcomes({ a: a!, b: b!, c: c!, odd: split.targets })),
    ]),
  );
  const measure = (isIn: (row: number) => boolean): Measure => ({
    metric: 'triplet_accuracy',
    chance: TRIPLET_CHANCE,
    range: SHARE,
    of: mapValues(outcomes, (all) => {
      const values = all.map((value, row) => (isIn(row) ? value : Number.NaN));
      return (weights) => weightedMean(values, weights);
    }),
  });
  const types = [...new Set(split.types)].sort();
  const all = measure(() => true);
  return {
    task: 'triplets',
    ...common,
    metrics: intervals(split, [all]),
    byType: types.map((type) => ({
      type,
      rows: split.types.filter((each) => each === type).length,
      metrics: intervals(split, [measure((row) => split.types[row] === type)]),
    })),
    byGroup: byGroup(split, [all]),
    ...(split.ratings.length > 0 && {
      ceiling: {
        agreementWithOthers: weightedMean(agreementWithOthers(split.ratings)),
        majorityVoteShare: weightedMean(majorityVoteShare(split.ratings)),
      },
    }),
    examples: extremes(split, tripletSureness(split)),
  };
}

/** By row: how much farther the nearer of the two other distances is than the similar pair's; below 0 where it is wrong. */
function tripletSureness({ embeddings, targets }: DescribedSplit): Float64Array {
  const [a, b, c] = embeddings.get('model') as readonly [Embeddings, Embeddings, Embeddings];
  const distances = [pairDistances(b, c), pairDistances(a, c), pairDistances(a, b)];
  return targets.map((odd, row) => {
    const others = distances.filter((_, place) => place !== odd - 1).map((each) => each[row]!);
    return Math.min(...others) - distances[odd - 1]![row]!;
  });
}

function pairScores(split: DescribedSplit, common: Common): Scores {
  const pairs = new Map(
    [...split.embeddings].map(([name, [a, b]]) => [
      name,
      rankPairs(
        pairDistances(a!, b!),
        Array.from(split.targets, (target) => target === 1),
      ),
    ]),
  );
  const measures: Measure[] = [
    measureOf('roc_auc', AUC_CHANCE, pairs, rocAuc),
    measureOf('equal_error_rate', EQUAL_ERROR_CHANCE, pairs, equalErrorRate),
    ...[1e-2, 1e-3].map((far) =>
      measureOf(`tar_at_far_${far}`, far, pairs, (ranked, weights) => tarAtFarValue(ranked, far, weights)),
    ),
  ];
  const folds = split.folds;
  if (new Set(folds).size > 1)
    measures.push(
      measureOf(
        'fold_accuracy',
        0.5,
        pairs,
        (ranked, weights) => tenFoldAccuracy(ranked, folds, weights).accuracy,
      ),
    );
  const cautions = [1e-2, 1e-3].flatMap((far) => {
    const { caution } = tarAtFar(pairs.get('model')!, far);
    return caution === undefined ? [] : [`TAR at a FAR of ${far}: ${caution}`];
  });
  return {
    task: 'verification',
    ...common,
    cautions: [...common.cautions, ...cautions],
    metrics: intervals(split, measures),
    byGroup: [],
  };
}

function classScoresOf(
  split: DescribedSplit,
  common: Common,
  {
    answers,
    classes,
  }: { readonly answers: ReadonlyMap<string, ArrayLike<number>>; readonly classes: number },
): Scores {
  const chance = classificationChance(split.targets);
  const measure = (metric: string, guess: number, of: (matrix: ConfusionMatrix) => number): Measure =>
    measureOf(
      metric,
      guess,
      answers,
      (said, weights) => of(confusionMatrix({ labels: split.targets, answers: said, classes }, weights)),
      metric === 'cohens_kappa' ? [-1, 1] : SHARE,
    );
  const measures = [
    measure('balanced_accuracy', chance.balancedAccuracy, balancedAccuracy),
    measure('accuracy', chance.accuracy, accuracy),
    measure('macro_f1', chance.macroF1, macroF1),
    measure('cohens_kappa', chance.cohensKappa, cohensKappa),
  ];
  const { counts } = confusionMatrix({ labels: split.targets, answers: answers.get('model')!, classes });
  return {
    task: 'classification',
    ...common,
    metrics: intervals(split, measures),
    byGroup: byGroup(split, measures.slice(0, 2)),
    confusion: {
      classes: classNames(split, classes),
      counts: Array.from({ length: classes }, (_, row) => [
        ...counts.subarray(row * classes, (row + 1) * classes),
      ]),
    },
    examples: extremes(split, classSureness(split)),
  };
}

/** By row: the logit of the label above the highest other; below 0 where the answer is wrong. */
function classSureness({ embeddings, targets }: DescribedSplit): Float64Array {
  const [{ data, shape }] = embeddings.get('model') as readonly [Embeddings];
  const classes = shape[1]!;
  return targets.map((label, row) => {
    const logits = data.subarray(row * classes, (row + 1) * classes);
    return logits[label]! - Math.max(...logits.filter((_, one) => one !== label));
  });
}

function retrievalScores(split: DescribedSplit, common: Common): Scores {
  const found = new Map(
    [...split.embeddings].map(([name, [embeddings]]) => [name, retrieve(embeddings!, split.targets)]),
  );
  const measures = [
    ...[1, 5].map((k) => {
      const values = mapValues(found, (each) => recallAtK(each, k));
      return measureOf(
        `recall_at_${k}`,
        weightedMean(recallAtKChance(split.targets, k)),
        values,
        weightedMean,
      );
    }),
    measureOf(
      'mean_average_precision',
      weightedMean(averagePrecisionChance(split.targets)),
      mapValues(found, ({ averagePrecision }) => averagePrecision),
      weightedMean,
    ),
  ];
  return {
    task: 'retrieval',
    ...common,
    cautions: [
      ...common.cautions,
      'intervals are over who asks, not over what is searched: they are a little too narrow',
    ],
    metrics: intervals(split, measures),
    byGroup: byGroup(split, measures.slice(0, 1)),
  };
}

function measureOf<Of>(
  metric: string,
  chance: number,
  given: ReadonlyMap<string, Of>,
  value: (of: Of, weights?: Float64Array) => number,
  range: readonly [number, number] = SHARE,
): Measure {
  return {
    metric,
    chance,
    range,
    of: mapValues(given, (of) => (weights?: Float64Array) => value(of, weights)),
  };
}

/** Each measure of each describer, and the model's less each baseline's on the same resampled groups. */
function intervals({ groups }: DescribedSplit, measures: readonly Measure[]): ScoredMetric[] {
  return measures.flatMap(({ metric, chance, range, of }) => {
    const seed = `eval/${metric}`;
    const found = bootstrapIntervals(groups, Object.fromEntries(of), { seed, range });
    const model = of.get('model')!;
    const baselines = [...of].filter(([name]) => name !== 'model');
    const differences = Object.fromEntries(
      baselines.map(([name, baseline]) => [
        `model − ${name}`,
        (weights?: Float64Array) => model(weights) - baseline(weights),
      ]),
    );
    const apart = bootstrapIntervals(groups, differences, { seed });
    const scored =
      (chanceOf: number | null) => (entry: [string, { value: number; low: number; high: number }]) => ({
        metric,
        of: entry[0],
        value: orNull(entry[1].value),
        low: orNull(entry[1].low),
        high: orNull(entry[1].high),
        chance: chanceOf,
      });
    return [...Object.entries(found).map(scored(orNull(chance))), ...Object.entries(apart).map(scored(null))];
  });
}

function byGroup(split: DescribedSplit, measures: readonly Measure[]): Scores['byGroup'] {
  if (split.groups.names.length >= split.rows) return [];
  return groupTable(
    split.groups,
    Object.fromEntries(measures.map(({ metric, of }) => [metric, of.get('model')!])),
  );
}

function classNames({ targets, labels }: DescribedSplit, classes: number): string[] {
  const names = Array.from({ length: classes }, (_, one) => String(one));
  for (const [row, label] of labels.entries()) if (label !== '') names[targets[row]!] = label;
  return names;
}

function extremes({ keys }: DescribedSplit, sureness: Float64Array): NonNullable<Scores['examples']> {
  const order = [...keys.keys()].sort((a, b) => sureness[b]! - sureness[a]!);
  const named = (rows: readonly number[]): string[] => rows.slice(0, NAMED_EXAMPLES).map((row) => keys[row]!);
  return {
    best: named(order.filter((row) => sureness[row]! > 0)),
    worst: named(order.filter((row) => sureness[row]! <= 0).reverse()),
  };
}

function mapValues<From, To>(map: ReadonlyMap<string, From>, change: (value: From) => To): Map<string, To> {
  return new Map([...map].map(([name, value]) => [name, change(value)]));
}

/** JSON has no NaN. */
function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
