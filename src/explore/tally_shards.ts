/** Counts shards on several threads and hands the counts on in the order of the shards. */

import { Worker } from 'node:worker_threads';
import { errorOf } from '../io/worker_thread.js';
import type { ShardTally, ShardToTally } from './shard_tally.js';
import type { TallyAnswer } from './tally_worker.js';

/**
 * The tally of each shard, in the order given, whichever is done first. No more than `workers` shards are under way or wait
 * to be taken: memory does not grow with their number.
 * @throws UserError where a shard is damaged.
 */
export async function* tallyShards(
  shards: readonly ShardToTally[],
  { workers }: { readonly workers: number },
): AsyncGenerator<ShardTally, void, undefined> {
  const threads = Array.from(
    { length: Math.min(workers, shards.length) },
    () => new Worker(new URL('./tally_worker.js', import.meta.url)),
  );
  try {
    // Shard i is counted by thread i modulo their number: each has one shard at a time.
    const underWay = threads.map((thread, i) => ask(thread, shards[i] as ShardToTally));
    for (let i = 0; i < shards.length; i++) {
      const place = i % threads.length;
      const tally = await (underWay[place] as Promise<ShardTally>);
      const next = shards[i + threads.length];
      if (next !== undefined) underWay[place] = ask(threads[place] as Worker, next);
      yield tally;
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function ask(thread: Worker, shard: ShardToTally): Promise<ShardTally> {
  const answered = new Promise<ShardTally>((resolve, reject) => {
    const listeners = {
      message: (answer: TallyAnswer) => {
        done();
        if ('tally' in answer) resolve(answer.tally);
        else reject(errorOf(answer.failure));
      },
      error: (error: Error) => {
        done();
        reject(error);
      },
      exit: () => {
        done();
        reject(new Error('a counting thread ended before its shard was counted'));
      },
    };
    const done = (): void => {
      for (const [event, listener] of Object.entries(listeners)) thread.off(event, listener);
    };
    for (const [event, listener] of Object.entries(listeners)) thread.on(event, listener);
    thread.postMessage(shard);
  });
  // Where an earlier shard fails, nobody awaits this one any more.
  answered.catch(() => undefined);
  return answered;
}
