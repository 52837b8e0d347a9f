import { expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import type { Batch } from './collate.js';
import { all, type Numbered, open, RECORDS } from './numbered_split.test.helper.js';
import type { Pipeline } from './pipeline.js';

const PIPELINES: readonly [string, (examples: Numbered) => Pipeline<unknown>][] = [
  ['records', (examples) => examples.raw() as Pipeline<unknown>],
  ['keys of three epochs', (examples) => examples.keys().repeat(3) as Pipeline<unknown>],
  ['a part, again and again', (examples) => examples.keys().take(17).repeat(4) as Pipeline<unknown>],
  ['a part of many', (examples) => examples.keys().repeat().take(250) as Pipeline<unknown>],
  ['what a filter leaves', (examples) => examples.keys().filter(isOdd).repeat(3) as Pipeline<unknown>],
  ['batches over epochs', (examples) => keysOf(examples.repeat(3).batch(8))],
  [
    'batches of what a filter leaves',
    (examples) =>
      keysOf(
        examples
          .filter((e) => isOdd(e.key as string))
          .repeat(2)
          .batch(7),
      ),
  ],
  [
    'batches, prefetched, some of them',
    (examples) => keysOf(examples.repeat().batch(8).prefetch(3).take(20)),
  ],
  ['nested repetitions', (examples) => examples.keys().take(5).repeat(2).repeat(3) as Pipeline<unknown>],
];

function isOdd(key: string): boolean {
  return Number(key.split(':')[1]) % 2 === 1;
}

function keysOf(batches: Pipeline<Batch>): Pipeline<unknown> {
  return batches.map((batch) => ({ key: batch.key ?? [], maybe: batch.maybe ?? [] })) as Pipeline<unknown>;
}

test.each(PIPELINES)('after any item the state leads to exactly the next: %s', async (_name, build) => {
  const examples = await open();
  const other = await open({ workers: 1 });
  const whole = await all(build(examples));
  const places = [
    0,
    1,
    2,
    6,
    7,
    13,
    16,
    17,
    18,
    33,
    34,
    102,
    103,
    104,
    205,
    206,
    whole.length - 1,
    whole.length,
  ];
  for (const place of places.filter((count) => count >= 0 && count <= whole.length)) {
    const reading = build(examples)[Symbol.asyncIterator]();
    for (let i = 0; i < place; i++) await reading.next();
    const state = reading.state();
    await reading.return();
    expect(state.length).toBeLessThan(100);
    // Once in this thread and once in another; and the state of the resumed one is as good.
    const resumed = build(place % 2 === 0 ? examples : other).resume(state);
    expect(await all(resumed)).toEqual(whole.slice(place));
    const again = resumed[Symbol.asyncIterator]();
    expect(again.state()).toBe(state);
    await again.return();
  }
});

/** Where each of `world` readers of two epochs is after `count` items, and what they gave. */
async function readTogether(world: number, count: number): Promise<{ states: string[]; given: string[] }> {
  const states: string[] = [];
  const given: string[] = [];
  for (let rank = 0; rank < world; rank++) {
    const reading = (await open({ rank, world })).keys().repeat(2)[Symbol.asyncIterator]();
    for (let i = 0; i < count; i++) given.push((await reading.next()).value as string);
    states.push(reading.state());
    await reading.return();
  }
  return { states, given };
}

/** What `world` readers give that go on from `states`, taken in turn. */
async function rest(world: number, states: readonly string[]): Promise<string[]> {
  const rests = Array.from({ length: world }, async (_, rank) => {
    const { [rank % states.length]: state } = states;
    return all((await open({ rank, world })).keys().repeat(2).resume(state!));
  });
  return (await Promise.all(rests)).flat();
}

test('each of several readers goes on from its own state, over the end of an epoch: nothing twice, nothing left out', async () => {
  const whole = await all((await open()).keys().repeat(2));
  // 103 records: epochs of 35, 34 and 34, so that after 34 the readers are no more in step.
  for (const count of [1, 33, 34, 35, 36, 60]) {
    const { states, given } = await readTogether(3, count);
    expect([...given, ...(await rest(3, states))].sort()).toEqual([...whole].sort());
  }
});

test('another number of readers goes on where an epoch begins, and is refused in the middle of one', async () => {
  const whole = await all((await open()).keys().repeat(2));
  for (const [world, count] of [
    [1, 0],
    [2, 0],
    [1, RECORDS],
    [RECORDS, 1],
  ] as const) {
    const { states, given } = await readTogether(world, count);
    expect([...given, ...(await rest(3, states))].sort()).toEqual([...whole].sort());
  }
  for (const [world, count] of [
    [1, 20],
    [2, 20],
    [2, 51],
    [2, 52],
    [2, 53],
    [3, 60],
  ] as const) {
    const { states } = await readTogether(world, count);
    const refused = new RegExp(`of ${world} reader\\(s\\), and there are 4 now.*resume with world: ${world}`);
    for (const state of states) await expect(rest(4, [state])).rejects.toThrow(refused);
  }
});

test('a state of another seed, split or pipeline is refused, and so is what is no state', async () => {
  const examples = await open();
  const reading = examples.keys().repeat(2)[Symbol.asyncIterator]();
  await reading.next();
  const state = reading.state();
  for (const other of [
    (await open({ seed: 6 })).keys().repeat(2),
    (await open({ split: 'dev' })).keys().repeat(2),
    (await open({ shuffle: 'plan' })).keys().repeat(2),
    (await open({}, 'eval')).keys().repeat(2),
    examples.keys().repeat(3),
    examples.keys(),
  ])
    expect(() => other.resume(state)).toThrow(/another split, seed, order or pipeline/);
  const { of } = JSON.parse(state) as { of: string };
  for (const text of [
    '',
    'null',
    '{}',
    '[1]',
    `{"of":"${of}"}`,
    `{"of":"${of}","at":-1}`,
    `{"of":"${of}","at":[0,"x"]}`,
    `{"of":"${of}","at":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    '['.repeat(200_000),
  ])
    expect(() => examples.keys().repeat(2).resume(text)).toThrow(UserError);
  const planned = (await open({ shuffle: 'plan' })).keys()[Symbol.asyncIterator]();
  await planned.next();
  // The order is the same, but not what is drawn.
  for (const other of [
    await open({ shuffle: 'plan', seed: 6 }),
    await open({ shuffle: 'plan', split: 'train' }, 'eval'),
  ])
    expect(() => other.keys().resume(planned.state())).toThrow(/another split, seed, order or pipeline/);
  // The right pipeline, and a place that it can't have.
  for (const at of ['[0,[1,2,3]]', '[0,[[1],2]]', '[0,[]]'])
    await expect(all(examples.keys().repeat(2).resume(`{"of":"${of}","at":${at}}`))).rejects.toThrow(
      UserError,
    );
  await expect(all(examples.keys().repeat(2).resume(`{"of":"${of}","at":7}`))).rejects.toThrow(UserError);
  expect(() => examples.keys().resume('{}').repeat()).toThrow(UserError);
});

test('a filter that leaves nothing ends, instead of going round for ever', async () => {
  expect(
    await all(
      (await open())
        .keys()
        .filter(() => false)
        .repeat(),
    ),
  ).toEqual([]);
});
