/** What a reader asks of its worker threads and what comes back: plain data that structured cloning carries. */

import { isMainThread, workerData } from 'node:worker_threads';
import type { Manifest } from '../datagen/manifest.js';
import type { WorkerFailure } from '../io/worker_thread.js';
import type { OptionValue } from '../problems/problem.js';
import type { Batch } from './collate.js';
import type { SplitFiles } from './open_split.js';
import type { ReadSettings } from './split_reader.js';

/** What a worker is started with. */
export interface ReadSetup {
  readonly isReadSetup: true;
  readonly problem: string;
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Modules to import first: they register Problems that t2t-ts does not bring. */
  readonly imports: readonly string[];
  /** What there is to know of a Problem that is not registered; absent where a manifest would not be enough. */
  readonly manifest?: Manifest;
  readonly split: SplitFiles;
  readonly settings: ReadSettings;
}

/** What this thread was started with, where a reader started it. */
export function setupOfReadThread(): ReadSetup | undefined {
  const setup = isMainThread ? undefined : (workerData as ReadSetup | null | undefined);
  return setup?.isReadSetup === true ? setup : undefined;
}

/** Read and decode some records of the split. */
export interface ReadTask {
  readonly id: number;
  readonly records: readonly number[];
  /** From which, with seed and record, augmentations follow. */
  readonly epoch: number;
}

export type ReadAnswer =
  | { readonly id: number; readonly batch: Batch }
  | { readonly id: number; readonly failure: WorkerFailure };
