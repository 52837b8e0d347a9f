/**
 * Threads that hash files and put them into the store: on a busy file system making a file costs more than fetching it, and
 * one thread can't do both as fast as the network gives.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ContentStore, contentHash, storeError } from './content_store.js';
import type { StoredMessage, WriterMessage } from './store_writer_thread.js';

/** Files put by the calling thread before threads are started: short runs never need them. */
const FILES_BEFORE_THREADS = 64;

const MAX_THREADS = 4;

interface Pending {
  readonly bytes: number;
  readonly done: (sha256: string) => void;
  readonly failed: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** Bodies to send with the next message: one message for many files is much cheaper than many messages. */
  batch: { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }[];
  outstanding: number;
}

/** Puts into one store. Close it, or its threads keep the process alive. */
export class StoreWriters {
  private readonly store: ContentStore;
  private readonly pending = new Map<number, Pending>();
  private threads: Thread[] | undefined;
  private puts = 0;
  private isFlushing = false;
  private heldBytes = 0;

  constructor(store: ContentStore) {
    this.store = store;
  }

  /** Bytes that were given and are not in the store yet. */
  get pendingBytes(): number {
    return this.heldBytes;
  }

  /**
   * Puts bytes and tells their SHA-256. The buffer must be the caller's own and whole: it is handed over and empty afterwards.
   * @throws UserError (through `failed`) where the disk is full or the folder can't be written.
   */
  put(bytes: Uint8Array<ArrayBuffer>, done: Pending['done'], failed: Pending['failed']): void {
    this.puts += 1;
    const thread = this.puts <= FILES_BEFORE_THREADS ? undefined : this.leastBusy();
    if (thread === undefined) {
      let sha256: string;
      try {
        sha256 = contentHash(bytes);
        this.store.put(bytes, sha256);
      } catch (error) {
        failed(error);
        return;
      }
      done(sha256);
      return;
    }
    this.pending.set(this.puts, { bytes: bytes.length, done, failed });
    this.heldBytes += bytes.length;
    thread.batch.push({ id: this.puts, bytes });
    thread.outstanding += 1;
    if (this.isFlushing) return;
    this.isFlushing = true;
    setImmediate(() => this.flush());
  }

  /** Ends the threads. Files that they had not finished may be there in part, which nobody trusts. */
  async close(): Promise<void> {
    const threads = this.threads ?? [];
    this.threads = [];
    this.pending.clear();
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  private leastBusy(): Thread | undefined {
    this.threads ??= Array.from({ length: Math.min(MAX_THREADS, availableParallelism()) }, () =>
      this.start(),
    );
    let best: Thread | undefined;
    for (const thread of this.threads)
      if (best === undefined || thread.outstanding < best.outstanding) best = thread;
    return best;
  }

  private start(): Thread {
    const worker = new Worker(new URL('./store_writer_thread.js', import.meta.url), {
      workerData: this.store.folder,
      // Options such as --input-type are for the program alone.
      execArgv: [],
    });
    const thread: Thread = { worker, batch: [], outstanding: 0 };
    worker.on('message', (messages: readonly StoredMessage[]) => {
      thread.outstanding -= messages.length;
      for (const message of messages) this.settle(message);
    });
    worker.on('error', (error) => {
      for (const { failed } of [...this.pending.values()]) failed(error);
      this.pending.clear();
    });
    return thread;
  }

  private flush(): void {
    this.isFlushing = false;
    for (const thread of this.threads ?? []) {
      if (thread.batch.length === 0) continue;
      const message: WriterMessage = thread.batch;
      thread.batch = [];
      thread.worker.postMessage(
        message,
        message.map(({ bytes }) => bytes.buffer),
      );
    }
  }

  private settle(message: StoredMessage): void {
    const pending = this.pending.get(message.id);
    if (pending === undefined) return;
    this.pending.delete(message.id);
    this.heldBytes -= pending.bytes;
    if ('sha256' in message) pending.done(message.sha256);
    else
      pending.failed(
        storeError(Object.assign(new Error(message.error), { code: message.code }), this.store.folder),
      );
  }
}
