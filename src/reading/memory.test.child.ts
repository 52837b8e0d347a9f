/** Reads the beginning of an epoch of a large split and says how much memory that took at most. */

import { NumberedProblem } from '../../fixtures/numbered_problem.js';
import { openExamples } from './examples.js';

const [dataDir, seed, records] = process.argv.slice(2) as [string, string, string];
const examples = await openExamples(new NumberedProblem(), 'train', {
  dataDir,
  seed: Number(seed),
  workers: 2,
  imports: [new URL('../../fixtures/numbered_problem.js', import.meta.url).href],
});
const keys: string[] = [];
for await (const batch of examples.take(Number(records)).batch(32).prefetch(2))
  keys.push(...(batch.key as string[]));
await examples.close();
// On Linux in KiB.
const peakMiB = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  JSON.stringify({ records: keys.length, distinct: new Set(keys).size, length: examples.length, peakMiB }),
);
