/** Relative positioning: of three stretches of a night, which one is far from the other two; it needs no label. */

import type { Dataset } from '../datasets/dataset.js';
import {
  type SleepEdfRecording,
  type SleepEdfSource,
  sleepEdfDataset,
} from '../datasets/sleep_edf/sleep_edf.js';
import { EPOCH_SECONDS } from '../datasets/sleep_edf/sleep_epochs.js';
import { UserError } from '../io/errors.js';
import { notNegative } from './eeg_options.js';
import { EegProblem, eegOptions } from './eeg_recordings.js';
import { SLEEP_AUGMENTATIONS, SLEEP_EDF, scoredNight } from './eeg_sleep_stages.js';
import {
  type EegTripletRow,
  eegTripletFeatures,
  eegTripletInputs,
  eegTripletValues,
  type TripletWindow,
} from './eeg_triplet.js';
import { inPlaces } from './identity_triplets.js';
import type { Input, PlanContext, PreparedInput, RejectedRow, Split } from './problem.js';
import { registerProblem } from './registry.js';
import { sampleRelativePositions } from './relative_positions.js';

/** A night as windows one beside the other. */
interface Night {
  readonly id: string;
  readonly windows: number;
  readonly from: number;
  readonly recording: SleepEdfRecording;
}

/**
 * The pretext task of Banville et al., "Uncovering the structure of clinical EEG signals with self-supervised learning"
 * (Journal of Neural Engineering 18, 2021), as triplets: anchor and near within `tau_plus`, far beyond `tau_minus` of both.
 * Of the hypnogram only the extent of the night is used, by which the day around it is cut away; no stage is an input or a
 * label.
 */
export class EegRelativePositioning extends EegProblem<EegTripletRow, SleepEdfSource> {
  readonly name: string = 'eeg_relative_positioning';
  readonly description: string =
    'Three stretches of a night from Sleep-EDF, two near each other and one far away: which one is it';
  readonly dataset: Dataset<SleepEdfSource> = sleepEdfDataset;
  protected readonly corpus = SLEEP_EDF;
  override readonly options = {
    ...eegOptions({ window_seconds: EPOCH_SECONDS, band_low: 0.3, band_high: 35 }),
    /** Seconds between the beginnings of two near windows, at most. */
    tau_plus: 60,
    /** Seconds between the beginnings of a far window and each of the near ones: more than this. */
    tau_minus: 15 * 60,
    /** Minutes of wake that are kept before the first and after the last epoch of sleep. */
    edge_wake_minutes: 30,
    examples: 50_000,
    dev_examples: 5_000,
    test_examples: 5_000,
  };

  override readonly optionRanges = {
    dev_fraction: [0, 1],
    test_fraction: [0, 1],
    examples: [0, 1e9],
    dev_examples: [0, 1e9],
    test_examples: [0, 1e9],
  } as const;

  /** A window moves by less than a second: near stays near and far stays far. */
  override readonly augmentations = SLEEP_AUGMENTATIONS;

  get features() {
    return eegTripletFeatures(this.settings);
  }

  override recordings({ recordings }: SleepEdfSource): readonly SleepEdfRecording[] {
    return recordings.filter(({ part }) => part === 'cassette');
  }

  override async *plan(
    split: Split,
    source: SleepEdfSource,
    context: PlanContext,
  ): AsyncGenerator<EegTripletRow | RejectedRow> {
    const { window_seconds: seconds } = this.options;
    const { near, far } = this.distances();
    const nights: Night[] = [];
    for (const recording of this.recordingsOf(split, source, context)) {
      const night = await this.nightOf(recording, source);
      if ('rejected' in night) yield night;
      else nights.push(night);
    }
    const wanted = this.options[EXAMPLES[split]];
    const seed = `${this.dataset.name} positions ${split} ${context.seed}`;
    const { count, triplets } = sampleRelativePositions(nights, { near, far, count: wanted, seed });
    if (count < wanted) context.note(`${split} has ${count} triplets, not ${wanted}: no more exist`);
    for (const { series, pair, far: away, odd } of triplets) {
      const { recording, from } = nights[series] as Night;
      const window = (number: number): TripletWindow => ({
        file: recording.fileName,
        recording: recording.id,
        subject: recording.subject,
        onset: from + number * seconds,
        label: '',
      });
      const [earlier, later] = pair[0] < pair[1] ? pair : [pair[1], pair[0]];
      yield {
        key: `${recording.id}@${window(earlier).onset}+${window(later).onset}-${window(away).onset}`,
        windows: inPlaces(odd, [window(pair[0]), window(pair[1])], window(away)),
        odd,
      };
    }
  }

  override inputs(row: EegTripletRow): readonly Input[] {
    return eegTripletInputs(row, this.options.window_seconds);
  }

  example(row: EegTripletRow, inputs: readonly PreparedInput[]) {
    return eegTripletValues(row, inputs);
  }

  override get preparation() {
    notNegative('edge_wake_minutes', this.options.edge_wake_minutes);
    this.distances();
    return super.preparation;
  }

  /** τ⁺ and τ⁻ in windows. */
  private distances(): { readonly near: number; readonly far: number } {
    const { tau_plus: plus, tau_minus: minus, window_seconds: seconds } = this.options;
    const near = Math.floor(plus / seconds);
    const far = Math.floor(minus / seconds) + 1;
    if (near >= 1 && far > near) return { near, far };
    throw new UserError(`tau_plus is ${plus} and tau_minus ${minus} for windows of ${seconds} seconds`, {
      remedy: 'tau_plus is a window or more, and tau_minus at least as much',
      exitCode: 2,
    });
  }

  private async nightOf(recording: SleepEdfRecording, source: SleepEdfSource): Promise<Night | RejectedRow> {
    const { window_seconds: seconds, edge_wake_minutes: edgeWakeMinutes } = this.options;
    const night = await scoredNight(recording, source, { edgeWakeMinutes });
    if ('rejected' in night) return night;
    const from = night.epochs[0]?.onset ?? 0;
    const last = night.epochs.at(-1);
    const windows = last === undefined ? 0 : Math.floor((last.onset + EPOCH_SECONDS - from) / seconds);
    return { id: recording.id, windows, from, recording };
  }
}

registerProblem(EegRelativePositioning);

const EXAMPLES = { train: 'examples', dev: 'dev_examples', test: 'test_examples' } as const;
