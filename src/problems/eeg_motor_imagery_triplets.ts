/** Triplets of eeg_motor_imagery: of three windows two show the same movement, or its imagination, and one another. */

import type { Dataset } from '../datasets/dataset.js';
import type { EegmmidbSource } from '../datasets/eegmmidb/eegmmidb.js';
import { EegLabelTriplets, LABEL_TRIPLET_OPTIONS } from './eeg_label_triplets.js';
import { EegMotorImagery } from './eeg_motor_imagery.js';
import { registerProblem } from './registry.js';

export class EegMotorImageryTriplets extends EegLabelTriplets<EegmmidbSource> {
  readonly name = 'eeg_motor_imagery_triplets';
  readonly description =
    'Three windows from EEGMMIDB, in one of which another movement is imagined: which one';
  readonly dataset: Dataset<EegmmidbSource> = new EegMotorImagery().dataset;
  override readonly options = { ...new EegMotorImagery().options, ...LABEL_TRIPLET_OPTIONS };

  protected override newWindows(): EegMotorImagery {
    return new EegMotorImagery();
  }
}

registerProblem(EegMotorImageryTriplets);
