import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDeapFile } from '../../fixtures/deap_file.js';
import { Deap } from './deap.js';
import { EegRuns, examplesOf } from './eeg_run.test.helper.js';
import { withOptions } from './problem.js';

const runs = new EegRuns();
afterAll(() => runs.remove());

const sampleAt = (trial: number, channel: number, sample: number): number =>
  trial + channel / 100 + sample / 1e5;
const ratingAt = (trial: number, rating: number): number => 1 + ((trial * 3 + rating * 2) % 9);

test('windows of a video have its samples, the body’s and the ratings', async () => {
  const folder = join(runs.root, 'deap');
  mkdirSync(folder);
  writeFileSync(join(folder, 's07.dat'), makeDeapFile({ sample: sampleAt, rating: ratingAt }));
  writeFileSync(join(folder, 's08.dat'), 'cposix\nsystem\n(Vtouch /tmp/pwned\ntR.');
  const options = { body: true, channels: 'Oz,Fp1', window_seconds: 8, dev_fraction: 0, test_fraction: 0 };
  const words = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
  const made = await runs.datagen('emotions', 'deap', '--manual-dir', folder, '--limit', '60', ...words);
  // 7 windows of 8 s in each of 40 minutes, of two people.
  expect(made.splits.train?.planned).toBe(60);
  expect(Object.keys(made.splits.train?.rejected ?? {})).toEqual(['unreadable-recording']);
  const examples = await examplesOf(withOptions(new Deap(), options), made.dataDir);
  expect(examples.length).toBeGreaterThan(10);
  for (const example of examples) {
    const trial = Number(example.trial) - 1;
    expect(example.recording).toBe(`s07/${String(trial + 1).padStart(2, '0')}`);
    expect(example['eeg/channels']).toEqual(['Oz', 'Fp1']);
    const first = (3 + example.onset) * 128;
    const values = (channel: number) =>
      Float32Array.from({ length: 1024 }, (_, i) => sampleAt(trial, channel, first + i));
    expect(example['eeg/raw'].subarray(0, 1024)).toEqual(values(14));
    expect(example['eeg/raw'].subarray(1024)).toEqual(values(0));
    for (const body of [0, 7])
      expect(example['body/raw']?.subarray(1024 * body, 1024 * (body + 1))).toEqual(values(32 + body));
    const ratings = [0, 1, 2, 3].map((rating) => ratingAt(trial, rating));
    expect([example.valence, example.arousal, example.dominance, example.liking]).toEqual(ratings);
    expect(example.targets).toEqual(ratings.map((rating) => (rating > 5 ? 1 : 0)));
  }
});
