/** Runs `t2t-ts datagen` over EEG Problems for tests, and reads what it wrote. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { runCli } from '../../fixtures/run_cli.js';
import { createExampleParser } from '../io/example_parser.js';
import type { ParsedExample } from '../io/features.js';
import { readRecords } from '../io/tfrecord_reader.js';
import type { Problem } from './problem.js';

export interface SplitResult {
  readonly planned: number;
  readonly written: number;
  readonly rejected: Readonly<Record<string, number>>;
}

export interface RunResult {
  readonly splits: Readonly<Record<string, SplitResult>>;
  readonly notes: readonly string[];
  readonly dataDir: string;
}

/** A folder for a test file's runs, and how they are made. */
export class EegRuns {
  readonly root = mkdtempSync(join(tmpdir(), 't2t-eeg-'));

  /**
   * `datagen` of the Problem that `module` (`eeg_sleep_stages`) registers, into a folder called `name`; it must end well, and
   * every planned example must be written or rejected. Runs that share `raw` share what was fetched.
   */
  async datagen(
    name: string,
    module: string,
    ...words: readonly (string | { readonly raw?: string; readonly problem?: string })[]
  ): Promise<RunResult> {
    const { raw = name, problem = module } = words.find((word) => typeof word !== 'string') ?? {};
    const dataDir = join(this.root, name);
    const result = await runCli([
      'datagen',
      problem,
      ...['--import', fileURLToPath(new URL(`./${module}.js`, import.meta.url))],
      ...['--data-dir', dataDir, '--tmp-dir', join(this.root, `${raw}-tmp`), '--json'],
      ...words.filter((word) => typeof word === 'string'),
    ]);
    expect(result.code, result.stderr).toBe(0);
    const { splits, notes } = result.json as unknown as RunResult;
    for (const { planned, written, rejected } of Object.values(splits))
      expect(written + Object.values(rejected).reduce((sum, count) => sum + count, 0)).toBe(planned);
    return { splits, notes, dataDir };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** All examples of a run, sorted by their keys, with their split. */
export async function examplesOf<P extends Problem>(
  problem: P,
  dataDir: string,
): Promise<(ParsedExample<P['features']> & { readonly key: string; readonly split: string })[]> {
  const parser = createExampleParser(problem.features);
  const found: { key: string; split: string }[] = [];
  for (const file of readdirSync(dataDir).sort()) {
    const [, name, split] = /^(.+)-(train|dev|test)-\d{5}-of-\d{5}$/.exec(file) ?? [];
    if (name !== problem.name || split === undefined) continue;
    for await (const { data } of readRecords(join(dataDir, file)))
      found.push({ ...(parser.parse(data) as { key: string }), split });
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1)) as never;
}

/** The people of each split; fails where somebody is in two. */
export function peopleOf(
  examples: readonly { readonly subject: string; readonly split: string }[],
): Map<string, string> {
  const sides = new Map<string, string>();
  for (const { subject, split } of examples) {
    expect(sides.get(subject) ?? split).toBe(split);
    sides.set(subject, split);
  }
  return sides;
}
