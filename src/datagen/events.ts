/** What a run tells while it goes on. Only the command line turns it into words on a terminal. */

import type { Licence } from '../datasets/dataset.js';
import type { Split } from '../problems/problem.js';
import type { RejectionCounts } from './manifest.js';

/** What is known before the first byte is asked for. */
export interface Preflight {
  readonly splits: readonly {
    readonly split: Split;
    readonly planned: number;
    readonly rejectedByPlan: number;
    readonly shards: number;
    /** Shards that are finished and stay as they are. */
    readonly finished: number;
  }[];
  /** Distinct files of the dataset's own that the shards to be made need, and how many of them are still to be prepared. */
  readonly files: number;
  readonly filesToPrepare: number;
  /** … and, of datasets whose files are fetched one by one, are not here yet. */
  readonly filesToFetch: number;
  /** Distinct URLs that the shards to be made need. */
  readonly urls: number;
  /** Of these: already here, and known to be gone for good. */
  readonly here: number;
  readonly gone: number;
  /** URLs that will be asked for, and how many of them at each host name, most first. */
  readonly toFetch: number;
  readonly hosts: readonly { readonly host: string; readonly urls: number }[];
  readonly hostCount: number;
  /** Estimates, marked as such wherever they are shown. */
  readonly estimate: { readonly downloadBytes: number; readonly diskBytes: number; readonly seconds: number };
  readonly freeBytes: number;
}

export type Stage = 'metadata' | 'plan' | 'inputs' | 'shards';

export type DatagenEvent =
  | { readonly type: 'licence'; readonly dataset: string; readonly licence: Licence }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'preflight'; readonly preflight: Preflight }
  | {
      readonly type: 'resource';
      readonly activity: 'download' | 'reading';
      readonly name: string;
      readonly bytes: number;
      readonly totalBytes?: number;
    }
  | {
      readonly type: 'progress';
      readonly stage: Stage;
      readonly done: number;
      /** Undefined where it is not known yet. */
      readonly total?: number;
      readonly bytes?: number;
      /** Rejections so far, by reason: of inputs while they are obtained, of examples while shards are made. */
      readonly rejected?: RejectionCounts;
      /** Hosts that asked for patience, until when (ms since the epoch). */
      readonly waiting?: readonly { readonly host: string; readonly untilMs: number }[];
    };

export type OnEvent = (event: DatagenEvent) => void;
