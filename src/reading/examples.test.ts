import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { writeFinishedSplit } from '../../fixtures/finished_split.js';
import { NumberedProblem, numbered } from '../../fixtures/numbered_problem.js';
import { StoredProblem } from '../../fixtures/stored_problem.js';
import type { Manifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { int64, text } from '../io/features.js';
import type { DecodedExample } from '../problems/decoded.js';
import type { Batch } from './collate.js';
import { type Examples, type OpenExamplesOptions, openExamples } from './examples.js';
import type { Pipeline } from './pipeline.js';

const RECORDS = 103;
const folder = mkdtempSync(join(tmpdir(), 't2t-examples-'));
const dataDir = join(folder, 'data');
const problem = new NumberedProblem();
const imports = [new URL('../../fixtures/numbered_problem.js', import.meta.url).href];
for (const split of ['train', 'dev'] as const)
  writeFinishedSplit({ problem, split, dataDir, examples: RECORDS, shards: 3, example: numbered });

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const examples of opened) await examples.close();
  rmSync(folder, { recursive: true, force: true });
});

type Numbered = Examples<NumberedProblem['features']>;

async function open(
  options: Partial<OpenExamplesOptions> = {},
  mode: 'train' | 'eval' = 'train',
): Promise<Numbered> {
  const examples = await openExamples(problem, mode, { dataDir, workers: 0, seed: 5, imports, ...options });
  opened.push(examples);
  return examples;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test('any record can be had by its number: stored, parsed and decoded', async () => {
  const examples = await open({}, 'eval');
  expect(examples.length).toBe(RECORDS);
  for (const i of [0, 34, 35, 102, 7]) {
    expect(await examples.example(i)).toMatchObject({ key: `example:${i}`, number: i });
    expect(await examples.decoded(i)).toEqual({
      key: `example:${i}`,
      number: { data: Float64Array.of(i), shape: [] },
      signal: { data: Float32Array.of(i, i + 1, i + 2, i + 3, i + 4, i + 5), shape: [2, 3] },
      ragged: { data: Float32Array.from(numbered(i).ragged), shape: [i % 4, 2] },
      words: numbered(i).words,
      blob: numbered(i).blob,
      picture: { data: numbered(i).picture, shape: [2, 3, 1] },
      maybe: i % 2 === 0 ? { data: Float64Array.of(i), shape: [] } : undefined,
    });
  }
  await expect(examples.record(RECORDS)).rejects.toThrow(RangeError);
  await expect(examples.decoded(-1)).rejects.toThrow(RangeError);
});

test('an epoch has every record once, in an order of its own; the plan’s order is that of the files', async () => {
  const examples = await open();
  const [one, two] = split(await all(examples.keys().repeat(2)), RECORDS);
  expect(new Set(one).size).toBe(RECORDS);
  expect([...two!].sort()).toEqual([...one!].sort());
  expect(two).not.toEqual(one);
  expect(await all((await open({ seed: 6 })).keys())).not.toEqual(one);
  const plan = await open({ shuffle: 'plan' });
  expect(await all(plan.keys())).toEqual(Array.from({ length: RECORDS }, (_, i) => `example:${i}`));
});

test.each([1, 2, 4, 7, 200])(
  '%i readers share each epoch: evenly, disjointly and completely',
  async (world) => {
    const shares = await Promise.all(
      Array.from({ length: world }, async (_, rank) => all((await open({ rank, world })).keys().repeat(2))),
    );
    const sizes = shares.map((share) => share.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(2); // one an epoch
    const whole = await all((await open()).keys());
    const firsts = shares.map((share) => share.slice(0, share.length / 2));
    expect(firsts.flat().sort()).toEqual([...whole].sort());
    // Reader r has positions r, r + world, …
    for (const [rank, share] of firsts.entries())
      expect(share).toEqual(whole.filter((_, position) => position % world === rank));
  },
);

test('threads and this thread give the same examples, augmented by the same draws', async () => {
  const here = await all((await open()).repeat(2).batch(10));
  const threads = await open({ workers: 2 });
  expect(await all(threads.repeat(2).batch(10).prefetch(3))).toEqual(here);
  const draws = here.map((batch) => (batch.maybe as { data: Float64Array }).data);
  const [first] = draws;
  expect(new Set(draws.flatMap((data) => [...data])).size).toBeGreaterThan(RECORDS * 2 - 2);
  // Alone, or in a batch of another size: the same.
  const alone = await all((await open()).take(10));
  expect(alone.map((example) => (example.maybe as { data: Float64Array }).data[0])).toEqual([...first!]);
});

test('batches stack what has one shape and list the rest, and are views where the tensors lie side by side', async () => {
  const [batch] = await all((await open({ shuffle: 'plan' }, 'eval')).take(4).batch(4));
  expect(batch?.number).toEqual({ data: Float64Array.of(0, 1, 2, 3), shape: [4] });
  expect(batch?.picture).toMatchObject({ shape: [4, 2, 3, 1] });
  expect((batch?.picture as { data: Uint8Array }).data).toHaveLength(24);
  expect(batch?.signal).toMatchObject({ shape: [4, 2, 3] });
  expect(batch?.key).toEqual(['example:0', 'example:1', 'example:2', 'example:3']);
  expect(batch?.words).toEqual([[], ['word 0 of 1'], ['word 0 of 2', 'word 1 of 2'], []]);
  expect((batch!.ragged as unknown as { shape: number[] }[]).map(({ shape }) => shape)).toEqual([
    [0, 2],
    [1, 2],
    [2, 2],
    [3, 2],
  ]);
  expect((batch!.maybe as unknown[])[1]).toBeUndefined();
});

test('the last batch is smaller, or left out', async () => {
  const examples = await open();
  const sizes = (batches: Batch[]) => batches.map((batch) => (batch.key as string[]).length);
  expect(sizes(await all(examples.batch(50)))).toEqual([50, 50, 3]);
  expect(sizes(await all(examples.batch(50, { remainder: 'drop' })))).toEqual([50, 50]);
  expect(sizes(await all(examples.repeat(2).batch(100)))).toEqual([100, 100, 6]);
});

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

test('readers that keep step go on as another number of readers: nothing twice, nothing left out', async () => {
  const whole = await all((await open()).keys().repeat(2));
  const states = await Promise.all(
    [0, 1].map(async (rank) => {
      const reading = (await open({ rank, world: 2 })).keys().repeat(2)[Symbol.asyncIterator]();
      for (let i = 0; i < 20; i++) await reading.next();
      return reading.state();
    }),
  );
  expect(states[0]).toBe(states[1]);
  const rests = await Promise.all(
    [0, 1, 2].map(async (rank) => all((await open({ rank, world: 3 })).keys().repeat(2).resume(states[0]!))),
  );
  expect(rests.flat().sort()).toEqual(whole.slice(40).sort());
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
  ])
    expect(() => examples.keys().repeat(2).resume(text)).toThrow(UserError);
  // The right pipeline, and a place that it can't have.
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

test('a reader may stop in the middle, and two may read at once', async () => {
  const examples = await open({ workers: 2 });
  for await (const example of examples.prefetch(4) as AsyncIterable<DecodedExample>) {
    expect(example.key).toMatch(/^example:/);
    break;
  }
  const [a, b, c] = await Promise.all([all(examples.keys()), all(examples.keys()), all(examples.batch(16))]);
  expect(a).toEqual(b);
  expect(c.flatMap((batch) => batch.key)).toEqual(a);
});

test('only the features that are asked for are decoded', async () => {
  const examples = await open({ features: ['number', 'key'] });
  const [batch] = await all(examples.take(2).batch(2));
  expect(Object.keys(batch!)).toEqual(['number', 'key', 'maybe']); // preprocessExample adds the last
  await expect(open({ features: ['nmber'] })).rejects.toThrow(/did you mean number/);
});

/** A copy of the data folder, something in it changed. */
function damagedCopy(change: (dir: string, shard: string) => void): string {
  const dir = mkdtempSync(join(folder, 'copy-'));
  cpSync(dataDir, dir, { recursive: true });
  change(dir, join(dir, 'test_numbered-train-00001-of-00003'));
  return dir;
}

test.each<[string, (dir: string, shard: string) => void, RegExp]>([
  ['a missing shard', (_dir, shard) => rmSync(shard), /a shard is missing .*00001-of-00003/],
  [
    'a shard that grew',
    (_dir, shard) => appendFileSync(shard, 'x'),
    /a shard of \d+ bytes, where .*00001-of-00003/,
  ],
  [
    'a missing index',
    (_dir, shard) => rmSync(`${shard}.idx`),
    /index of a shard is missing .*00001-of-00003\.idx/,
  ],
  [
    'an index of another shard',
    (dir, shard) => copyFileSync(join(dir, 'test_numbered-train-00000-of-00003.idx'), `${shard}.idx`),
    /00001-of-00003\.idx/,
  ],
  [
    'an index cut short',
    (_dir, shard) => writeFileSync(`${shard}.idx`, readFileSync(`${shard}.idx`, 'utf8').slice(0, -3)),
    /00001-of-00003\.idx/,
  ],
  ['an empty index', (_dir, shard) => writeFileSync(`${shard}.idx`, ''), /00001-of-00003\.idx/],
  [
    'an unfinished split',
    (dir) => editManifest(dir, (manifest) => ({ ...manifest, complete: false })),
    /is not finished/,
  ],
  [
    'another feature',
    (dir) =>
      editManifest(dir, (manifest) => ({
        ...manifest,
        features: { ...manifest.features, number: { kind: 'text', shape: [] } },
      })),
    /"number" where test_numbered has/,
  ],
  ['no manifest', (dir) => rmSync(join(dir, 'test_numbered.train.manifest.json')), /there is no train split/],
])('%s is one clear error before the first batch', async (_name, change, message) => {
  const dir = damagedCopy(change);
  const error = await open({ dataDir: dir }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(message);
  expect((error as UserError).remedy).toBeDefined();
});

function editManifest(dir: string, edit: (manifest: Manifest) => unknown): void {
  const path = join(dir, 'test_numbered.train.manifest.json');
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, 'utf8')) as Manifest)));
}

