/** Which backend computes, and why; each in a process of its own, since a process has one. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openBackend, openNative } from './backend.js';

/** Runs a module that has `openBackend`, `openNative` and `tf`; what it prints last, read as JSON. */
async function inProcess(lines: string): Promise<unknown> {
  const module = `
    import { openBackend, openNative } from ${JSON.stringify(new URL('backend.js', import.meta.url).href)};
    const show = (value) => console.log(JSON.stringify(value));
    ${lines}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', module], {
    timeout: 60_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

test('WebAssembly computes on threads that let the process end, and gives the numbers of one thread', async () => {
  const program = (threads: number) => `
    const { tf, name, threads, reason } = await openBackend({ prefer: 'wasm', threads: ${threads} });
    const of = (rows, columns) => tf.tensor2d(Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)), [rows, columns]);
    const sum = tf.sum(tf.matMul(of(300, 200), of(200, 100)), 1).dataSync();
    show({ name, threads, reason, sum: [...sum], listeners: process.listenerCount('uncaughtException'), worker: typeof Worker });`;
  const one = (await inProcess(program(1))) as { sum: number[] };
  const three = (await inProcess(program(3))) as typeof one;
  expect(three).toMatchObject({
    name: 'wasm',
    threads: 3,
    reason: 'WebAssembly (wasm) on 3 threads: as asked for',
    listeners: 0,
    worker: 'undefined',
  });
  expect(one).toMatchObject({ threads: 1, reason: 'WebAssembly (wasm) on 1 thread: as asked for' });
  expect(three.sum).toEqual(one.sum);
});

test('an error that nobody catches ends the process as ever, though threads wait', async () => {
  const failing = inProcess("await openBackend({ prefer: 'wasm', threads: 2 }); throw new Error('mine');");
  await expect(failing).rejects.toMatchObject({ code: 1 });
});

test('plain JavaScript computes where it is asked for, and says nothing of its own', async () => {
  const opened = await inProcess(`
    const { tf, name, reason } = await openBackend({ prefer: 'cpu' });
    const warnings = [];
    console.warn = (text) => warnings.push(text);
    show({ name, reason, sum: tf.sum(tf.tensor1d([1, 2])).dataSync()[0], warnings });`);
  expect(opened).toEqual({
    name: 'cpu',
    reason: 'plain JavaScript (cpu), as asked for: a hundred times slower than wasm',
    sum: 3,
    warnings: [],
  });
});

test('a backend that there is not is refused with the names of those that there are', async () => {
  await expect(openBackend({ prefer: 'webgl' as 'cpu' })).rejects.toThrow(
    'the backends are tfjs-node, wasm, cpu',
  );
});

test('tfjs-node that is not installed, and that lacks its binding, is told apart and left out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 't2t-native-'));
  try {
    const load = createRequire(join(folder, 'index.js'));
    expect(await openNative(load)).toEqual({ ok: false, reason: '@tensorflow/tfjs-node is not installed' });
    const installed = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
    mkdirSync(installed, { recursive: true });
    // What is left of the package when its install script did not run: JavaScript that asks for the binding.
    writeFileSync(join(installed, 'package.json'), '{"name":"@tensorflow/tfjs-node","main":"index.js"}');
    writeFileSync(join(installed, 'index.js'), "require('./lib/napi-v8/tfjs_binding.node');\n");
    expect(await openNative(load)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(
        /^@tensorflow\/tfjs-node is installed but doesn't load \(Cannot find module/,
      ),
    });
    // With a TF.js of its own, its backend is none of ours.
    writeFileSync(join(installed, 'index.js'), '');
    expect(await openNative(load)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('of its own'),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
