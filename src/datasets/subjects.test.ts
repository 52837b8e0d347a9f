import { describe, expect, it } from 'vitest';
import { UserError } from '../io/errors.js';
import { selectSubjects } from './subjects.js';

const ALL = ['S001', 'S002', 'S010', 'S100'];

describe('selectSubjects', () => {
  it('gives all where nothing is wished', () => {
    expect(selectSubjects(ALL, undefined)).toEqual(ALL);
  });

  for (const [wishes, chosen] of [
    [
      ['s010', 'S001'],
      ['S001', 'S010'],
    ],
    [['2'], ['S002']],
    [['1-10'], ['S001', 'S002', 'S010']],
    [[' 100 - 200 ', 'S100'], ['S100']],
  ] as const)
    it(`takes ${wishes.join(' and ')}`, () => {
      expect(selectSubjects(ALL, wishes)).toEqual(chosen);
    });

  for (const wish of ['S003', '7', '11-99', '', '-', '1-', 'S0', '9'.repeat(400)])
    it(`refuses ${JSON.stringify(wish.slice(0, 10))}, which is nobody`, () => {
      expect(() => selectSubjects(ALL, [wish])).toThrow(UserError);
    });
});
