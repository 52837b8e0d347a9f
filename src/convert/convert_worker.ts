/** The worker thread of conversions: makes one shard after another as it is told. */

import { parentPort } from 'node:worker_threads';
import { failureOf } from '../io/worker_thread.js';
import { type ConvertTask, convertShard } from './convert_shard.js';
import type { ConvertMessage } from './convert_workers.js';

const port = parentPort;
if (port === null) throw new Error('convert_worker.js is started by convert_workers.js, not by hand');

const TELL_EVERY_MS = 200;

port.on('message', (task: ConvertTask) => {
  const tell = (message: ConvertMessage): void => port.postMessage(message);
  let records = 0;
  let bytes = 0;
  let toldMs = performance.now();
  const tellProgress = (): void => {
    tell({ kind: 'progress', records, bytes });
    records = 0;
    bytes = 0;
    toldMs = performance.now();
  };
  const onRecord = (recordBytes: number): void => {
    records += 1;
    bytes += recordBytes;
    if (performance.now() - toldMs > TELL_EVERY_MS) tellProgress();
  };
  convertShard(task, onRecord).then(
    (shard) => {
      tellProgress();
      tell({ kind: 'made', shard });
    },
    (error: unknown) => tell({ kind: 'failed', failure: failureOf(error) }),
  );
});
