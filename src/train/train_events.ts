/** What training tells while it goes on. Only the command line turns it into words on a terminal. */

import type { DevScore } from './dev_score.js';

export type TrainEvent =
  | { readonly type: 'note'; readonly text: string }
  | {
      readonly type: 'step';
      /** Steps done, and of how many. */
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      /** Since this process began to train. */
      readonly examplesPerSecond: number;
      /** An estimate. */
      readonly secondsLeft: number;
    }
  | {
      readonly type: 'evaluation';
      readonly step: number;
      readonly dev: DevScore;
      /** Whether none before was better. */
      readonly isBest: boolean;
      /** Tensors that the backend holds: their number must not grow. */
      readonly tensors: number;
    };
