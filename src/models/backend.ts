/** Chooses what computes: native TensorFlow where it is installed and loads, else WebAssembly, else plain JavaScript. */

import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
// Only for what it does when it is loaded: in Node nothing else registers the gradients of TF.js's kernels.
import '@tensorflow/tfjs-layers';
import { UserError } from '../io/errors.js';
import { registerTrainingKernels } from './kernels/register.js';
import { MOST_WASM_THREADS, useWasmThreads } from './wasm_threads.js';

export const BACKENDS = ['tfjs-node', 'wasm', 'cpu'] as const;

export type BackendName = (typeof BACKENDS)[number];

export interface OpenBackend {
  /** The one instance of TF.js, `@tensorflow/tfjs-core` itself: whoever imports that computes on this backend. */
  readonly tf: typeof tf;
  readonly name: BackendName;
  /** That of the WASM backend; tfjs-node chooses its own. */
  readonly threads?: number;
  /** Which and why, in one sentence for a person, without a full stop. */
  readonly reason: string;
}

/** How an optional native backend is loaded, and why it was not. */
export type NativeOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Opens the backend for this process. One that is asked for with `prefer` and can't be had is an error; without, the
 * fastest that loads is taken. `threads`, for `wasm`, is as many as there are processors, at most 4. Where a backend is
 * open already, it stays where it is the one asked for.
 * @throws UserError where `prefer` is a backend that doesn't load.
 */
export async function openBackend(
  options: { readonly prefer?: BackendName; readonly threads?: number } = {},
): Promise<OpenBackend> {
  const { prefer } = options;
  if (prefer !== undefined && !BACKENDS.includes(prefer))
    throw new UserError(`there is no backend ${JSON.stringify(prefer)}`, {
      remedy: `the backends are ${BACKENDS.join(', ')}`,
      exitCode: 2,
    });
  if (prefer === 'cpu')
    return openCpu('plain JavaScript (cpu), as asked for: a hundred times slower than wasm');
  if (prefer === 'wasm') return openWasm(options.threads, 'as asked for');
  const native = await openNative(createRequire(import.meta.url));
  if (native.ok) {
    const why = prefer === undefined ? 'it is installed and loads' : 'as asked for';
    return { tf, name: 'tfjs-node', reason: `native TensorFlow (tfjs-node): ${why}` };
  }
  if (prefer === 'tfjs-node')
    throw new UserError(`the backend tfjs-node can't be had: ${native.reason}`, {
      remedy: 'install @tensorflow/tfjs-node with its binding, or leave --backend out',
    });
  try {
    return await openWasm(options.threads, native.reason);
  } catch (error) {
    return openCpu(
      `plain JavaScript (cpu): ${native.reason}, and WebAssembly doesn't start (${firstLine(error)})`,
    );
  }
}

/**
 * Loads `@tensorflow/tfjs-node` and makes it the backend.
 * @param load a `require` from where it is looked for.
 */
export async function openNative(load: NodeJS.Require): Promise<NativeOutcome> {
  try {
    load.resolve('@tensorflow/tfjs-node');
  } catch {
    return { ok: false, reason: '@tensorflow/tfjs-node is not installed' };
  }
  try {
    // tfjs-node 4.22 calls what Node 23 took away.
    const old = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean };
    old.isNullOrUndefined ??= (value) => value === null || value === undefined;
    load('@tensorflow/tfjs-node');
  } catch (error) {
    return { ok: false, reason: `@tensorflow/tfjs-node is installed but doesn't load (${firstLine(error)})` };
  }
  // Another copy of tfjs-core would have got the backend.
  if (tf.findBackendFactory('tensorflow') === null)
    return { ok: false, reason: '@tensorflow/tfjs-node brings a TF.js of its own, of another version' };
  const isOpen = await tf.setBackend('tensorflow');
  return isOpen ? { ok: true } : { ok: false, reason: "@tensorflow/tfjs-node loads but doesn't start" };
}

async function openWasm(asked: number | undefined, why: string): Promise<OpenBackend> {
  if (tf.getBackend() !== 'wasm' || asked !== undefined) await startWasm(asked);
  const threads = openThreads;
  const reason = `WebAssembly (wasm) on ${threads} ${threads === 1 ? 'thread' : 'threads'}: ${why}`;
  return { tf, name: 'wasm', threads, reason };
}

/** Of the WASM backend that is open. */
let openThreads = 0;

async function startWasm(asked: number | undefined): Promise<void> {
  const threads = Math.max(1, Math.min(asked ?? availableParallelism(), MOST_WASM_THREADS));
  if (threads === openThreads) {
    await tf.setBackend('wasm');
    return;
  }
  useWasmThreads(threads);
  registerTrainingKernels();
  if (!(await tf.setBackend('wasm'))) throw new Error('it did not initialise');
  openThreads = threads;
}

async function openCpu(reason: string): Promise<OpenBackend> {
  // Else it prints an advertisement of tfjs-node at its first kernel.
  tf.enableProdMode();
  await tf.setBackend('cpu');
  return { tf, name: 'cpu', reason };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
