/** Damages EDF files at random and reads all that can be read of them: an error of ours or values, nothing else. */

import { type EdfToMake, eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { bufferSource } from './byte_source.js';
import { openEdf } from './edf.js';
import { EdfError } from './edf_error.js';
import type { Random } from './random.js';

/** Small files of every format, with two annotation signals and a gap where there can be. */
export function fuzzSamples(): Buffer[] {
  const labels = ['Fp1', 'O1'];
  return (['EDF', 'EDF+C', 'EDF+D', 'BDF', 'BDF+C', 'BDF+D'] as const).map((format) => {
    const recording = eyesRecording({
      seed: format,
      seconds: 6,
      everySeconds: 2,
      samplingRate: 20,
      format,
      labels,
    });
    const made: EdfToMake = format.includes('+')
      ? { ...recording, annotationSignals: 2 }
      : { ...recording, annotations: [] };
    return makeEdf(format.endsWith('D') ? { ...made, gaps: [{ before: 3, seconds: 5 }] } : made);
  });
}

/** Opens it and reads everything. Gives the fault, or undefined where all could be read. Throws what is no error of ours. */
export async function readAll(file: Uint8Array): Promise<string | undefined> {
  try {
    const recording = await openEdf(bufferSource(file, 'fuzzed'));
    await recording.annotations();
    const segments = await recording.segments();
    const seconds = segments.reduce((sum, { duration }) => sum + duration, 0);
    for (const [index, signal] of recording.signals.entries()) {
      const values = await recording.readSignal(index);
      if (values.length !== signal.samples) throw new Error(`${values.length} of ${signal.samples} samples`);
      if (values.some((value) => Number.isNaN(value))) throw new Error('a value is not a number');
      const inSegments = seconds * signal.samplingRate;
      if (!(Math.abs(inSegments - signal.samples) <= 1e-6 * signal.samples))
        throw new Error(`segments have ${inSegments} of ${signal.samples} samples`);
    }
    return undefined;
  } catch (error) {
    if (error instanceof EdfError) {
      if (!(error.offset >= 0 && error.offset <= file.length))
        throw new Error(`offset ${error.offset}`, { cause: error });
      return error.fault;
    }
    throw error;
  }
}

/** One to three of: a byte or a bit changed, a number written into a field, a stretch removed, repeated, moved, or the end cut. */
export function mutate(file: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(file);
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 1; times--) {
    // Half of the faults go where the structure is: into the header or a record's annotations.
    const at =
      random.below(2) === 0 ? random.below(bytes.length) : random.below(Math.min(1536, bytes.length));
    const length = 1 + random.below(Math.min(16, bytes.length - at));
    const stretch = bytes.slice(at, at + length);
    switch (random.below(8)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), stretch, bytes.subarray(at)]);
        break;
      case 4: {
        const to = random.below(bytes.length);
        bytes.set(stretch.subarray(0, bytes.length - to), to);
        break;
      }
      case 5: {
        // A multiple of 8, where most of the fields begin.
        const field = Buffer.from(NUMBERS[random.below(NUMBERS.length)]!.padEnd(8));
        bytes.set(field.subarray(0, Math.max(0, bytes.length - (at & ~7))), at & ~7);
        break;
      }
      case 6:
        bytes[at] = [0, 0x14, 0x15, 0x2b, 0x2d, 0x2e][random.below(6)]!;
        break;
      default:
        if (random.below(4) === 0) bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}

const NUMBERS = [
  '0',
  '-1',
  '1',
  '99999999',
  '-9999999',
  '1e300',
  '1e-300',
  '-1e308',
  '0.000001',
  '+0',
  '1e8',
  '.5',
  'NaN',
  '',
];
