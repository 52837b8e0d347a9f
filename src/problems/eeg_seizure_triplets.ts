/** Triplets of eeg_seizure: of three windows one is of a seizure and two are not, or the other way round. */

import type { ChbMitSource } from '../datasets/chb_mit/chb_mit.js';
import type { Dataset } from '../datasets/dataset.js';
import { EegLabelTriplets, LABEL_TRIPLET_OPTIONS } from './eeg_label_triplets.js';
import { EegSeizure } from './eeg_seizure.js';
import { registerProblem } from './registry.js';

export class EegSeizureTriplets extends EegLabelTriplets<ChbMitSource> {
  readonly name = 'eeg_seizure_triplets';
  readonly description =
    'Three windows from CHB-MIT, one of which differs in being part of a seizure or not: which one';
  readonly dataset: Dataset<ChbMitSource> = new EegSeizure().dataset;
  override readonly options = { ...new EegSeizure().options, ...LABEL_TRIPLET_OPTIONS };

  protected override newWindows(): EegSeizure {
    return new EegSeizure();
  }
}

registerProblem(EegSeizureTriplets);
