/** The WASM backend with threads in Node, where TF.js leaves them off (its issue 3830) though the compiled code has them. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** XNNPACK's pool in this build: more are asked for in vain. */
export const MOST_WASM_THREADS = 4;

/**
 * Puts a backend of so many threads in place of the `wasm` backend, before its first use. Threads don't keep the process
 * alive.
 */
export function useWasmThreads(threads: number): void {
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', () => threadedBackend(threads), PRIORITY);
}

/** As TF.js registers it: above `cpu`, below `webgl`. */
const PRIORITY = 2;

const require = createRequire(import.meta.url);

/** What the Emscripten module has, as far as it is used here. */
interface WasmModule {
  cwrap(
    name: string,
    result: 'number' | null,
    parameters: readonly 'number'[],
  ): (...given: number[]) => number;
  tfjs?: Readonly<Record<string, (...given: number[]) => number>>;
  readonly PThread: { readonly pthreads: Readonly<Record<string, Worker>> };
}

type WasmFactory = (config: {
  readonly mainScriptUrlOrBlob: string;
  readonly locateFile: (path: string) => string;
}) => Promise<WasmModule>;

async function threadedBackend(threads: number): Promise<BackendWasm> {
  const script = require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js');
  const module = await loadFactory(
    script,
    threads,
  )({
    mainScriptUrlOrBlob: script,
    locateFile: (path) =>
      path.endsWith('.worker.js')
        ? fileURLToPath(new URL('wasm_thread.js', import.meta.url))
        : join(dirname(script), path),
  });
  const bound = (name: string, parameters: number, result: 'number' | null = null) =>
    module.cwrap(name, result, new Array<'number'>(parameters).fill('number'));
  // The names that BackendWasm calls, and the C functions behind them.
  module.tfjs = {
    init: bound('init', 0),
    initWithThreadsCount: bound('init_with_threads_count', 1),
    getThreadsCount: bound('get_threads_count', 0, 'number'),
    registerTensor: bound('register_tensor', 3),
    disposeData: bound('dispose_data', 1),
    dispose: bound('dispose', 0),
  };
  setThreadsCount(threads);
  const backend = new BackendWasm(module as unknown as ConstructorParameters<typeof BackendWasm>[0]);
  // Emscripten counts a running thread as a reason to stay.
  for (const thread of Object.values(module.PThread.pthreads)) thread.unref();
  return backend;
}

/**
 * Emscripten's script, kept from what it would do to the whole process: it puts Node's Worker where browsers have theirs
 * (libraries tell browsers by it), throws anew what nobody caught, and makes the pool of half as many threads as `os.cpus()`
 * names, which on two processors is no pool.
 */
function loadFactory(script: string, threads: number): WasmFactory {
  const own = {
    require: (name: string): unknown =>
      name === 'os' ? { cpus: () => new Array(2 * threads).fill({}) } : require(name),
    module: { exports: {} },
    process: Object.create(process, { on: { value: () => undefined } }) as NodeJS.Process,
    global: {},
    // A thread is not started with the words that this process was, `--input-type` or `--eval` among them.
    Worker: class extends Worker {
      constructor(path: string) {
        super(path, { execArgv: [] });
      }
    },
    __filename: script,
    __dirname: dirname(script),
  };
  const names = [...Object.keys(own), 'exports'];
  const run = compileFunction(readFileSync(script, 'utf8'), names, { filename: script }) as (
    ...given: readonly unknown[]
  ) => void;
  run(...Object.values(own), own.module.exports);
  return own.module.exports as unknown as WasmFactory;
}
