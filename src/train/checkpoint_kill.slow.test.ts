import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CheckpointFolder } from './checkpoint_folder.js';

/** Saves 4 MB at each step, as the best one at each third, and says each step when it is saved. */
const SAVING = `
  const { CheckpointFolder } = await import(${JSON.stringify(new URL('./checkpoint_folder.js', import.meta.url).href)});
  const { writeSync } = await import('node:fs');
  const run = new CheckpointFolder(process.argv[1]);
  for (let step = (run.last()?.checkpoint.step ?? 0) + 1; ; step++) {
    const data = new Float32Array(1 << 20).fill(step);
    run.save({ step, tensors: new Map([['w', { data, shape: [1 << 20] }]]), state: { step } }, step % 3 === 0 ? 'best' : 'last');
    writeSync(1, step + '\\n');
  }`;

test('a run that is killed while it saves, twenty times, always has a whole last and a whole best checkpoint', async () => {
  const folder = mkdtempSync(join(tmpdir(), 't2t-checkpoint-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let leftovers = 0;
  for (let kill = 0; kill < 20; kill++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', SAVING, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const exit = once(child, 'close');
    await once(child.stdout, 'data');
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 150);
    const [code, signal] = (await exit) as [number | null, string | null];
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    leftovers += readdirSync(folder).filter((name) => name.endsWith('.tmp')).length;
    const run = new CheckpointFolder(folder);
    const { checkpoint, passedOver } = run.last()!;
    const lastSaid = Number(said.trim().split('\n').at(-1));
    expect(passedOver).toEqual([]);
    expect([lastSaid, lastSaid + 1]).toContain(checkpoint.step);
    expect(checkpoint.state).toEqual({ step: checkpoint.step });
    expect(checkpoint.tensors.get('w')!.data.every((value) => value === checkpoint.step)).toBe(true);
    if (lastSaid >= 3) expect(run.best()!.step).toBeGreaterThanOrEqual(lastSaid - (lastSaid % 3));
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }
  console.info(`half-written files left by twenty kills: ${leftovers}`);
}, 120_000);
