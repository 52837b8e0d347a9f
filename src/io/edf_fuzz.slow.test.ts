import { expect, test } from 'vitest';
import { fuzzSamples, mutate, readAll } from './edf_fuzz.test.helper.js';
import { seededRandom } from './random.js';

const MUTATIONS = 100_000;

test(`${MUTATIONS} damaged EDF and BDF files are values or clear errors, in less than 256 MiB`, async () => {
  const random = seededRandom('edf fuzz at length');
  const samples = fuzzSamples();
  const before = process.memoryUsage().rss;
  let most = 0;
  const counts = { read: 0, refused: 0 };
  for (let i = 0; i < MUTATIONS; i++) {
    const file = mutate(samples[random.below(samples.length)]!, random);
    counts[(await readAll(file)) === undefined ? 'read' : 'refused']++;
    if (i % 100 === 0) most = Math.max(most, process.memoryUsage().rss);
  }
  expect(most - before).toBeLessThan(2 ** 28);
  expect(counts.read).toBeGreaterThan(MUTATIONS / 20);
  expect(counts.refused).toBeGreaterThan(MUTATIONS / 20);
});
