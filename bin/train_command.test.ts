import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../fixtures/run_cli.js';
import { testFolder, writeWindows } from '../src/train/small_run.test.helper.js';

test('`train` and `eval` go from shards to a score, and refuse what does not fit in a sentence', async () => {
  const [dataDir, outputDir] = [join(testFolder(), 'data'), join(testFolder(), 'run')];
  for (const split of ['train', 'dev', 'test'] as const) writeWindows(dataDir, split, 16);
  const place = ['--data-dir', dataDir, '--output-dir', outputDir];
  const words = ['train', '--problem', 'small_windows', '--hparams-set', 'eegnet_tiny', ...place];
  const settings = [
    '--hparams',
    'batch_size=8,temporal_kernel=8',
    '--steps',
    '6',
    '--eval-every',
    '3',
    '--backend',
    'wasm',
  ];

  const trained = await runCli([...words, ...settings, '--json']);
  expect([trained.code, trained.stderr]).toEqual([
    0,
    expect.stringContaining('step 3: dev balanced_accuracy'),
  ]);
  expect(trained.json).toMatchObject({
    problem: 'small_windows',
    steps: 6,
    backend: 'wasm',
    weights: expect.any(Number),
  });
  expect(existsSync(join(outputDir, 'checkpoints', 'best.safetensors'))).toBe(true);

  const other = await runCli([...words, ...settings, '--seed', '1']);
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('has seed 0, not 1')]);
  const unsuited = await runCli([...words, '--model', 'linear_probe']);
  expect([unsuited.code, unsuited.stderr]).toEqual([
    2,
    expect.stringContaining('is for eegnet, not for linear_probe'),
  ]);

  const page = join(outputDir, 'page.html');
  const scored = await runCli(['eval', ...place, '--split', 'test', '--html', page]);
  expect([scored.code, scored.stdout]).toEqual([0, expect.stringContaining('balanced_accuracy')]);
  expect(scored.stdout).toContain('model − band power');
  expect(scored.stdout).toContain("look 1 of this run at small_windows's test split");
  expect(readFileSync(page, 'utf8')).toContain('small_windows test');
  const wrong = await runCli(['eval', '--problem', 'eeg_tiny', ...place]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('give --transfer eeg_tiny')]);
});
