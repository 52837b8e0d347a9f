import { expect, test } from 'vitest';
import { coverage } from './bootstrap_coverage.test.helper.js';

test.each([
  ['of one group each', { groups: 40, rows: 200, each: 1, shared: 1 }],
  ['of one group each, of which there are ten', { groups: 10, rows: 60, each: 1, shared: 1 }],
  ['of two groups each', { groups: 40, rows: 200, each: 2, shared: 0.7 }],
  ['of three groups each', { groups: 60, rows: 200, each: 3, shared: 0.5 }],
  ['of three groups each, many of both', { groups: 200, rows: 600, each: 3, shared: 0.5 }],
  ['of three groups each, which say nothing', { groups: 60, rows: 200, each: 3, shared: 0 }],
] as const)('intervals over rows %s hold the truth about 95 times of 100', (_, kind) => {
  const { held, width } = coverage(kind, { times: 300, replicates: 300, over: 'groups' });
  console.info(`${JSON.stringify(kind)}: held ${held.toFixed(3)}, width ${width.toFixed(3)}`);
  // Seeds are fixed; of 300 that hold with 95 %, 91 to 98.4 % do with 99.9 %.
  expect(held).toBeGreaterThan(0.91);
  expect(held).toBeLessThan(0.984);
});
