import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { witnessPath } from '../../fixtures/witness_path.js';
import { generateData } from '../datagen/generate.js';
import '../problems/all.js';
import { withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { dataStats } from './data_stats.js';
import type { ImageStats, NumberStats } from './feature_stats.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-stats-peers-'));
const dataDir = join(folder, 'data');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = process.env.T2T_PYTHON ?? 'python3';
const hasTensorFlow = spawnSync(python, ['-c', 'import tensorflow'], { timeout: 120_000 }).status === 0;
if (!hasTensorFlow) console.warn(`SKIPPED: ${python} has no tensorflow; set T2T_PYTHON to one that has`);
const witness = witnessPath('split_moments.py');

test.skipIf(!hasTensorFlow).each([
  ['fec_tiny', 'image/b'],
  ['vggface2_tiny', 'image/a'],
  ['eeg_tiny', 'eeg/raw'],
])(
  'means and deviations of %s are NumPy’s to nine digits, of pictures that TensorFlow decodes and of EEG [needs TensorFlow]',
  async (name, feature) => {
    const made = name === 'eeg_tiny' ? problem(name) : withOptions(problem(name), { find_face: false });
    await generateData(made, { dataDir, tmpDir: join(folder, 'tmp'), splits: ['train'] });
    const { stdout, stderr, status } = spawnSync(python, [witness, dataDir, name, 'train', feature], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect(status, stderr).toBe(0);
    const theirs = JSON.parse(stdout) as { mean: number[]; deviation: number[] };
    const { splits } = await dataStats(dataDir, name, { workers: 2 });
    const { channels } = splits.train!.features[feature] as ImageStats | NumberStats;
    expect(channels.length).toBe(theirs.mean.length);
    for (const [i, { mean, deviation }] of channels.entries()) {
      // The mean of what was filtered is nearly 0: it is held against the deviation.
      expect(Math.abs(mean! - theirs.mean[i]!)).toBeLessThanOrEqual(1e-9 * theirs.deviation[i]!);
      expect(Math.abs(deviation! - theirs.deviation[i]!)).toBeLessThanOrEqual(1e-9 * theirs.deviation[i]!);
    }
  },
);
