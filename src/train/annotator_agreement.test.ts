import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreementWithOthers, majorityVoteShare } from './annotator_agreement.js';

test('known votes: each annotator against the majority of the others, by hand', () => {
  const rows = [
    [1, 1, 1, 1, 1, 1],
    // Each of four is with the others' majority, the two others are not.
    [1, 1, 1, 1, 2, 3],
    // Each of three sees 2 against 3: nobody agrees.
    [1, 1, 1, 2, 2, 2],
    // Against 1, 3 the 1 is one of two at the top; so are both others.
    [1, 1, 3, 3],
    [2],
  ];
  expect([...agreementWithOthers(rows)]).toEqual([1, 4 / 6, 0, 0, Number.NaN]);
  expect([...majorityVoteShare(rows)]).toEqual([1, 4 / 6, 0.5, 0.5, 1]);
  // The first sees {1, 2}, tied: half; the second sees {1, 1}; the third sees {1, 2}.
  expect([...agreementWithOthers([[1, 2, 1]])]).toEqual([(0.5 + 0 + 0.5) / 3]);
});

test('nobody agrees more with the others than all agree with the majority', () => {
  const votes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 9 });
  fc.assert(
    fc.property(votes, (row) => {
      const [agreement] = agreementWithOthers([row]);
      expect(agreement).toBeGreaterThanOrEqual(0);
      expect(agreement).toBeLessThanOrEqual(majorityVoteShare([row])[0]! + 1e-12);
    }),
  );
});
