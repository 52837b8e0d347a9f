import { expect, test } from 'vitest';
import './all.js';
import { withOptions } from './problem.js';
import { problem, problemNames } from './registry.js';

test('a Problem is found by its name', () => {
  expect(problemNames()).toContain('fec');
  expect(problem('fec').name).toBe('fec');
});

test('a wrong name answers with the nearest right ones', () => {
  expect(() => problem('fce')).toThrow(/no Problem "fce": did you mean fec/);
  expect(() => problem('fec_tinny')).toThrow(/did you mean fec_tiny/);
});

test('options change a copy, are read by their type and follow into features and preparation', () => {
  const plain = problem('fec');
  const small = withOptions(plain, { size: '64', margin: 0.3 });
  expect(small.options.size).toBe(64);
  expect(plain.options.size).toBe(128);
  expect(small.features['image/a']?.image?.height).toBe(64);
  expect(small.preparation.id).not.toBe(plain.preparation.id);
});

test('an unknown option or a value of another type is refused with the mend', () => {
  expect(() => withOptions(problem('fec'), { marginn: 1 })).toThrow(/did you mean margin/);
  expect(() => withOptions(problem('fec'), { margin: 'wide' })).toThrow(/a number is wanted/);
  expect(() => withOptions(problem('fec'), { margin: '' })).toThrow(/a number is wanted/);
});
