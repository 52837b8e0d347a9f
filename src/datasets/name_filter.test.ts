import fc from 'fast-check';
import { expect, test } from 'vitest';
import { vggface2Names } from '../../fixtures/vggface2_tree.js';
import { NameFilter } from './name_filter.js';

test('every name that is there is found, and no other', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (names, others) => {
      const filter = new NameFilter(names);
      const there = new Set(names);
      for (const name of [...names, ...others]) expect(filter.mayHave(name)).toBe(there.has(name));
    }),
  );
});

test('a hundred thousand names of the real layout have as many hashes: neighbours are told apart', () => {
  const names = [...vggface2Names(100_000)];
  const odd = new NameFilter(names.filter((_, i) => i % 2 === 1));
  expect(names.every((name, i) => odd.mayHave(name) === (i % 2 === 1))).toBe(true);
});
