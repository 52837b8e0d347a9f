/** Triplets of eeg_sleep_stages: of three epochs two are of the same stage and one of another. */

import type { Dataset } from '../datasets/dataset.js';
import type { SleepEdfSource } from '../datasets/sleep_edf/sleep_edf.js';
import { EegLabelTriplets, LABEL_TRIPLET_OPTIONS } from './eeg_label_triplets.js';
import { EegSleepStages } from './eeg_sleep_stages.js';
import { registerProblem } from './registry.js';

export class EegSleepStagesTriplets extends EegLabelTriplets<SleepEdfSource> {
  readonly name = 'eeg_sleep_stages_triplets';
  readonly description = 'Three epochs from Sleep-EDF, one of which is of another sleep stage: which one';
  readonly dataset: Dataset<SleepEdfSource> = new EegSleepStages().dataset;
  override readonly options = { ...new EegSleepStages().options, ...LABEL_TRIPLET_OPTIONS };

  protected override newWindows(): EegSleepStages {
    return new EegSleepStages();
  }
}

registerProblem(EegSleepStagesTriplets);
