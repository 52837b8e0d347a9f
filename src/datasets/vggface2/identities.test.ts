import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../../fixtures/shared_data.js';
import { vggface2Names } from '../../../fixtures/vggface2_tree.js';
import {
  type PictureListing,
  type VggFace2Lists,
  type VggFace2Source,
  vggFace2Source,
} from './identities.js';
import { readIdentityMeta } from './identity_meta.js';
import { readImageList } from './image_list.js';
import { pictureKey } from './picture_name.js';

function opened(listings: readonly PictureListing[], lists: VggFace2Lists = {}) {
  const notes: string[] = [];
  return { source: vggFace2Source(listings, { ...lists, note: (text) => notes.push(text) }), notes };
}

function idsOf(source: VggFace2Source, part: 'train' | 'test'): string[] {
  return source.identities(part).map(({ id }) => id);
}

function namesOf(source: VggFace2Source): string[] {
  return (['train', 'test'] as const)
    .flatMap((part) => source.identities(part))
    .flatMap(({ images }) => Array.from({ length: images.length }, (_, i) => images.name(i)));
}

const keys = (...names: string[]): Float64Array =>
  Float64Array.from(names, (name) => pictureKey(name) as number);

test('every picture comes back under its name and once, whatever the order and the repeats', () => {
  const file = fc
    .tuple(
      fc.integer({ min: 1, max: 9999 }),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom('.jpg', '.jpg', '.png'),
    )
    .map(([n, face, end]) => `${String(n).padStart(4, '0')}_${String(face).padStart(2, '0')}${end}`);
  const name = fc.tuple(fc.integer({ min: 1, max: 5 }), file).map(([id, rest]) => `n00000${id}/${rest}`);
  fc.assert(
    fc.property(fc.array(name, { maxLength: 60 }), fc.array(name, { maxLength: 20 }), (first, second) => {
      const { source } = opened([
        { names: first, part: 'train' },
        { names: second, part: 'train' },
      ]);
      expect(namesOf(source).sort()).toEqual([...new Set([...first, ...second])].sort());
      for (const { id, images } of source.identities('train')) {
        expect(images.photographs).toHaveLength(images.length);
        for (let i = 0; i < images.length; i++) {
          expect(images.name(i).startsWith(`${id}/`)).toBe(true);
          expect(images.photographs[i]).toBe(Number(images.name(i).slice(8, 12)));
        }
      }
    }),
  );
});

test('pictures without a number are photographs of their own, and come last', () => {
  const { source, notes } = opened([
    {
      names: ['n000001/zoe.jpg', 'n000001/adam.png', 'n000001/0001_01.jpg', 'n000001/0001_02.png'],
      part: 'test',
    },
  ]);
  const [one] = source.identities('test');
  expect(namesOf(source)).toEqual([
    'n000001/0001_01.jpg',
    'n000001/0001_02.png',
    'n000001/adam.png',
    'n000001/zoe.jpg',
  ]);
  const [first, second, third, fourth] = one?.images.photographs ?? [];
  expect([first, second]).toEqual([1, 1]);
  expect(new Set([first, third, fourth]).size).toBe(3);
  expect(notes).toEqual([
    '3 pictures are not named as VGGFace2 names its own (n000001/0001_01.jpg): they are kept',
  ]);
  expect(() => one?.images.name(4)).toThrow(RangeError);
});

test('the part comes from the meta file, else from the lists, else from the place, else it is train, with notes', () => {
  const { source, notes } = opened(
    [
      { names: ['n000001/0001_01.jpg', 'n000002/0001_01.jpg', 'n000003/0001_01.jpg'], part: 'train' },
      { names: ['n000004/0001_01.jpg'] },
    ],
    {
      meta: [{ id: 'n000001', name: 'A', part: 'test', samples: 1, gender: 'f' }],
      listed: {
        train: keys('n000001/0001_01.jpg'),
        test: keys('n000002/0001_01.jpg'),
      },
    },
  );
  expect(idsOf(source, 'test')).toEqual(['n000001', 'n000002']);
  expect(idsOf(source, 'train')).toEqual(['n000003', 'n000004']);
  expect(source.identities('test')[0]).toMatchObject({ id: 'n000001', name: 'A', gender: 'f' });
  expect(source.identities('test')[1]).not.toHaveProperty('gender');
  expect(notes).toEqual([
    expect.stringContaining('2 identities lie in a folder or archive of the other part'),
    expect.stringContaining('of 1 identities neither identity_meta.csv'),
    '3 identities are there that identity_meta.csv does not have',
    '2 pictures are there that are in neither list',
  ]);
});

test('what the lists and the meta file promise and is not there is counted', () => {
  const { notes } = opened(
    [{ names: ['n000002/0001_01.jpg', 'x/0001_01.jpg', 'n000002/a/b.jpg'], part: 'train' }],
    {
      meta: [
        { id: 'n000001', name: 'A', part: 'test', samples: 2 },
        { id: 'n000002', name: 'B', part: 'train', samples: 3 },
      ],
      listed: { train: keys('n000002/0001_01.jpg', 'n000002/0002_01.jpg', 'n000002/0003_01.jpg') },
    },
  );
  expect(notes).toEqual([
    'of 1 of the 2 identities of identity_meta.csv no picture is there',
    'of 1 identities another number of pictures is there than identity_meta.csv counts',
    '2 of the 3 pictures of train_list.txt are not there',
    '2 pictures lie outside the folders of identities (n000001/…): they are passed over',
  ]);
});

test('made-up names have the shape of the set: people in proportion, sorted, some with two faces in a photograph', () => {
  const names = [...vggface2Names(36_250)];
  expect(names).toHaveLength(36_250);
  expect(names).toEqual([...new Set(names)].sort());
  const parts = (['train', 'test'] as const).map((part) => ({
    part,
    names: [...vggface2Names(36_250, part)],
  }));
  expect(parts.flatMap((part) => part.names).sort()).toEqual(names);
  const { source, notes } = opened(parts);
  const people = [...source.identities('train'), ...source.identities('test')];
  expect(people).toHaveLength(100);
  expect(source.identities('test').length).toBeGreaterThan(2);
  const doubled = people.filter(({ images }) => new Set(images.photographs).size < images.length);
  expect(doubled.length).toBeGreaterThan(50);
  expect(notes).toEqual([]);
});

const real = sharedData('vggface2');
test.skipIf(real === undefined)(
  'the published meta file and test list (skipped where shared data is absent) agree on every test identity',
  async () => {
    const { keys: listed } = await readImageList(`${real}/test_list.txt`);
    const { rows } = readIdentityMeta(`${real}/identity_meta.csv`);
    const names = readFileSync(`${real}/test_list.txt`, 'utf8').trim().split(/\r?\n/);
    const { source, notes } = opened([{ names, part: 'test' }], { meta: rows, listed: { test: listed } });
    expect(source.identities('test')).toHaveLength(500);
    expect(source.identities('train')).toHaveLength(0);
    expect(notes).toEqual(['of 8631 of the 9131 identities of identity_meta.csv no picture is there']);
  },
);
