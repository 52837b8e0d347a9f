/** EEGMMIDB's Problem over a small made-up corpus that the program draws itself: no network, no licence, a few seconds. */

import type { Dataset } from '../datasets/dataset.js';
import { eegTinyDataset } from '../datasets/eeg_tiny/eeg_tiny.js';
import type { EegmmidbSource } from '../datasets/eegmmidb/eegmmidb.js';
import { EegMotorImagery } from './eeg_motor_imagery.js';
import { registerProblem } from './registry.js';

export class EegTiny extends EegMotorImagery {
  override readonly name = 'eeg_tiny';
  override readonly description =
    'eeg_motor_imagery over a few made-up people that come with the program: offline, seconds';
  override readonly dataset: Dataset<EegmmidbSource> = eegTinyDataset;
  override readonly examplesPerShard = 32;
}

registerProblem(EegTiny);
