/** Options of faces as a person types them. */

import { expect, test } from 'vitest';
import './all.js';
import { withOptions } from './problem.js';
import { problem } from './registry.js';

test('the limit of sharpness is a fraction, as the scale is that it is measured on', () => {
  const limited = withOptions(problem('lfw'), { min_sharpness: 0.05 });
  expect(limited.options.min_sharpness).toBe(0.05);
  expect(limited.preparation.id).not.toBe(problem('lfw').preparation.id);
  expect(() => withOptions(problem('lfw'), { min_sharpness: 65 })).toThrow(/min_sharpness is 65/);
});

test('limits in degrees and grey levels stay whole numbers', () => {
  expect(() => withOptions(problem('lfw'), { max_yaw: 20.5 })).toThrow(/max_yaw is 20.5/);
});
