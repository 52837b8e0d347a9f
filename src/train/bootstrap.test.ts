import { expect, test } from 'vitest';
import { seededRandom } from '../io/random.js';
import { bootstrapIntervals } from './bootstrap.js';
import { coverage, drawRows, normal } from './bootstrap_coverage.test.helper.js';
import { groupSpread, groupTable } from './group_table.js';
import { rowGroups } from './row_groups.js';
import { weightedMean } from './weighted_mean.js';

const FEW = { times: 100, replicates: 100 } as const;

test('intervals over rows that share groups are too narrow, those over groups are not', () => {
  const kind = { groups: 20, rows: 200, each: 1, shared: 1 };
  expect(coverage(kind, { ...FEW, over: 'rows' }).held).toBeLessThan(0.6);
  // Seeds are fixed; of 100 that hold with 95 %, 87 or more do with 99.9 %.
  expect(coverage(kind, { ...FEW, over: 'groups' }).held).toBeGreaterThanOrEqual(0.87);
});

test('where three groups a row say nothing, intervals over groups are hardly wider than those over rows', () => {
  const kind = { groups: 60, rows: 200, each: 3, shared: 0 };
  const [groups, rows] = [
    coverage(kind, { ...FEW, over: 'groups' }),
    coverage(kind, { ...FEW, over: 'rows' }),
  ];
  expect(groups.held).toBeGreaterThanOrEqual(0.87);
  expect(groups.width / rows.width).toBeLessThan(1.25);
});

test('a difference of two systems on the same rows is paired', () => {
  const random = seededRandom('paired');
  const { groups, values } = drawRows(random, { groups: 30, rows: 300, each: 1, shared: 1 });
  const better = values.map((value) => value + 0.1 + 0.02 * normal(random));
  const a = (weights?: Float64Array) => weightedMean(values, weights);
  const b = (weights?: Float64Array) => weightedMean(better, weights);
  const found = bootstrapIntervals(
    groups,
    { a, b, difference: (weights) => b(weights) - a(weights) },
    { seed: 'paired', replicates: 500 },
  );
  expect(found.b.low).toBeLessThan(found.a.high);
  expect(found.difference.low).toBeGreaterThan(0.09);
  expect(found.difference.high).toBeLessThan(0.11);
});

test('the same seed gives the same interval, another seed another', () => {
  const { groups, values } = drawRows(seededRandom('rows'), { groups: 9, rows: 50, each: 2, shared: 1 });
  const interval = (seed: string) =>
    bootstrapIntervals(groups, { mean: (w) => weightedMean(values, w) }, { seed, replicates: 100 }).mean;
  expect(interval('1')).toEqual(interval('1'));
  expect(interval('1').low).not.toBe(interval('2').low);
});

test('replicates without a value are counted, and an interval is not made from a few', () => {
  const groups = rowGroups([['a'], ['b'], ['c']]);
  const onlyWithAll = (weights?: Float64Array) =>
    weights === undefined || weights.every((weight) => weight > 0) ? 1 : Number.NaN;
  const found = bootstrapIntervals(
    groups,
    { onlyWithAll, always: () => 2 },
    { seed: '', replicates: 100, range: [0, 1] },
  );
  // 3! of 27 draws have all three.
  expect(found.onlyWithAll.undefinedReplicates).toBeGreaterThan(60);
  expect(found.onlyWithAll.low).toBeNaN();
  expect(found.always).toMatchObject({ value: 2, low: 1, high: 1, undefinedReplicates: 0 });
});

test('one group alone has no interval', () => {
  const found = bootstrapIntervals(
    rowGroups([['a'], ['a']]),
    { mean: (w) => weightedMean([0, 1], w) },
    { seed: '', replicates: 100 },
  );
  expect(found.mean.value).toBe(0.5);
  expect(found.mean.low).toBeNaN();
});

test('a table by group has each metric on its rows alone, and a row of two groups in both', () => {
  const groups = rowGroups([['b'], ['a', 'b'], ['a'], ['c', 'c']]);
  const table = groupTable(groups, { mean: (weights) => weightedMean([1, 2, 4, Number.NaN], weights) });
  expect(table).toEqual([
    { group: 'a', rows: 2, values: { mean: 3 } },
    { group: 'b', rows: 2, values: { mean: 1.5 } },
    { group: 'c', rows: 1, values: { mean: Number.NaN } },
  ]);
  expect(groupSpread(table.map(({ values }) => values.mean))).toEqual({
    groups: 2,
    mean: 2.25,
    standardDeviation: Math.sqrt(1.125),
    least: 1.5,
    median: 2.25,
    most: 3,
  });
  expect(() => rowGroups([['a'], []])).toThrow('row 1 belongs to no group');
});
