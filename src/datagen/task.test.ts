import { expect, test } from 'vitest';
import { readTask } from './task.js';

test('a task is read as it is written', () => {
  expect(readTask('2/8', {})).toEqual({ index: 2, of: 8 });
});

test('auto reads the index of a Kubernetes Job or of a Slurm array, wherever that starts to count', () => {
  expect(readTask('auto/8', { JOB_COMPLETION_INDEX: '7' })).toEqual({ index: 7, of: 8 });
  expect(readTask('auto/8', { SLURM_ARRAY_TASK_ID: '3' })).toEqual({ index: 3, of: 8 });
  const slurm = { SLURM_ARRAY_TASK_ID: '4', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '4' };
  expect(readTask('auto', slurm)).toEqual({ index: 3, of: 4 });
});

test.each([
  ['8/8', {}],
  ['-1/8', {}],
  ['1', {}],
  ['1/0', {}],
  ['x/2', {}],
  ['auto', { JOB_COMPLETION_INDEX: '1' }],
  ['auto/2', {}],
  ['auto/2', { JOB_COMPLETION_INDEX: 'x' }],
])('%s is refused with the mend', (text, environment) => {
  expect(() => readTask(text, environment)).toThrow(/--task/);
});
