import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../io/errors.js';
import { splitSubjects } from './subject_split.js';

const people = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 60 });
const fractions = fc
  .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }))
  .map(([dev, test]) => ({ devFraction: dev / 100, testFraction: test / 100 }));
const seed = fc.string();

describe('splitSubjects', () => {
  it('puts everybody on one side, whatever the order and however often they are named', () => {
    fc.assert(
      fc.property(people, fractions, seed, (names, wanted, text) => {
        const split = splitSubjects(names, { ...wanted, seed: text });
        expect([...split.keys()].sort()).toEqual([...names].sort());
        const again = splitSubjects([...names, ...names].reverse(), { ...wanted, seed: text });
        expect([...again].sort()).toEqual([...split].sort());
      }),
    );
  });

  it('gives the fractions asked for, to a person, and train at least one', () => {
    fc.assert(
      fc.property(people, fractions, seed, (names, { devFraction, testFraction }, text) => {
        const sides = [...splitSubjects(names, { devFraction, testFraction, seed: text }).values()];
        const count = (side: string): number => sides.filter((other) => other === side).length;
        const share = (fraction: number): number =>
          fraction === 0 ? 0 : Math.max(1, Math.round(fraction * names.length));
        const isTrainWanted = devFraction + testFraction < 1;
        if (names.length > 0 && isTrainWanted) expect(count('train')).toBeGreaterThan(0);
        if (share(devFraction) + share(testFraction) < names.length) {
          expect(count('dev')).toBe(share(devFraction));
          expect(count('test')).toBe(share(testFraction));
        } else expect(count('dev') + count('test')).toBe(Math.max(0, names.length - (isTrainWanted ? 1 : 0)));
      }),
    );
  });

  it('moves nobody but those at the borders when another person comes', () => {
    fc.assert(
      fc.property(people, fractions, seed, (names, wanted, text) => {
        fc.pre(names.length > 0);
        const before = splitSubjects(names.slice(1), { ...wanted, seed: text });
        const after = splitSubjects(names, { ...wanted, seed: text });
        const moved = [...before].filter(([name, side]) => after.get(name) !== side);
        expect(moved.length).toBeLessThanOrEqual(4);
      }),
    );
  });

  it('cuts other people with another seed', () => {
    const names = Array.from({ length: 40 }, (_, i) => `S${i}`);
    const cut = (text: string) => splitSubjects(names, { devFraction: 0.2, testFraction: 0.2, seed: text });
    expect([...cut('0')].sort()).not.toEqual([...cut('1')].sort());
  });

  it('refuses fractions that are more than all', () => {
    for (const devFraction of [0.6, -0.1, Number.NaN])
      expect(() => splitSubjects(['a'], { devFraction, testFraction: 0.5, seed: '' })).toThrow(UserError);
  });
});
