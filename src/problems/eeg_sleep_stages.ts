/** Sleep stages: in which of the five stages a person is during 30 seconds of a night. */

import type { Dataset } from '../datasets/dataset.js';
import {
  type SleepEdfPart,
  type SleepEdfRecording,
  type SleepEdfSource,
  sleepEdfDataset,
} from '../datasets/sleep_edf/sleep_edf.js';
import {
  EPOCH_SECONDS,
  SLEEP_STAGES,
  type SleepEpochs,
  sleepEpochs,
} from '../datasets/sleep_edf/sleep_epochs.js';
import { UserError } from '../io/errors.js';
import type { Augmentation } from './decoded.js';
import { channelDropout, gaussianNoise, timeShift } from './eeg_augmentations.js';
import { notNegative } from './eeg_options.js';
import { EegWindows, eegOptions, type WindowRow } from './eeg_recordings.js';
import type { PlanContext, RejectedRow, Split } from './problem.js';
import { registerProblem } from './registry.js';
import { reject } from './rejection.js';

/** What both parts of Sleep-EDF share. */
export const SLEEP_EDF = { channels: ['Fpz-Cz', 'Pz-Oz'], samplingRate: 100 } as const;

/** Mild ones: slow waves and K-complexes are told by their height, their length and which way they point. */
export const SLEEP_AUGMENTATIONS: readonly Augmentation[] = [
  timeShift({ fraction: 0.02 }),
  gaussianNoise({ fraction: 0.05 }),
  channelDropout({ probability: 0.1 }),
];

/** The cassette nights: healthy people at home. Another length of window is laid about the middle of the epoch. */
export class EegSleepStages extends EegWindows<SleepEdfSource> {
  readonly name: string = 'eeg_sleep_stages';
  readonly description: string = 'Thirty seconds of a night from Sleep-EDF, at home: which sleep stage it is';
  readonly dataset: Dataset<SleepEdfSource> = sleepEdfDataset;
  protected readonly corpus = SLEEP_EDF;
  protected readonly part: SleepEdfPart = 'cassette';
  override readonly options = {
    // The band that the AASM's manual asks for when a person scores sleep.
    ...eegOptions({ window_seconds: EPOCH_SECONDS, band_low: 0.3, band_high: 35 }),
    /** Minutes of wake that are kept before the first and after the last epoch of sleep. */
    edge_wake_minutes: 30,
  };

  override readonly augmentations = SLEEP_AUGMENTATIONS;

  override recordings({ recordings }: SleepEdfSource): readonly SleepEdfRecording[] {
    return recordings.filter(({ part }) => part === this.part);
  }

  protected override async *windows(
    recordings: readonly SleepEdfRecording[],
    run: { readonly split: Split; readonly source: SleepEdfSource; readonly context: PlanContext },
  ): AsyncGenerator<WindowRow | RejectedRow> {
    const { window_seconds: seconds, edge_wake_minutes: edgeWakeMinutes } = this.options;
    let unscored = 0;
    let trimmed = 0;
    for (const recording of recordings) {
      const night = await scoredNight(recording, run.source, { edgeWakeMinutes });
      if ('rejected' in night) {
        yield night;
        continue;
      }
      unscored += night.unscored;
      trimmed += night.trimmed;
      const { id, subject, fileName } = recording;
      for (const { onset, stage } of night.epochs)
        yield {
          key: `${id}@${onset}`,
          file: fileName,
          recording: id,
          subject,
          onset: onset + (EPOCH_SECONDS - seconds) / 2,
          target: SLEEP_STAGES.indexOf(stage),
          label: stage,
        };
    }
    run.context.note(
      `${run.split}: ${unscored} epochs of movement or without a score are left out, and ${trimmed} of wake at both ends`,
    );
  }

  override get preparation() {
    notNegative('edge_wake_minutes', this.options.edge_wake_minutes);
    return super.preparation;
  }
}

registerProblem(EegSleepStages);

/**
 * The telemetry nights, differently acquired, of other people: in hospital, who sleep badly, after temazepam or placebo. All
 * are test, to see what of a model's skill carries over.
 */
export class EegSleepStagesTelemetry extends EegSleepStages {
  override readonly name = 'eeg_sleep_stages_telemetry';
  override readonly description =
    'The transfer set of eeg_sleep_stages: nights in hospital, of people who sleep badly';
  protected override readonly part = 'telemetry';
  override readonly splits: readonly Split[] = ['test'];
  override readonly options = { ...new EegSleepStages().options, dev_fraction: 0, test_fraction: 1 };
}

registerProblem(EegSleepStagesTelemetry);

/** The epochs of a night, or its rejection where the hypnogram is damaged. */
export async function scoredNight(
  recording: SleepEdfRecording,
  source: SleepEdfSource,
  options: { readonly edgeWakeMinutes: number },
): Promise<SleepEpochs | RejectedRow> {
  try {
    return sleepEpochs(await source.hypnogram(recording), options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { key: recording.id, ...reject('unreadable-recording', `its hypnogram: ${error.what}`) };
  }
}
