import { expect, test } from 'vitest';
import { fuzzSamples, mutate, readAll } from './edf_fuzz.test.helper.js';
import { seededRandom } from './random.js';

/** The slow suite has 100,000. */
const MUTATIONS = 3000;

test('whole files of all formats are read without a fault', async () => {
  for (const sample of fuzzSamples()) expect(await readAll(sample)).toBeUndefined();
});

test(`${MUTATIONS} damaged files are values or clear errors`, async () => {
  const random = seededRandom('edf fuzz');
  const samples = fuzzSamples();
  const counts = new Map<string, number>();
  for (let i = 0; i < MUTATIONS; i++) {
    const fault = (await readAll(mutate(samples[random.below(samples.length)]!, random))) ?? 'read';
    counts.set(fault, (counts.get(fault) ?? 0) + 1);
  }
  // All of these must happen, or the mutations test nothing.
  for (const fault of ['read', 'header', 'truncated', 'annotation', 'not-edf', 'shifted', 'timekeeping'])
    expect(counts.get(fault) ?? 0, fault).toBeGreaterThan(0);
});
