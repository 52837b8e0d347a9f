import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileName, identityId, identityNumber, pictureKey } from './picture_name.js';

const numbers = fc.record({
  identity: fc.nat({ max: 999_999 }),
  photograph: fc.nat({ max: 2 ** 22 - 1 }),
  face: fc.nat({ max: 1023 }),
});

test('a name goes to a key and back, with or without .jpg, and keys sort by identity, photograph and face', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const name = `${identityId(a.identity)}/${fileName(a.photograph * 1024 + a.face)}`;
      const key = pictureKey(name) as number;
      expect(Number.isSafeInteger(key)).toBe(true);
      expect(pictureKey(name.slice(0, -4))).toBe(key);
      expect(`${identityId(Math.floor(key / 2 ** 32))}/${fileName(key % 2 ** 32)}`).toBe(name);
      const other = pictureKey(
        `${identityId(b.identity)}/${fileName(b.photograph * 1024 + b.face)}`,
      ) as number;
      const order = a.identity - b.identity || a.photograph - b.photograph || a.face - b.face;
      expect(Math.sign(key - other)).toBe(Math.sign(order));
    }),
  );
});

test.each([
  'n000001/0001_01.JPG',
  'n000001/0001_01.png',
  'n000001/00001_01.jpg',
  'n000001/001_01.jpg',
  'n000001/0001_1.jpg',
  'n000001/0001_001.jpg',
  'n000001/0001-01.jpg',
  'n00001/00001_01.jpg',
  'm000001/0001_01.jpg',
  'n00000x/0001_01.jpg',
  'n000001/0001_01',
  'n000001/9999999_01.jpg',
  'n000001/0001_9999.jpg',
  'n000001/0001_01.jpg.jpg',
  '',
])('%j has a key only where the set’s own pattern gives it back letter by letter', (name) => {
  expect(pictureKey(name)).toBe(name === 'n000001/0001_01' ? pictureKey('n000001/0001_01.jpg') : undefined);
});

test('ids are n and six digits', () => {
  expect(identityNumber('n000147')).toBe(147);
  for (const id of ['n00147', 'n0001470', 'x000147', 'n00014x', ''])
    expect(identityNumber(id)).toBeUndefined();
});
