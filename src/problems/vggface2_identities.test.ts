import fc from 'fast-check';
import { expect, test } from 'vitest';
import { vggFace2Source } from '../datasets/vggface2/identities.js';
import { withOptions } from './problem.js';
import { VggFace2Identities } from './vggface2_identities.js';

const id = (number: number): string => `n${String(number).padStart(6, '0')}`;

/** Persons by the photograph numbers of their images. */
function names(people: readonly (readonly number[])[], first = 1): string[] {
  return people.flatMap((photographs, i) =>
    photographs.map(
      (photograph, face) => `${id(first + i)}/${String(photograph).padStart(4, '0')}_0${face}.jpg`,
    ),
  );
}

const PEOPLE = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }), {
  maxLength: 8,
});

test('every image is in train or in dev once, with its identity’s number; photographs are never on both sides', () => {
  fc.assert(
    fc.property(PEOPLE, fc.double({ min: 0, max: 1, noNaN: true }), (people, fraction) => {
      const source = vggFace2Source([{ part: 'train', names: names(people) }]);
      const problem = withOptions(new VggFace2Identities(), { dev_fraction: fraction });
      const rows = (split: 'train' | 'dev') => [...problem.plan(split, source, { seed: 0, note: () => {} })];
      const [train, dev] = [rows('train'), rows('dev')];
      expect([...train, ...dev].map(({ image }) => image).sort()).toEqual(names(people).sort());
      for (const row of [...train, ...dev]) {
        expect(row.class).toBe(Number(row.image.slice(1, 7)) - 1);
        expect(row.key).toBe(row.image.slice(0, -4));
      }
      const photographs = (list: typeof train) => new Set(list.map(({ image }) => image.slice(0, 12)));
      const devPhotographs = photographs(dev);
      for (const photograph of photographs(train)) expect(devPhotographs.has(photograph)).toBe(false);
      for (const [i, one] of people.entries()) {
        const distinct = new Set(one).size;
        const inDev = [...devPhotographs].filter((photograph) => photograph.startsWith(id(i + 1))).length;
        if (fraction === 0 || distinct === 1) expect(inDev).toBe(0);
        else
          expect(inDev >= 1 && inDev < distinct && inDev <= Math.max(1, fraction * distinct + 0.5)).toBe(
            true,
          );
      }
    }),
  );
});

test('test has all images of the test identities, numbered from 0 on their own, and the notes count classes', () => {
  const source = vggFace2Source([
    { part: 'train', names: names([[1, 2, 3], [1, 2], [4]]) },
    { part: 'test', names: names([[1, 2], [7]], 10) },
  ]);
  const problem = new VggFace2Identities();
  const notes: string[] = [];
  const rows = [...problem.plan('test', source, { seed: 0, note: (text) => notes.push(text) })];
  expect(rows.map(({ image, class: number }) => [image, number])).toEqual([
    ['n000010/0001_00.jpg', 0],
    ['n000010/0002_01.jpg', 0],
    ['n000011/0007_00.jpg', 1],
  ]);
  [...problem.plan('train', source, { seed: 0, note: (text) => notes.push(text) })];
  expect(notes[0]).toContain('test has 2 classes');
  expect(notes[1]).toBe('train and dev share 3 classes');
});

test('another seed chooses other photographs for dev, the same seed the same', () => {
  const source = vggFace2Source([
    { part: 'train', names: names(Array.from({ length: 20 }, () => [1, 2, 3, 4, 5, 6, 7, 8])) },
  ]);
  const dev = (seed: number) =>
    [...new VggFace2Identities().plan('dev', source, { seed, note: () => {} })].map(({ key }) => key);
  expect(dev(1)).toEqual(dev(1));
  expect(dev(1)).not.toEqual(dev(2));
});
