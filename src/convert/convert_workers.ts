/** Worker threads that convert shards side by side. Who does the work; what the work is stands in convert_shard.ts. */

import { Worker } from 'node:worker_threads';
import { errorOf, inheritedFlags, type WorkerFailure } from '../io/worker_thread.js';
import type { ConvertedShard, ConvertTask } from './convert_shard.js';

/** What a worker tells. */
export type ConvertMessage =
  | { readonly kind: 'progress'; readonly records: number; readonly bytes: number }
  | { readonly kind: 'made'; readonly shard: ConvertedShard }
  | { readonly kind: 'failed'; readonly failure: WorkerFailure };

export interface ConvertRun {
  readonly workers: number;
  readonly signal?: AbortSignal;
  readonly onProgress: (records: number, bytes: number) => void;
  /** Called for each task when its file has its final name. */
  readonly onMade: (task: number, shard: ConvertedShard) => void;
}

/**
 * Carries out all tasks, each on the next worker that is free.
 * @throws the first error of a task; the others are then given up, and their temporary files stay.
 */
export async function convertOnWorkers(tasks: readonly ConvertTask[], run: ConvertRun): Promise<void> {
  const queue = tasks.entries();
  const workers = new Set<Worker>();
  const stopAll = (): void => {
    for (const worker of workers) void worker.terminate();
  };
  const loop = async (): Promise<void> => {
    run.signal?.throwIfAborted();
    const worker = new Worker(new URL('./convert_worker.js', import.meta.url), {
      ...inheritedFlags(process.execArgv),
    });
    workers.add(worker);
    try {
      for (const [number, task] of queue) run.onMade(number, await convert(worker, task, run));
    } finally {
      await worker.terminate();
    }
  };
  run.signal?.addEventListener('abort', stopAll);
  try {
    const count = Math.min(run.workers, tasks.length);
    const loops = Array.from({ length: count }, () =>
      loop().catch((error: unknown) => {
        stopAll();
        throw error;
      }),
    );
    const failed = (await Promise.allSettled(loops)).filter((loop) => loop.status === 'rejected');
    run.signal?.throwIfAborted();
    // What was stopped because of another's error tells nothing.
    const first = failed.find(({ reason }) => !(reason instanceof StoppedError)) ?? failed[0];
    if (first !== undefined) throw first.reason;
  } finally {
    run.signal?.removeEventListener('abort', stopAll);
  }
}

class StoppedError extends Error {}

function convert(worker: Worker, task: ConvertTask, run: ConvertRun): Promise<ConvertedShard> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: ConvertMessage): void => {
      if (message.kind === 'progress') run.onProgress(message.records, message.bytes);
      else if (message.kind === 'made') done(() => resolve(message.shard));
      else done(() => reject(errorOf(message.failure)));
    };
    const onError = (error: unknown): void => done(() => reject(error));
    const onExit = (): void => done(() => reject(new StoppedError('a worker thread was stopped')));
    const done = (settle: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      settle();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(task);
  });
}
