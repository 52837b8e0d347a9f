import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { writeFinishedSplit } from '../../fixtures/finished_split.js';
import { numbered } from '../../fixtures/numbered_problem.js';
import { StoredProblem } from '../../fixtures/stored_problem.js';
import { importedProblem, problemIn } from '../datagen/manifest_problem.js';
import { UserError } from '../io/errors.js';
import { createExampleEncoder } from '../io/example.js';
import { image, int64, text } from '../io/features.js';
import type { DecodedExample, Mode } from '../problems/decoded.js';
import type { Batch } from './collate.js';
import { ExampleDecoder } from './decode_examples.js';
import { openExamples } from './examples.js';
import { ImageDecoder } from './image_decoder.js';
import { all, dataDir, open, problem, RECORDS } from './numbered_split.test.helper.js';

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

test.each([1, 2, 4, 7, RECORDS])(
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
  expect((batch!.picture as { data: Uint8Array }).data).toHaveLength(24);
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

test('a Problem that threads do not know is a clear error, and needs none of them', async () => {
  class Stranger extends StoredProblem {
    readonly name = 'test_stranger';
    readonly description = 'Registered nowhere';
    readonly features = { key: text(), number: int64() };
    override preprocessExample(example: DecodedExample): DecodedExample {
      return { ...example, seen: 'yes' };
    }
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
  await expect(all(threads)).rejects.toThrow(/worker threads know no Problem test_stranger.*imports/);
  await threads.close();
  const here = await openExamples(stranger, 'train', { dataDir, workers: 0 });
  expect(await all(here)).toHaveLength(3);
  await here.close();
});

test('threads read a split whose Problem is in its manifest alone', async () => {
  const dir = join(dataDir, 'imported');
  const taxi = importedProblem({
    name: 'test_taxi',
    version: '1.2.0',
    features: { key: text(), number: int64() },
    options: {},
    preparation: 'none',
    dataset: problem.dataset,
  });
  writeFinishedSplit({
    problem: taxi,
    split: 'train',
    dataDir: dir,
    examples: 30,
    shards: 2,
    example: (i) => ({ key: `${i}`, number: i }),
  });
  const read = async (workers: number): Promise<DecodedExample[]> => {
    const examples = await openExamples(problemIn(dir, 'test_taxi'), 'train', { dataDir: dir, workers });
    try {
      return await all(examples);
    } finally {
      await examples.close();
    }
  };
  const here = await read(0);
  expect(here).toHaveLength(30);
  expect(await read(2)).toEqual(here);
});

test('wrong numbers are refused where they are given', async () => {
  const examples = await open();
  expect(() => examples.take(-1)).toThrow(UserError);
  expect(() => examples.batch(0)).toThrow(UserError);
  expect(() => examples.batch(Number.POSITIVE_INFINITY)).toThrow(UserError);
  expect(() => examples.prefetch(Number.POSITIVE_INFINITY)).toThrow(UserError);
  expect(() => examples.repeat(0.5)).toThrow(UserError);
  await expect(open({ rank: 2, world: 2 })).rejects.toThrow(/rank 2 of 2/);
  await expect(open({ rank: 3, world: RECORDS + 1 })).rejects.toThrow(
    /104 readers share 103 records: some would get nothing/,
  );
});

test.each<[string, object]>([
  ...[-1, Number.NaN, 0.4, '2', 257, Number.POSITIVE_INFINITY].map((workers): [string, object] => [
    'workers',
    { workers },
  ]),
  ...[Number.NaN, 1.5, 2 ** 53, '1'].map((seed): [string, object] => ['seed', { seed }]),
  ['shuffle', { shuffle: 'Plan' }],
  ['mode', { mode: 'tarin' }],
])('a wrong %s is refused before anything is read: %o', async (name, given) => {
  const { mode = 'train', ...options } = given as { mode?: Mode };
  const error = await open(options, mode).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UserError);
  const { what, where, remedy } = error as UserError;
  expect(what).toMatch(new RegExp(`^${name} is `));
  expect(where).toContain(name);
  expect(remedy).toMatch(/^give /);
});

test.each([0, 2])('a closed reader says so, with %i thread(s)', async (workers) => {
  const examples = await open({ workers });
  const readings = [examples.keys().repeat(), examples.batch(2).repeat()].map((items) =>
    (items as AsyncIterable<unknown>)[Symbol.asyncIterator](),
  );
  for (const reading of readings) await reading.next();
  await examples.close();
  await examples.close();
  for (const reading of readings) {
    const rest = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) await reading.next();
    };
    await expect(rest()).rejects.toThrow(/^the reader is closed: open it again/);
  }
  for (const later of [() => examples.record(1), () => examples.decoded(1), () => all(examples)])
    await expect(later()).rejects.toThrow(UserError);
});

test('a thread that ends by itself fails whoever waits, whatever its code', async () => {
  for (const code of [0, 3]) {
    const ends = `data:text/javascript,${encodeURIComponent(`process.exit(${code})`)}`;
    const error = await all(await open({ workers: 1, imports: [ends] })).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).what).toBe(`a reading thread failed: it ended with code ${code}`);
    expect((error as UserError).remedy).toBeDefined();
  }
});

test('a program that names itself in `imports` is told, and starts no thread after thread', async () => {
  const examplesUrl = new URL('./examples.js', import.meta.url).href;
  const itself = `data:text/javascript,${encodeURIComponent(
    `import { openExamples } from ${JSON.stringify(examplesUrl)}; await openExamples(undefined, 'train', {});`,
  )}`;
  const examples = await open({ workers: 1, imports: [itself] });
  await expect(all(examples)).rejects.toThrow(/`imports` opens a reader.*only registers Problems/);
});

test('a picture of another size than the feature says is refused by record and name', async () => {
  const square = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const features = { picture: image({ encoding: 'jpeg', height: 16, width: 16, channels: 3 }) };
  const decoder = new ExampleDecoder(features, await ImageDecoder.open());
  const record = createExampleEncoder(features).encode({ picture: square });
  await expect(
    (async () => decoder.decode(record, decoder.room(1)[0]!, 'a.tfrecord, record 3'))(),
  ).rejects.toThrow(
    /feature "picture" holds a picture of 8 × 8 × 3 where 16 × 16 × 3 is wanted \(a\.tfrecord, record 3\)/,
  );
});

function split<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
