/** Which part of the shards a process makes: `--task 2/8`, or the part that a cluster's scheduler numbers. */

import { UserError } from '../io/errors.js';

export interface Task {
  /** 0 … of − 1. */
  readonly index: number;
  readonly of: number;
}

/**
 * Reads `I/N`, `auto/N` or `auto`. With `auto` the index comes from JOB_COMPLETION_INDEX (Kubernetes' indexed Jobs) or
 * SLURM_ARRAY_TASK_ID, counted from SLURM_ARRAY_TASK_MIN in steps of SLURM_ARRAY_TASK_STEP; the number of tasks, where it is not given, from
 * SLURM_ARRAY_TASK_COUNT.
 * @throws UserError for anything else.
 */
export function readTask(text: string, environment: Readonly<Record<string, string | undefined>>): Task {
  const match = /^(auto|\d+)(?:\/(\d+))?$/.exec(text);
  const wrong = (what: string): UserError =>
    new UserError(what, {
      where: `--task ${text}`,
      remedy: 'write --task 0/8 … 7/8, or auto/8',
      exitCode: 2,
    });
  if (match === null) throw wrong('a task is written I/N');
  const isAuto = match[1] === 'auto';
  const count = match[2] ?? (isAuto ? environment.SLURM_ARRAY_TASK_COUNT : undefined);
  if (count === undefined) throw wrong('the number of tasks is missing');
  const index = isAuto ? schedulerIndex(environment) : Number(match[1]);
  if (index === undefined)
    throw wrong('auto needs JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID in the environment');
  const task = { index, of: Number(count) };
  if (
    !(Number.isInteger(task.of) && task.of >= 1 && Number.isInteger(index) && index >= 0 && index < task.of)
  )
    throw wrong(`task ${index} of ${count} does not exist (they are counted from 0)`);
  return task;
}

function schedulerIndex(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const completion = environment.JOB_COMPLETION_INDEX;
  if (completion !== undefined && completion !== '') return Number(completion);
  const array = environment.SLURM_ARRAY_TASK_ID;
  if (array === undefined || array === '') return undefined;
  const step = Number(environment.SLURM_ARRAY_TASK_STEP ?? 1);
  return (Number(array) - Number(environment.SLURM_ARRAY_TASK_MIN ?? 0)) / step;
}
