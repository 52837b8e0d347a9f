/** The thread that counts shards, one at a time, as it is told. */

import { parentPort } from 'node:worker_threads';
import { UserError } from '../io/errors.js';
import { ImageDecoder } from '../reading/image_decoder.js';
import { type ShardTally, type ShardToTally, tallyShard } from './shard_tally.js';

/** What the thread answers. */
export type TallyAnswer = { readonly tally: ShardTally } | { readonly failure: Failure };

/** What a UserError says, which does not cross threads itself. */
interface Failure {
  readonly what: string;
  readonly where?: string;
  readonly remedy?: string;
}

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

function failureOf(error: unknown): Failure {
  if (!(error instanceof UserError))
    return { what: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  const { what, where, remedy } = error;
  return {
    what,
    ...(where === undefined ? {} : { where }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}
