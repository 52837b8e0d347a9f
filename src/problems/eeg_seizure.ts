/** Epileptic seizures: whether a few seconds of a long recording are part of one. */

import { type ChbMitRecording, type ChbMitSource, chbMitDataset } from '../datasets/chb_mit/chb_mit.js';
import { CHB_MIT_CHANNELS, reconcileChannels } from '../datasets/chb_mit/montage.js';
import type { Interval as StartAndEnd } from '../datasets/chb_mit/summary.js';
import type { Dataset } from '../datasets/dataset.js';
import { channelsToRead } from '../eeg/steps.js';
import { type Interval, overlapShare } from '../eeg/windows.js';
import { UserError } from '../io/errors.js';
import { seededRandom } from '../io/random.js';
import { channelDropout, gaussianNoise, timeShift } from './eeg_augmentations.js';
import { notNegative, oneOfWords } from './eeg_options.js';
import { EegWindows, eegOptions, type WindowRow } from './eeg_recordings.js';
import { choose } from './fair_shares.js';
import type { PlanContext, RejectedRow, Split } from './problem.js';
import { registerProblem } from './registry.js';
import { reject } from './rejection.js';

const CLASSES = ['background', 'seizure'] as const;

const BACKGROUND_FROM = ['seizure_recordings', 'all'] as const;

/**
 * Windows on a grid from the start of each recording. One that seizures cover by `min_overlap` or more is a seizure, one
 * that they don't touch is background; what lies between, and what only one of the corpus's two sources calls a seizure, is
 * an `uncertain-label`. A recording whose seizures can't be known, or whose channels are missing by the summary, is one
 * rejected row. The grid's end is known from the clock times in the summary; recordings without them (all of case 24) give
 * seizures alone.
 */
export class EegSeizure extends EegWindows<ChbMitSource> {
  readonly name: string = 'eeg_seizure';
  readonly description: string = 'Four seconds of a child’s EEG from CHB-MIT: part of a seizure or not';
  readonly dataset: Dataset<ChbMitSource> = chbMitDataset;
  protected readonly corpus = { channels: CHB_MIT_CHANNELS, samplingRate: 256 };
  override readonly options = {
    // Recorded in Boston, where the mains have 60 Hz.
    ...eegOptions({ band_low: 0.5, band_high: 70, notch: 60 }),
    /** Seconds from the beginning of a window to that of the next. */
    step_seconds: 4,
    /** Share of a window, above 0 and at most 1. */
    min_overlap: 0.5,
    /** Windows of background for each of a seizure, drawn from all there are; 0 takes every one. */
    background_per_seizure: 5,
    /** `seizure_recordings` draws background from recordings with a seizure alone (a fifth of the corpus’s 43 GB); or `all`. */
    background_from: 'seizure_recordings' as string,
  };

  /** No scaling: a seizure is told by its amplitude too. */
  override readonly augmentations = [
    timeShift({ fraction: 0.05 }),
    gaussianNoise({ fraction: 0.05 }),
    channelDropout({ probability: 0.1 }),
  ];

  protected override get reading() {
    return { find: 'bipolar' as const };
  }

  protected override *windows(
    recordings: readonly ChbMitRecording[],
    { split, context }: { readonly split: Split; readonly context: PlanContext },
  ): Generator<WindowRow | RejectedRow> {
    const background: WindowRow[] = [];
    let seizures = 0;
    let unmeasured = 0;
    const from = oneOfWords('background_from', this.options.background_from, BACKGROUND_FROM);
    for (const recording of recordings) {
      const rejection = this.rejectionOf(recording);
      if (rejection !== undefined) {
        yield { key: recording.id, ...rejection };
        continue;
      }
      const isSource = from === 'all' || recording.seizures.length > 0;
      if (recording.seconds === undefined) unmeasured += 1;
      for (const row of this.grid(recording)) {
        if ('rejected' in row) yield row;
        else if (row.label === 'seizure') {
          seizures += 1;
          yield row;
        } else if (isSource && recording.seconds !== undefined) background.push(row);
      }
    }
    const perSeizure = this.options.background_per_seizure;
    const wanted = perSeizure === 0 ? background.length : Math.round(seizures * perSeizure);
    const count = Math.min(wanted, background.length);
    const random = seededRandom(`${this.dataset.name} background ${split} ${context.seed}`);
    for (const i of [...choose(count, background.length, random)].sort((a, b) => a - b))
      yield background[i] as WindowRow;
    context.note(
      `${split} has ${seizures} windows of seizures and ${count} of ${background.length} of background`,
    );
    if (unmeasured > 0)
      context.note(`${split}: ${unmeasured} recordings, whose length no summary tells, give no background`);
  }

  override get preparation() {
    oneOfWords('background_from', this.options.background_from, BACKGROUND_FROM);
    notNegative('background_per_seizure', this.options.background_per_seizure);
    const { step_seconds: step, min_overlap: share } = this.options;
    if (!(step > 0 && share > 0 && share <= 1))
      throw new UserError(`step_seconds is ${step} and min_overlap ${share}`, {
        remedy: 'both are above 0, and min_overlap is 1 at most',
        exitCode: 2,
      });
    return super.preparation;
  }

  private rejectionOf({ id, fault, channels }: ChbMitRecording) {
    if (fault !== undefined) return reject('uncertain-label', `${id}: ${fault}`);
    if (channels.length === 0) return undefined;
    const found = reconcileChannels(channels, channelsToRead(this.settings.steps) ?? CHB_MIT_CHANNELS);
    return found.ok
      ? undefined
      : reject('missing-channels', `${id} has no channels ${found.missing.join(', ')}`);
  }

  /** All windows of a recording; without a known length those up to the end of its last seizure. */
  private *grid(recording: ChbMitRecording): Generator<WindowRow | RejectedRow> {
    const { id, subject, fileName, seconds } = recording;
    const { window_seconds: duration, step_seconds: step, min_overlap: least } = this.options;
    const seizures = recording.seizures.map(interval);
    const disputed = recording.disputed.map(interval);
    const last = seizures.reduce((latest, { onset, duration: long }) => Math.max(latest, onset + long), 0);
    const lastOnset = seconds === undefined ? last : seconds - duration;
    for (let i = 0; i * step <= lastOnset; i++) {
      const onset = i * step;
      const covered = share(seizures, onset, duration);
      const key = `${id}@${onset}`;
      if (share(disputed, onset, duration) > 0)
        yield { key, ...reject('uncertain-label', 'its sources do not agree on a seizure there') };
      else if (covered > 0 && covered < least)
        yield { key, ...reject('uncertain-label', `a seizure covers ${covered.toFixed(2)} of the window`) };
      else {
        const target = covered > 0 ? 1 : 0;
        const label = CLASSES[target];
        yield { key, file: fileName, recording: id, subject, onset, target, label };
      }
    }
  }
}

registerProblem(EegSeizure);

function interval({ start, end }: StartAndEnd): Interval {
  return { onset: start, duration: end - start };
}

/** How much of a window intervals cover, 0 … 1. */
function share(intervals: readonly Interval[], onset: number, duration: number): number {
  if (intervals.length === 0) return 0;
  // One sample as long as the window: the share does not depend on the sampling rate.
  return overlapShare({ stretch: 0, fromSample: 0, samples: 1, onset }, 1 / duration, intervals);
}
