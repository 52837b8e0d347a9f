/** FEC's Problem over a small made-up corpus that the program brings with it: no network, no licence, a few seconds. */

import { fecTinyDataset } from '../datasets/fec_tiny/fec_tiny.js';
import { FacialExpressionCorrespondence } from './fec.js';
import { registerProblem } from './registry.js';

export class FacialExpressionCorrespondenceTiny extends FacialExpressionCorrespondence {
  override readonly name = 'fec_tiny';
  override readonly description =
    'FEC’s Problem over a few dozen drawn faces that come with the program: offline, seconds';
  override readonly dataset = fecTinyDataset;
  override readonly examplesPerShard = 64;
  /** A corpus this small is one knot of shared photographs: a dev split costs more of it. */
  override readonly options = {
    ...new FacialExpressionCorrespondence().options,
    dev_fraction: 0.1,
    dev_loss: 0.4,
  };
}

registerProblem(FacialExpressionCorrespondenceTiny);
