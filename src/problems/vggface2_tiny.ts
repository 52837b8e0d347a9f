/** VGGFace2's Problem over a small made-up corpus that the program draws itself: no network, no licence, a few seconds. */

import { vggface2TinyDataset } from '../datasets/vggface2_tiny/vggface2_tiny.js';
import { registerProblem } from './registry.js';
import { VggFace2 } from './vggface2.js';

export class VggFace2Tiny extends VggFace2 {
  override readonly name = 'vggface2_tiny';
  override readonly description =
    'VGGFace2’s Problem over a few dozen drawn faces that come with the program: offline, seconds';
  override readonly dataset = vggface2TinyDataset;
  override readonly examplesPerShard = 64;
  override readonly options = {
    ...new VggFace2().options,
    examples: 200,
    dev_examples: 40,
    test_examples: 40,
    dev_identities: 2,
  };
}

registerProblem(VggFace2Tiny);
