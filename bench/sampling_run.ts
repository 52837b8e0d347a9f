/** What the two processes of `bench sampling` share: the source that they plan over, and what a run says. */

import { VGGFACE2_PICTURES, vggface2Names } from '../fixtures/vggface2_names.js';
import { VGGFACE2_PARTS, type VggFace2Source, vggFace2Source } from '../src/datasets/vggface2/identities.js';

/** One run of the child process. */
export interface SamplingRun {
  /** From names to shards. */
  readonly seconds: number;
  /** Of the same in processor time, which other programs on the machine do not lengthen so much. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  /** Over the digests of all shards of all splits. */
  readonly digest: string;
  readonly planned: number;
  readonly inputs: number;
  /** How uniform train's identities are as the pair, and as the other one. */
  readonly anchorsPValue: number;
  readonly othersPValue: number;
}

/** The full set by its names alone: 3.31 million of them, of 9,131 identities. */
export function madeUpSource(): VggFace2Source {
  return vggFace2Source(
    VGGFACE2_PARTS.map((part) => ({ part, names: vggface2Names(VGGFACE2_PICTURES, part) })),
  );
}
