/**
 * Faces: our detector against others on real photographs, with how many each finds, and `datagen` with detection and alignment against
 * the sum of its parts.
 */

import { datagenFigures } from './faces_datagen.js';
import { detectionFigures } from './faces_detection.js';
import type { BenchFigure, BenchMissing } from './harness.js';

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  yield* detectionFigures();
  yield* datagenFigures();
}
