/** One's own recordings: windows around or along the events of a folder of EEG files, with the events' labels as classes. */

import type { Dataset } from '../datasets/dataset.js';
import {
  type EegFolderSource,
  eegFolderDataset,
  type LabelledEvent,
} from '../datasets/eeg_folder/eeg_folder.js';
import type { RecordingEntry } from '../datasets/recordings.js';
import { UserError } from '../io/errors.js';
import { channelDropout, gaussianNoise } from './eeg_augmentations.js';
import { listedNames } from './eeg_options.js';
import { EegWindows, eegOptions, type WindowRow } from './eeg_recordings.js';
import type { PlanContext, RejectedRow, Split } from './problem.js';
import { registerProblem } from './registry.js';
import { type Rejection, reject } from './rejection.js';

/**
 * An event that lasts as long as several windows gives them all, side by side; a shorter one, or one without a duration,
 * gives the window that begins at it; a label of a whole recording gives all windows of it. Recordings of any rates are
 * brought to one (`resample`).
 */
export class EegFolder extends EegWindows<EegFolderSource> {
  readonly name: string = 'eeg_folder';
  readonly description: string =
    'Windows of your own EEG recordings (EDF, BDF, BrainVision, Muse) with their labels';
  readonly dataset: Dataset<EegFolderSource> = eegFolderDataset;
  protected readonly corpus = {};
  override readonly options = {
    ...eegOptions({ resample: 128, band_low: 1, band_high: 45 }),
    /** The classes between commas, in the order of their numbers; all labels there are, sorted, where empty. */
    labels: '' as string,
    /** Seconds after an event at which its first window begins; may be negative. */
    window_from: 0,
    /** Whether long events give several windows; else one, at their beginning. */
    tile: true as boolean,
    /** What channels without a unit are in, e.g. `uV`; such are refused where empty. */
    blank_unit: '' as string,
  };

  /** What labels mean is not known here: only what is true of any recording. */
  override readonly augmentations = [
    gaussianNoise({ fraction: 0.05 }),
    channelDropout({ probability: 0.05 }),
  ];

  protected override get reading() {
    const { blank_unit: blankUnit } = this.options;
    return { find: 'name' as const, ...(blankUnit === '' ? {} : { blankUnit }) };
  }

  protected override async *windows(
    recordings: readonly RecordingEntry[],
    run: { readonly split: Split; readonly source: EegFolderSource; readonly context: PlanContext },
  ): AsyncGenerator<WindowRow | RejectedRow> {
    const { source, context } = run;
    const events = await eventsOf(source);
    const asked = listedNames(this.options.labels);
    const classes = asked.length > 0 ? asked : allLabels(events);
    context.note(`the classes are, from 0: ${classes.join(', ') || 'none'}`);
    let others = 0;
    for (const recording of recordings) {
      const found = events.get(recording.fileName);
      if (found === undefined) continue;
      if ('rejected' in found) {
        yield { key: recording.id, ...found };
        continue;
      }
      for (const [number, event] of found.entries()) {
        const target = classes.indexOf(event.label);
        if (target < 0) {
          others += 1;
          continue;
        }
        const onsets = await this.onsets(recording, event, source);
        if ('rejected' in onsets) {
          yield { key: `${recording.id}:${number}`, ...onsets };
          continue;
        }
        for (const [i, onset] of onsets.entries())
          yield {
            key: `${recording.id}:${number}:${i}`,
            file: recording.fileName,
            recording: recording.id,
            subject: recording.subject,
            onset,
            target,
            label: event.label,
          };
      }
    }
    if (others > 0) context.note(`${run.split}: ${others} events have labels that are no class`);
  }

  /** Where the windows of an event begin, or why nobody can tell. */
  private async onsets(
    recording: RecordingEntry,
    { onset, duration = 0 }: LabelledEvent,
    source: EegFolderSource,
  ): Promise<number[] | Rejection> {
    const { window_from: from, window_seconds: seconds, tile } = this.options;
    if (onset === undefined) {
      const segments = await orRejection(() => source.segments(recording));
      return 'rejected' in segments
        ? segments
        : segments.flatMap((segment) => sideBySide(segment.onset, segment.duration, seconds));
    }
    const begin = onset + from;
    return tile && duration >= 2 * seconds ? sideBySide(begin, duration, seconds) : [begin];
  }
}

registerProblem(EegFolder);

function sideBySide(onset: number, duration: number, seconds: number): number[] {
  // The tolerance is for decimals.
  const count = Math.floor(duration / seconds + 1e-9);
  return Array.from({ length: count }, (_, i) => onset + i * seconds);
}

type Events = ReadonlyMap<string, readonly LabelledEvent[] | Rejection>;

/** Of all recordings, since classes must be the same in every split; each file is opened once. */
async function eventsOf(source: EegFolderSource): Promise<Events> {
  const known = read.get(source);
  if (known !== undefined) return known;
  const events = new Map<string, readonly LabelledEvent[] | Rejection>();
  for (const recording of source.recordings)
    events.set(recording.fileName, await orRejection(() => source.events(recording)));
  read.set(source, events);
  return events;
}

async function orRejection<T>(open: () => Promise<T>): Promise<T | Rejection> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return reject('unreadable-recording', error.what);
  }
}

const read = new WeakMap<EegFolderSource, Events>();

function allLabels(events: Events): string[] {
  const labels = new Set<string>();
  for (const found of events.values())
    if (!('rejected' in found)) for (const { label } of found) labels.add(label);
  return [...labels].sort((a, b) => (a < b ? -1 : 1));
}
