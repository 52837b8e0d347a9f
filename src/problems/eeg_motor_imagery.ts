/** Motor imagery: which hand a person imagines to close, or whether both fists or both feet, from four seconds of EEG. */

import type { Dataset } from '../datasets/dataset.js';
import {
  type EegmmidbRecording,
  type EegmmidbSource,
  eegmmidbDataset,
} from '../datasets/eegmmidb/eegmmidb.js';
import type { EegmmidbEvent } from '../datasets/eegmmidb/events.js';
import { sampleAt } from '../eeg/windows.js';
import { UserError } from '../io/errors.js';
import {
  amplitudeScaling,
  channelDropout,
  gaussianNoise,
  signFlip,
  timeMasking,
  timeShift,
} from './eeg_augmentations.js';
import { oneOfWords } from './eeg_options.js';
import { EegWindows, eegOptions, type WindowRow } from './eeg_recordings.js';
import type { RejectedRow } from './problem.js';
import { registerProblem } from './registry.js';
import { reject } from './rejection.js';

/** The 64 channels in the order of the files, by their names in the 10-10 system. */
export const EEGMMIDB_CHANNELS: readonly string[] = (
  'FC5 FC3 FC1 FCz FC2 FC4 FC6 C5 C3 C1 Cz C2 C4 C6 CP5 CP3 CP1 CPz CP2 CP4 CP6 Fp1 Fpz Fp2 AF7 AF3 AFz AF4 AF8 ' +
  'F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FT8 T7 T8 T9 T10 TP7 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO3 POz PO4 PO8 O1 Oz O2 Iz'
).split(' ');

/** In Hz, of all people but three. */
const SAMPLING_RATE = 160;

/** Classes by task, in the order of their numbers. */
const CLASSES = {
  left_right: ['left_fist', 'right_fist'],
  fists_feet: ['both_fists', 'both_feet'],
} as const;

/** Windows around the cues of EEGMMIDB; rest between them is no class. */
export class EegMotorImagery extends EegWindows<EegmmidbSource> {
  readonly name: string = 'eeg_motor_imagery';
  readonly description: string =
    'Four seconds of EEG from EEGMMIDB: which fist, or fists or feet, a person imagines to move (or moves)';
  readonly dataset: Dataset<EegmmidbSource> = eegmmidbDataset;
  protected readonly corpus = { channels: EEGMMIDB_CHANNELS, samplingRate: SAMPLING_RATE };
  override readonly options = {
    ...eegOptions({ band_low: 1, band_high: 45 }),
    /** `left_right` or `fists_feet`. */
    task: 'left_right' as string,
    /** Runs in which movements are imagined, not made. */
    imagined: true as boolean,
    /** Seconds after the cue at which windows begin; may be negative. A trial lasts 4.1 seconds. */
    window_from: 0,
  };

  /**
   * The imagined movement shows in the power of rhythms, which has no sign, and in the side of the head: left and right
   * channels are never exchanged. A tenth of a second to either side stays within the trial's steady part.
   */
  override readonly augmentations = [
    timeShift({ fraction: 0.025 }),
    signFlip(),
    amplitudeScaling({ fraction: 0.1 }),
    gaussianNoise({ fraction: 0.1 }),
    channelDropout({ probability: 0.1 }),
    timeMasking({ fraction: 0.1 }),
  ];

  protected override *windows(
    recordings: readonly EegmmidbRecording[],
    { source }: { readonly source: EegmmidbSource },
  ): Generator<WindowRow | RejectedRow> {
    const classes: readonly string[] = CLASSES[oneOfWords('task', this.options.task, TASKS)];
    const { samplingRate } = this.settings;
    const manner = this.options.imagined ? 'imagined' : 'executed';
    for (const recording of recordings) {
      const { task, anomaly, id } = recording;
      if (task.manner !== manner || task.classes.T1 !== classes[0]) continue;
      const events = eventsOf(recording, source);
      if ('rejected' in events) yield events;
      else
        for (const [number, event] of events.entries()) {
          const target = classes.indexOf(event.meaning);
          if (target < 0) continue;
          const row = this.row(recording, number, { event, target, samplingRate });
          if (anomaly === undefined) yield row;
          else
            yield {
              key: row.key,
              ...reject(
                anomaly.kind === 'sampling-rate' ? 'wrong-sampling-rate' : 'trial-timing',
                `${id}: ${anomaly.detail}`,
              ),
            };
        }
    }
  }

  private row(
    { id, subject, fileName }: EegmmidbRecording,
    number: number,
    of: { readonly event: EegmmidbEvent; readonly target: number; readonly samplingRate: number },
  ): WindowRow {
    const { event, target, samplingRate } = of;
    // The cue goes to its nearest sample first, as MNE's events do, so that it is at the same place of each window.
    const cue = sampleAt(event.onset, samplingRate) / samplingRate;
    return {
      key: `${id}:${number}`,
      file: fileName,
      recording: id,
      subject,
      onset: cue + this.options.window_from,
      target,
      label: event.meaning,
    };
  }

  override get preparation() {
    oneOfWords('task', this.options.task, TASKS);
    return super.preparation;
  }
}

registerProblem(EegMotorImagery);

const TASKS = Object.keys(CLASSES) as (keyof typeof CLASSES)[];

function eventsOf(
  recording: EegmmidbRecording,
  source: EegmmidbSource,
): readonly EegmmidbEvent[] | RejectedRow {
  try {
    return source.events(recording);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { key: recording.id, ...reject('unreadable-recording', `its events: ${error.what}`) };
  }
}
