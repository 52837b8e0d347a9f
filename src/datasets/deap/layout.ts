/** What is where in the preprocessed files of DEAP (`s01.dat` …): the corpus's own page, “Data_preprocessed”. */

import { UserError } from '../../io/errors.js';
import { type PickleValue, readPickle } from '../../io/pickle.js';

export const DEAP_TRIALS = 40;
export const DEAP_SAMPLES = 8064;
/** In Hz. */
export const DEAP_SAMPLING_RATE = 128;
/** Before each video, of its 63 seconds. */
export const DEAP_BASELINE_SECONDS = 3;

/** The EEG, in the order of the files. */
export const DEAP_EEG_CHANNELS: readonly string[] = (
  'Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz ' +
  'Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 PO4 O2'
).split(' ');

/** Eye movements, two muscles, skin, breath, pulse, skin temperature: after the EEG, in this order. */
export const DEAP_BODY_CHANNELS: readonly string[] =
  'hEOG vEOG zEMG tEMG GSR Respiration Plethysmograph Temperature'.split(' ');

/** Each from 1 to 9, in the order of the files. */
export const DEAP_RATINGS = ['valence', 'arousal', 'dominance', 'liking'] as const;

export type DeapRating = (typeof DEAP_RATINGS)[number];

/** One person's file. */
export interface DeapFile {
  /** Samples of one channel in one trial, the baseline included; EEG in microvolts. A view, not to be written to. */
  samples(trial: number, channel: number): Float64Array | Float32Array;
  rating(trial: number, rating: DeapRating): number;
}

/**
 * Reads such a file, which is a pickle: `data` of 40 trials × 40 channels × 8064 samples, `labels` of 40 × 4.
 * @throws PickleError where it is no pickle or asks for code to be run, UserError where it holds something else.
 */
export function readDeapFile(bytes: Uint8Array, where: string): DeapFile {
  const channels = DEAP_EEG_CHANNELS.length + DEAP_BODY_CHANNELS.length;
  const pickled = readPickle(bytes, { name: where });
  const data = member(pickled, 'data', { shape: [DEAP_TRIALS, channels, DEAP_SAMPLES], where });
  const labels = member(pickled, 'labels', { shape: [DEAP_TRIALS, DEAP_RATINGS.length], where });
  return {
    samples(trial, channel) {
      if (!isIndex(trial, DEAP_TRIALS) || !isIndex(channel, channels))
        throw new RangeError(`trial ${trial}, channel ${channel}`);
      const start = (trial * channels + channel) * DEAP_SAMPLES;
      return data.subarray(start, start + DEAP_SAMPLES);
    },
    rating(trial, rating) {
      if (!isIndex(trial, DEAP_TRIALS)) throw new RangeError(`trial ${trial}`);
      return labels[trial * DEAP_RATINGS.length + DEAP_RATINGS.indexOf(rating)] as number;
    },
  };
}

function isIndex(value: number, end: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < end;
}

/** An array of floating-point numbers, the last index changing fastest. */
function member(
  pickled: PickleValue,
  name: string,
  { shape, where }: { readonly shape: readonly number[]; readonly where: string },
): Float64Array | Float32Array {
  const value = pickled instanceof Map ? (pickled.get(name) as PickleValue | undefined) : undefined;
  const isArray = typeof value === 'object' && value !== null && 'dtype' in value;
  if (isArray && value.order === 'C' && value.shape.join() === shape.join()) {
    const { data } = value;
    if (data instanceof Float64Array || data instanceof Float32Array) return data;
  }
  throw new UserError(`it holds no numbers ${JSON.stringify(name)} of ${shape.join(' × ')}`, {
    where,
    remedy: 'give the files of data_preprocessed_python.zip as they are',
  });
}