test.each([0, 1])(
  'a record damaged after the split was opened is named by file and number, with %i thread(s)',
  async (workers) => {
    const dir = damagedCopy(() => {});
    const examples = await open({ dataDir: dir, workers, shuffle: 'plan' });
    const shard = join(dir, 'test_numbered-train-00001-of-00003');
    const bytes = readFileSync(shard);
    const { offset } = readIndexLine(`${shard}.idx`, 4);
    bytes[offset + 20]! ^= 1;
    writeFileSync(shard, bytes);
    const record = 35 + 4; // 103 records: 35, 34, 34 a shard
    for (const reading of [
      () => examples.record(record),
      () => all(examples.batch(8)),
      () => all(examples.keys()),
    ])
      await expect(reading()).rejects.toThrow(/00001-of-00003, record 4/);
    // Those before it are handed out.
    expect(await all(examples.keys().take(record))).toHaveLength(record);
    expect(await all(examples.take(record))).toHaveLength(record);
  },
);

function readIndexLine(path: string, line: number): { offset: number } {
  return { offset: Number(readFileSync(path, 'utf8').split('\n')[line]!.split(' ')[0]) };
}

test.each([0, 2])(
  'compressed shards are read in order with %i thread(s), and say so where any other is asked',
  async (workers) => {
    const dir = damagedCopy((copy) => {
      for (const i of [0, 1, 2]) {
        const shard = join(copy, `test_numbered-train-0000${i}-of-00003`);
        writeFileSync(`${shard}.gz`, gzipSync(readFileSync(shard)));
        renameSync(`${shard}.gz`, shard);
        rmSync(`${shard}.idx`);
      }
      editManifest(copy, (manifest) => ({
        ...manifest,
        shards: manifest.shards.map((shard) => ({
          ...shard,
          bytes: readFileSync(join(copy, shard.file)).length,
        })),
      }));
    });
    await expect(open({ dataDir: dir })).rejects.toThrow(/compressed shard is read in order only/);
    const examples = await open({ dataDir: dir, shuffle: 'plan', workers });
    const plan = await open({ shuffle: 'plan' });
    await expect(examples.record(3)).rejects.toThrow(/in order only/);
    expect(await all(examples.keys().repeat(2))).toEqual(await all(plan.keys().repeat(2)));
    expect(await all(examples.batch(8))).toEqual(await all(plan.batch(8)));
    const share = await open({ dataDir: dir, shuffle: 'plan', workers, rank: 1, world: 2 });
    expect(await all(share.keys())).toHaveLength(51);
  },
);

test('a Problem that threads do not know is a clear error, and needs none of them', async () => {
  class Stranger extends StoredProblem {
    readonly name = 'test_stranger';
    readonly description = 'Registered nowhere';
    readonly features = { key: text(), number: int64() };
  }
  const stranger = new Stranger();
  writeFinishedSplit({
    problem: stranger,
    split: 'train',
    dataDir,
    examples: 3,
    shards: 1,
    example: (i) => ({ key: `${i}`, number: i }),
  });
  const threads = await openExamples(stranger, 'train', { dataDir, workers: 1 });
  opened.push(threads);
  await expect(all(threads)).rejects.toThrow(/worker threads know no Problem test_stranger.*imports/);
  const here = await openExamples(stranger, 'train', { dataDir, workers: 0 });
  opened.push(here);
  expect(await all(here)).toHaveLength(3);
});

test('wrong numbers are refused where they are given', async () => {
  const examples = await open();
  expect(() => examples.take(-1)).toThrow(UserError);
  expect(() => examples.batch(0)).toThrow(UserError);
  expect(() => examples.repeat(0.5)).toThrow(UserError);
  await expect(open({ rank: 2, world: 2 })).rejects.toThrow(/rank 2 of 2/);
});

function split<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
