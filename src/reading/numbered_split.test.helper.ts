/** A small split in a folder of its own, and readers of it that are closed when the tests of a file have run. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeFinishedSplit } from '../../fixtures/finished_split.js';
import { NumberedProblem, numbered } from '../../fixtures/numbered_problem.js';
import type { Mode } from '../problems/decoded.js';
import { type Examples, type OpenExamplesOptions, openExamples } from './examples.js';

export const RECORDS = 103;
export const folder = mkdtempSync(join(tmpdir(), 't2t-examples-'));
export const dataDir = join(folder, 'data');
export const problem = new NumberedProblem();
for (const split of ['train', 'dev'] as const)
  writeFinishedSplit({ problem, split, dataDir, examples: RECORDS, shards: 3, example: numbered });

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const examples of opened) await examples.close();
  rmSync(folder, { recursive: true, force: true });
});

export type Numbered = Examples<NumberedProblem['features']>;

/** Opens the split in the mode train, in this thread where no number of workers is given. */
export async function open(
  options: Partial<OpenExamplesOptions> = {},
  mode: Mode = 'train',
): Promise<Numbered> {
  const imports = [new URL('../../fixtures/numbered_problem.js', import.meta.url).href];
  const examples = await openExamples(problem, mode, { dataDir, workers: 0, seed: 5, imports, ...options });
  opened.push(examples);
  return examples;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
