/** A training job in small, for tests that kill it: reads batches, notes their keys, and keeps its state after each. */

import { appendFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NumberedProblem } from '../../fixtures/numbered_problem.js';
import { openExamples } from './examples.js';

/** What the state file holds. */
interface Saved {
  readonly state: string;
  /** Bytes of the log that had been written then: what follows is done again. */
  readonly logBytes: number;
}

const [dataDir, statePath, logPath, workers] = process.argv.slice(2) as [string, string, string, string];
const examples = await openExamples(new NumberedProblem(), 'train', {
  dataDir,
  workers: Number(workers),
  imports: [new URL('../../fixtures/numbered_problem.js', import.meta.url).href],
});
const whole = examples
  .filter((example) => !String(example.key).endsWith('7'))
  .repeat(2)
  .batch(16)
  .prefetch(2);
const saved = existsSync(statePath) ? (JSON.parse(readFileSync(statePath, 'utf8')) as Saved) : undefined;
if (saved !== undefined) truncateSync(logPath, saved.logBytes);
const reading = (saved === undefined ? whole : whole.resume(saved.state))[Symbol.asyncIterator]();
let logBytes = saved?.logBytes ?? 0;
if (saved === undefined) writeFileSync(logPath, '');
for await (const batch of reading) {
  const draws = (batch.maybe as { data: Float64Array }).data;
  const lines = (batch.key as string[]).map((key, i) => `${key} ${draws[i]}\n`).join('');
  appendFileSync(logPath, lines);
  logBytes += lines.length;
  writeFileSync(`${statePath}.tmp`, JSON.stringify({ state: reading.state(), logBytes } satisfies Saved));
  renameSync(`${statePath}.tmp`, statePath);
  // The step of training.
  await sleep(1);
}
await examples.close();
