import { expect, test } from 'vitest';
import { type VggFace2Source, vggFace2Source } from '../datasets/vggface2/identities.js';
import { seededRandom } from '../io/random.js';
import type { Split } from './problem.js';
import { withOptions } from './problem.js';
import { type IdentityTripletRow, VggFace2 } from './vggface2.js';

const TRAIN = 40;
const TEST = 12;

/** Persons 1 … 40 are train's and 41 … 52 test's; each third is a woman, of each tenth nothing is known. */
function smallSource(options: { readonly photographs?: number } = {}): VggFace2Source {
  const random = seededRandom('small source');
  const numbers = Array.from({ length: TRAIN + TEST }, (_, i) => i + 1);
  const id = (number: number): string => `n${String(number).padStart(6, '0')}`;
  return vggFace2Source(
    [
      {
        names: numbers.flatMap((number) =>
          Array.from({ length: options.photographs ?? 3 + random.below(10) }, (_, i) => [
            `${id(number)}/${String(i + 1).padStart(4, '0')}_01.jpg`,
            ...(i % 3 === 0 ? [`${id(number)}/${String(i + 1).padStart(4, '0')}_02.jpg`] : []),
          ]).flat(),
        ),
      },
    ],
    {
      meta: numbers.map((number) => ({
        id: id(number),
        name: `Person ${number}`,
        part: number <= TRAIN ? 'train' : 'test',
        samples: 0,
        ...(number % 10 === 0 ? {} : { gender: number % 3 === 0 ? 'f' : 'm' }),
      })),
    },
  );
}

function plan(
  split: Split,
  options: Record<string, number | boolean>,
  { seed = 0, source = smallSource() } = {},
): { rows: IdentityTripletRow[]; notes: string[] } {
  const notes: string[] = [];
  const small = { examples: 2000, dev_examples: 150, test_examples: 200, dev_identities: 8 };
  const problem = withOptions(new VggFace2(), { ...small, ...options });
  const rows = [...problem.plan(split, source, { seed, note: (text) => notes.push(text) })];
  return { rows, notes };
}

const personOf = (image: string): string => image.slice(0, 7);
const photographOf = (image: string): string => image.slice(0, 12);

test('each row is two photographs of one person and one of another, with the odd one’s place in targets', () => {
  const { rows } = plan('train', {});
  expect(rows.length).toBe(2000);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(2000);
  for (const row of rows) {
    const odd = row.images[row.odd - 1] as string;
    const [first, second] = row.images.filter((image) => image !== odd).sort() as [string, string];
    expect(personOf(first)).toBe(personOf(second));
    expect(photographOf(first)).not.toBe(photographOf(second));
    expect(personOf(odd)).not.toBe(personOf(first));
    expect(row.key).toBe(`${first.slice(0, -4)}+${second.slice(8, -4)}-${odd.slice(0, -4)}`);
    expect(new VggFace2().inputs(row).map(({ url }) => url)).toEqual(
      row.images.map((name) => `dataset:${name}`),
    );
    const input = (name: string) => ({
      input: { url: name },
      bytes: new TextEncoder().encode(name),
      contentSha256: name,
    });
    expect(new VggFace2().example(row, row.images.map(input))).toMatchObject({
      key: row.key,
      targets: row.odd,
      'image/a/identity': personOf(row.images[0]),
      'image/b/path': row.images[1],
      'image/c/sha256': row.images[2],
    });
  }
});

test('no person is in two splits: dev has whole identities of train’s, test the official ones', () => {
  const people = (split: Split) =>
    new Set(plan(split, {}).rows.flatMap(({ images }) => images.map(personOf)));
  const [train, dev, testPeople] = [people('train'), people('dev'), people('test')];
  expect([train.size, dev.size, testPeople.size]).toEqual([TRAIN - 8, 8, TEST]);
  expect(new Set([...train, ...dev, ...testPeople]).size).toBe(TRAIN + TEST);
  for (const person of testPeople) expect(Number(person.slice(1))).toBeGreaterThan(TRAIN);
});

test('the same seed gives the same rows, another seed other rows and another dev', () => {
  for (const split of ['train', 'dev', 'test'] as const) {
    const { rows } = plan(split, {}, { seed: 3 });
    expect(plan(split, {}, { seed: 3 }).rows).toEqual(rows);
    const keys = new Set(rows.map(({ key }) => key));
    const others = plan(split, {}, { seed: 4 }).rows.filter(({ key }) => keys.has(key)).length;
    expect(others).toBeLessThan(rows.length / 4);
  }
  const devPeople = (seed: number) =>
    [...new Set(plan('dev', {}, { seed }).rows.flatMap(({ images }) => images.map(personOf)))].sort();
  expect(devPeople(3)).not.toEqual(devPeople(4));
});

test('with same_sex all three are of one sex, and who has none in the metadata takes no part, with a note', () => {
  const { rows, notes } = plan('train', { same_sex: true, dev_identities: 0 });
  expect(rows.length).toBe(2000);
  for (const { genders } of rows) expect(['m,m,m', 'f,f,f']).toContain(genders.join());
  expect(notes.join()).toContain('4 identities take no part');
  expect(plan('train', {}).rows.some(({ genders }) => new Set(genders).size > 1)).toBe(true);
});

test('more triplets than exist are all that exist, with a note', () => {
  const source = vggFace2Source([
    {
      part: 'test',
      names: ['n000001/0001_01.jpg', 'n000001/0002_01.jpg', 'n000001/0002_02.jpg', 'n000002/0001_01.jpg'],
    },
  ]);
  const { rows, notes } = plan('test', { test_examples: 1_000_000 }, { source });
  expect(rows.map(({ key }) => key).sort()).toEqual([
    'n000001/0001_01+0002_01-n000002/0001_01',
    'n000001/0001_01+0002_02-n000002/0001_01',
  ]);
  expect(notes).toEqual([
    'test has 2 triplets, not 1000000: no more exist',
    'test: 1 identities have fewer than two photographs and are only ever the other person',
  ]);
});

test('dev never takes more than half of train’s identities, and says so', () => {
  const { rows, notes } = plan('dev', { dev_identities: 1000 });
  expect(new Set(rows.flatMap(({ images }) => images.map(personOf))).size).toBe(TRAIN / 2);
  expect(notes.join()).toContain('dev has 20 identities, not 1000');
});
