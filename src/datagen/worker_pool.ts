/** Worker threads that take tasks in turn. Who does the work; what the work is stands in worker.ts. */

import { Worker } from 'node:worker_threads';
import { errorOf, inheritedFlags, type WorkerFailure } from '../io/worker_thread.js';
import type {
  PrepareFilesResult,
  PrepareFilesTask,
  PrepareResult,
  PrepareTask,
  ShardResult,
  ShardTask,
  WorkerResult,
  WorkerSetup,
  WorkerTask,
} from './worker_messages.js';

/** Tasks under way in one worker: decoding happens on libuv's threads, and one more waits there so that none idles. */
const TASKS_PER_WORKER = 3;

interface Waiting {
  readonly task: WorkerTask;
  readonly resolve: (result: WorkerResult) => void;
  readonly reject: (error: Error) => void;
}

/** `start()` or the first tasks start the workers; `close()` ends them. */
export class WorkerPool {
  private readonly setup: Omit<WorkerSetup, 'worker'>;
  private readonly size: number;
  private readonly workers: { worker: Worker; running: Map<number, Waiting> }[] = [];
  private readonly queue: Waiting[] = [];
  private nextId = 0;
  private broken: Error | undefined;

  constructor(size: number, setup: Omit<WorkerSetup, 'worker'>) {
    this.size = size;
    this.setup = setup;
  }

  /** Tasks that the workers can hold at once: more only wait. */
  get capacity(): number {
    return this.size * TASKS_PER_WORKER;
  }

  /** Starts all workers now, so that they load while the plan is made. */
  start(): void {
    while (this.workers.length < this.size) this.addWorker();
  }

  run(task: PrepareTask): Promise<PrepareResult>;
  run(task: PrepareFilesTask): Promise<PrepareFilesResult>;
  run(task: ShardTask): Promise<ShardResult>;
  run(task: WorkerTask): Promise<WorkerResult> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      this.dispatch();
    });
  }

  async close(): Promise<void> {
    this.fail(new Error('the run was stopped'));
    await Promise.all(this.workers.map(({ worker }) => worker.terminate()));
  }

  private dispatch(): void {
    while (this.queue.length > 0) {
      const free = this.freeWorker();
      if (free === undefined) return;
      const waiting = this.queue.shift() as Waiting;
      const id = this.nextId++;
      free.running.set(id, waiting);
      free.worker.postMessage({ id, task: waiting.task });
    }
  }

  /** The worker with the fewest tasks; a new one while there are fewer than wanted and all others have something to do. */
  private freeWorker() {
    const least = [...this.workers].sort((a, b) => a.running.size - b.running.size)[0];
    if (least !== undefined && least.running.size === 0) return least;
    if (this.workers.length < this.size) return this.addWorker();
    return least !== undefined && least.running.size < TASKS_PER_WORKER ? least : undefined;
  }

  private addWorker() {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      ...inheritedFlags(process.execArgv),
      workerData: { ...this.setup, worker: this.workers.length } satisfies WorkerSetup,
    });
    const entry = { worker, running: new Map<number, Waiting>() };
    worker.on('message', (message: { id: number; result?: WorkerResult; failure?: WorkerFailure }) => {
      const waiting = entry.running.get(message.id);
      entry.running.delete(message.id);
      if (message.failure !== undefined) waiting?.reject(errorOf(message.failure));
      else waiting?.resolve(message.result as WorkerResult);
      this.dispatch();
    });
    worker.on('error', (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => {
      if (code !== 0) this.fail(new Error(`a worker thread ended with code ${code}`));
    });
    this.workers.push(entry);
    return entry;
  }

  /** Without one of its workers the pool can't keep its word: everything that waits is told so. */
  private fail(error: Error): void {
    this.broken ??= error;
    for (const waiting of this.queue.splice(0)) waiting.reject(this.broken);
    for (const { running } of this.workers) {
      for (const waiting of running.values()) waiting.reject(this.broken);
      running.clear();
    }
  }
}
