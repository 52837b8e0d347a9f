/** Triplets by label of any Problem over windows: two windows of one class and one of another, which is the odd one out. */

import type { RecordingEntry } from '../datasets/recordings.js';
import { type EegOptions, oneOfWords } from './eeg_options.js';
import type { EegSource, EegWindows, WindowRow } from './eeg_recordings.js';
import {
  type EegTripletRow,
  eegTripletFeatures,
  eegTripletInputs,
  eegTripletValues,
  type TripletWindow,
} from './eeg_triplet.js';
import { inPlaces, type SamplingIdentity, sampleTriplets } from './identity_triplets.js';
import {
  type Input,
  type OptionValue,
  type PlanContext,
  type PreparedInput,
  Problem,
  type Split,
  withOptions,
} from './problem.js';

/** Besides the options of the Problem over windows. */
export const LABEL_TRIPLET_OPTIONS = {
  examples: 20_000,
  dev_examples: 2_000,
  test_examples: 2_000,
  /**
   * Whose windows meet. `any`: whoever’s; as likely the same person in the pair as with the odd one where people have equal
   * shares of the classes. `same`: all three of one person, so that who it is tells nothing. `different`: the two of a class
   * are of two people, so that what they share is not the person.
   */
  people: 'any' as string,
};

const PEOPLE = ['any', 'same', 'different'] as const;

const EXAMPLES = { train: 'examples', dev: 'dev_examples', test: 'test_examples' } as const;

/** Each class is the pair's equally often, and each other class the odd one's, as far as there are windows. */
export abstract class EegLabelTriplets<Source extends EegSource> extends Problem<EegTripletRow, Source> {
  abstract override readonly options: EegOptions & Readonly<typeof LABEL_TRIPLET_OPTIONS>;

  override readonly optionRanges: Problem['optionRanges'] = {
    dev_fraction: [0, 1],
    test_fraction: [0, 1],
    examples: [0, 1e9],
    dev_examples: [0, 1e9],
    test_examples: [0, 1e9],
  };

  override readonly examplesPerShard: number = 512;

  /** What leaves a window's class as it is. */
  override readonly augmentations = this.newWindows().augmentations;

  /** A new one of the Problem whose windows are put together. */
  protected abstract newWindows(): EegWindows<Source>;

  /** That Problem with the options of this one. */
  private get windows(): EegWindows<Source> {
    const windows = this.newWindows();
    const options: Readonly<Record<string, OptionValue>> = this.options;
    const shared = Object.keys(windows.options).map((name) => [name, options[name] as OptionValue] as const);
    return withOptions(windows, Object.fromEntries(shared));
  }

  get features() {
    return eegTripletFeatures(this.windows.settings);
  }

  override get preparation() {
    oneOfWords('people', this.options.people, PEOPLE);
    return this.windows.preparation;
  }

  override async *plan(split: Split, source: Source, context: PlanContext): AsyncGenerator<EegTripletRow> {
    const rows: WindowRow[] = [];
    let rejected = 0;
    for await (const row of this.windows.plan(split, source, context)) {
      if ('rejected' in row) rejected += 1;
      else rows.push(row);
    }
    if (rejected > 0)
      context.note(
        `${split}: ${rejected} windows or recordings are in no triplet, as ${this.windows.name} rejects them`,
      );
    const wanted = this.options[EXAMPLES[split]];
    const groups = groupsOf(rows, oneOfWords('people', this.options.people, PEOPLE));
    const sampled = sampleTriplets(groups, { count: wanted, seed: `${this.name} ${split} ${context.seed}` });
    if (sampled.count < wanted)
      context.note(`${split} has ${sampled.count} triplets, not ${wanted}: no more exist`);
    for (const { pair, other, odd } of sampled.triplets) {
      const rowOf = ({ identity, image }: { identity: number; image: number }): WindowRow =>
        rows[groups[identity]?.members[image] as number] as WindowRow;
      const [first, second] = [rowOf(pair[0]), rowOf(pair[1])];
      const away = rowOf(other);
      const [one, two] = first.key < second.key ? [first, second] : [second, first];
      yield {
        key: `${one.key}+${two.key}-${away.key}`,
        windows: inPlaces(odd, [windowOf(first), windowOf(second)], windowOf(away)),
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
}

/** Windows that can be a pair, as the sampler of identities sees them: a class, or a class of one person. */
interface Group extends SamplingIdentity {
  /** Numbers of rows. */
  readonly members: readonly number[];
}

function groupsOf(rows: readonly WindowRow[], people: (typeof PEOPLE)[number]): Group[] {
  const members = new Map<string, number[]>();
  const subjects = new Map<RecordingEntry['subject'], number>();
  for (const [i, { target, subject }] of rows.entries()) {
    const id = people === 'same' ? `${target} ${subject}` : `${target}`;
    const list = members.get(id);
    if (list === undefined) members.set(id, [i]);
    else list.push(i);
    if (!subjects.has(subject)) subjects.set(subject, subjects.size);
  }
  return [...members].map(([id, list]) => ({
    id,
    members: list,
    // The pair is of two different “photographs”: here, of two windows or of two people.
    photographs: list.map((row, i) =>
      people === 'different' ? (subjects.get(rows[row]?.subject ?? '') as number) : i,
    ),
    group: people === 'same' ? rows[list[0] as number]?.subject : 'all',
  }));
}

function windowOf({ file, recording, subject, onset, label }: WindowRow): TripletWindow {
  return { file, recording, subject, onset, label };
}
