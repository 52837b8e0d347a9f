/** Worker threads that read for one reader. They don't keep the process alive while nothing is asked of them. */

import { Worker } from 'node:worker_threads';
import { UserError } from '../io/errors.js';
import { errorOf, inheritedFlags } from '../io/worker_thread.js';
import type { Batch } from './collate.js';
import type { ReadAnswer, ReadSetup, ReadTask } from './read_messages.js';
import { readerClosed } from './record_files.js';

interface Waiting {
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

export class ReadPool {
  readonly size: number;
  private readonly setup: ReadSetup;
  private readonly threads: Thread[] = [];
  private nextId = 0;
  private broken: Error | undefined;

  constructor(size: number, setup: Omit<ReadSetup, 'isReadSetup'>) {
    this.size = size;
    this.setup = { ...setup, isReadSetup: true };
  }

  /** Gives the task to the thread with the fewest; threads are started as they are needed. */
  run(task: Omit<ReadTask, 'id'>): Promise<Batch> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    const thread = this.freeThread();
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (thread.waiting.size === 0) thread.worker.ref();
      thread.waiting.set(id, { resolve, reject });
      thread.worker.postMessage({ ...task, id } satisfies ReadTask);
    });
  }

  async close(): Promise<void> {
    this.fail(readerClosed());
    // Threads that end now are not news; whoever waits for their end must not find the process ended before.
    for (const { worker } of this.threads) worker.removeAllListeners('exit').ref();
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private freeThread(): Thread {
    const least = [...this.threads].sort((a, b) => a.waiting.size - b.waiting.size)[0];
    if (least !== undefined && (least.waiting.size === 0 || this.threads.length >= this.size)) return least;
    const worker = new Worker(new URL('./read_worker.js', import.meta.url), {
      ...inheritedFlags(process.execArgv),
      workerData: this.setup,
    });
    const thread: Thread = { worker, waiting: new Map() };
    worker.on('message', (answer: ReadAnswer) => {
      const waiting = thread.waiting.get(answer.id);
      thread.waiting.delete(answer.id);
      if (thread.waiting.size === 0) worker.unref();
      if ('failure' in answer) waiting?.reject(errorOf(answer.failure));
      else waiting?.resolve(answer.batch);
    });
    worker.on('error', (error) => this.fail(threadFailed(error)));
    // Whatever its code, it ended before it was told to.
    worker.on('exit', (code) => this.fail(threadFailed(`it ended with code ${code}`)));
    this.threads.push(thread);
    return thread;
  }

  /** Without one of its threads the pool can't keep its word: all that wait are told so. */
  private fail(error: Error): void {
    this.broken ??= error;
    for (const { worker, waiting } of this.threads) {
      for (const { reject } of waiting.values()) reject(this.broken);
      waiting.clear();
      worker.unref();
    }
  }
}

function threadFailed(cause: unknown): UserError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new UserError(`a reading thread failed: ${message}`, {
    remedy: 'mend what ends it (a module of `imports`, or a Problem), or see it happen with workers: 0',
    cause,
  });
}
