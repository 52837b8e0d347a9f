/** What `bench read` reads: triplets of face-sized JPEGs and windows of EEG. Registered, so that worker threads find them. */

import { StoredProblem } from '../fixtures/stored_problem.js';
import { float32, image, int64, text } from '../src/io/features.js';
import { registerProblem } from '../src/problems/registry.js';

/** Crops as `fec` has them. */
export class BenchTriplets extends StoredProblem {
  readonly name = 'bench_triplets';
  readonly description = 'Triplets of JPEGs';
  readonly features = {
    key: text(),
    'image/a': image({ height: 128, width: 128, channels: 3 }),
    'image/b': image({ height: 128, width: 128, channels: 3 }),
    'image/c': image({ height: 128, width: 128, channels: 3 }),
    triplet_code: int64(),
  };
}

/** Four seconds of EEGMMIDB: 64 channels at 160 Hz. */
export class BenchWindows extends StoredProblem {
  readonly name = 'bench_windows';
  readonly description = 'Windows of EEG';
  readonly features = { key: text(), eeg: float32([64, 640]), label: int64() };
}

registerProblem(BenchTriplets);
registerProblem(BenchWindows);
