/** The thread that counts shards, one at a time, as it is told. */

import { parentPort } from 'node:worker_threads';
import { failureOf, type WorkerFailure } from '../io/worker_thread.js';
import { ImageDecoder } from '../reading/image_decoder.js';
import { type ShardTally, type ShardToTally, tallyShard } from './shard_tally.js';

/** What the thread answers. */
export type TallyAnswer = { readonly tally: ShardTally } | { readonly failure: WorkerFailure };

const port = parentPort;
if (port === null) throw new Error('tally_worker.js is started by tallyShards, not by hand');

const decoder = await ImageDecoder.open();

port.on('message', (shard: ShardToTally) => {
  tallyShard(shard, decoder).then(
    (tally) =>
      port.postMessage({ tally } satisfies TallyAnswer, [
        tally.keys.buffer as ArrayBuffer,
        tally.contents.buffer as ArrayBuffer,
      ]),
    (error: unknown) => port.postMessage({ failure: failureOf(error) } satisfies TallyAnswer),
  );
});
