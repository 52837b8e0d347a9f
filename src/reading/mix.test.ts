import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { writeFinishedSplit } from '../../fixtures/finished_split.js';
import { NumberedProblem, numbered } from '../../fixtures/numbered_problem.js';
import { UserError } from '../io/errors.js';
import { openExamples } from './examples.js';
import { mixExamples } from './mix.js';
import type { Pipeline } from './pipeline.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-mix-'));
const problem = new NumberedProblem();
const sizes = { train: 40, dev: 25, test: 10 } as const;
for (const split of ['train', 'dev', 'test'] as const)
  writeFinishedSplit({
    problem,
    split,
    dataDir: folder,
    examples: sizes[split],
    shards: 1,
    example: numbered,
  });
const open = (split: 'train' | 'dev' | 'test') =>
  openExamples(problem, 'train', { dataDir: folder, split, workers: 0 });
const [train, dev, tested] = await Promise.all([open('train'), open('dev'), open('test')]);
afterAll(async () => {
  for (const examples of [train, dev, tested]) await examples.close();
  rmSync(folder, { recursive: true, force: true });
});

const labelled = (examples: typeof train, label: string): Pipeline<string> =>
  examples.keys().map((key): string => `${label} ${key}`);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test('weights are honoured in every stretch, whatever they are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
      fc.integer(),
      async (weights, seed) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const mixed = mixExamples(
          weights.map((weight, i) => ({ examples: labelled(train, `${i}`).repeat(), weight })),
          { seed },
        );
        const drawn = (await all(mixed.take(400))).map((item) => Number(item.split(' ')[0]));
        for (const [i, weight] of weights.entries())
          for (const [from, to] of [
            [0, 400],
            [100, 200],
            [333, 400],
          ] as const) {
            const count = drawn.slice(from, to).filter((source) => source === i).length;
            // The golden ratio's discrepancy is below 1 + 2.1 ln n (Niederreiter 1992, chapter 3): a stretch of 400 misses by less than 14.
            expect(Math.abs(count - ((to - from) * weight) / total)).toBeLessThan(14);
          }
      },
    ),
    { numRuns: 40 },
  );
});

test('the same seed is the same mixture; each source keeps its own order', async () => {
  const mixture = (seed: number) =>
    mixExamples(
      [
        { examples: labelled(train, 'a').repeat(), weight: 3 },
        { examples: labelled(dev, 'b').repeat(), weight: 1 },
      ],
      { seed },
    ).take(80);
  const one = await all(mixture(1));
  expect(await all(mixture(1))).toEqual(one);
  expect(await all(mixture(2))).not.toEqual(one);
  const fromA = one.filter((item) => item.startsWith('a '));
  expect(fromA).toEqual((await all(labelled(train, 'a').repeat().take(80))).slice(0, fromA.length));
});

test('it ends with the first source that ends, or with the last', async () => {
  const sources = [
    { examples: labelled(dev, 'b'), weight: 1 },
    { examples: labelled(tested, 'c'), weight: 1 },
  ];
  const first = await all(mixExamples(sources));
  expect(first.filter((item) => item.startsWith('c '))).toHaveLength(10);
  expect(first.length).toBeLessThan(25);
  const last = await all(mixExamples(sources, { until: 'all-end' }));
  expect([...last].sort()).toEqual(
    [...(await all(sources[0]!.examples)), ...(await all(sources[1]!.examples))].sort(),
  );
});

test.each(['first-ends', 'all-end'] as const)(
  'after any item the state leads to exactly the next, until %s',
  async (until) => {
    const build = () =>
      mixExamples(
        [
          { examples: labelled(train, 'a'), weight: 2 },
          {
            examples: labelled(dev, 'b')
              .filter((key) => !key.endsWith('3'))
              .repeat(2),
            weight: 3,
          },
          { examples: labelled(tested, 'c'), weight: 1 },
        ],
        { until },
      )
        .repeat(2)
        .batch(3)
        .prefetch(2);
    const whole = await all(build());
    for (let place = 0; place <= whole.length; place++) {
      const reading = build()[Symbol.asyncIterator]();
      for (let i = 0; i < place; i++) await reading.next();
      const state = reading.state();
      await reading.return();
      expect(state.length).toBeLessThan(120);
      expect(await all(build().resume(state))).toEqual(whole.slice(place));
    }
  },
);

test('a source of the least weight goes on when the others have ended, without a draw for each of their weight', async () => {
  const sources = [
    { examples: labelled(dev, 'b'), weight: 1 },
    { examples: labelled(tested, 'c'), weight: 1e-9 },
  ];
  const mixed = await all(mixExamples(sources, { until: 'all-end' }));
  expect(mixed).toEqual([...(await all(sources[0]!.examples)), ...(await all(sources[1]!.examples))]);
});

test('a state with a wrong number of places is refused', async () => {
  const mixed = mixExamples([
    { examples: labelled(dev, 'b'), weight: 1 },
    { examples: labelled(tested, 'c'), weight: 1 },
  ]);
  const { of } = JSON.parse(mixed[Symbol.asyncIterator]().state()) as { of: string };
  for (const at of ['[3,null]', '[3,[1]]', '[3,[1,1,1]]', '7'])
    await expect(all(mixed.resume(`{"of":"${of}","at":${at}}`))).rejects.toThrow(
      /no state of such a pipeline/,
    );
});

test('mixtures of nothing, of weight 0 or of resumed pipelines are refused', async () => {
  expect(() => mixExamples([])).toThrow(UserError);
  for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => mixExamples([{ examples: train, weight }])).toThrow(UserError);
  const state = train.keys()[Symbol.asyncIterator]().state();
  const begun = train.keys()[Symbol.asyncIterator]();
  await begun.next();
  expect(() => mixExamples([{ examples: train.keys().resume(begun.state()), weight: 1 }])).toThrow(UserError);
  await begun.return();
  expect(await all(train.keys().resume(state))).toHaveLength(40);
});
