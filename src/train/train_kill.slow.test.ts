import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCli } from '../../fixtures/run_cli.js';
import { CheckpointFolder } from './checkpoint_folder.js';
import { readMetrics } from './metrics_log.js';
import { readRun } from './run_folder.js';
import { testFolder } from './small_run.test.helper.js';

const EXECUTABLE = fileURLToPath(new URL('../../bin/t2t-ts.js', import.meta.url));

/** Pictures are augmented and numbers dropped out: both must come again as they were. */
const words = (outputDir: string): string[] => [
  ...['train', '--problem', 'fec_tiny', '--output-dir', outputDir, '--backend', 'wasm'],
  ...['--hparams', 'image_size=16,batch_size=6,dropout=0.2,train_steps=80,accumulate_steps=2'],
  ...['--eval-every', '5'],
];

test('a run that is killed three times has the losses and the weights of one that was not, number for number', async () => {
  const folder = testFolder();
  const dataDir = join(folder, 'data');
  const made = await runCli(['datagen', 'fec_tiny', '--data-dir', dataDir, '--tmp-dir', join(folder, 'tmp')]);
  expect(made.code).toBe(0);
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
  const undisturbed = await runCli([...words(whole), '--data-dir', dataDir]);
  expect([undisturbed.code, undisturbed.stderr]).toEqual([0, expect.stringContaining('step 80')]);

  for (const afterEvaluations of [1, 2, 1]) {
    const child = spawn(process.execPath, [EXECUTABLE, ...words(killed), '--data-dir', dataDir], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exit = once(child, 'close');
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.split('dev triplet_accuracy').length > afterEvaluations)
        setTimeout(() => child.kill('SIGKILL'), Math.random() * 50);
    });
    expect(await exit).toEqual([null, 'SIGKILL']);
  }
  const resumed = await runCli([...words(killed), '--data-dir', dataDir]);
  expect(resumed.code).toBe(0);
  expect(readRun(killed).parts.length).toBe(4);
  expect(readRun(killed).parts.at(-1)!.step).toBeGreaterThan(0);
  expect(readMetrics(killed)).toEqual(readMetrics(whole));
  const [a, b] = [whole, killed].map((run) => new CheckpointFolder(join(run, 'checkpoints')));
  for (const which of [
    (run: CheckpointFolder) => run.last()!.checkpoint,
    (run: CheckpointFolder) => run.best()!,
  ]) {
    const [left, right] = [which(a!), which(b!)];
    expect([right.step, right.state]).toEqual([left.step, left.state]);
    for (const [name, tensor] of left.tensors)
      expect([name, right.tensors.get(name)]).toEqual([name, tensor]);
  }
});
