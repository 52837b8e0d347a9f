/** Reads and decodes some records of a split, in whatever thread it is. */

import type { Features } from '../io/features.js';
import { seededRandom } from '../io/random.js';
import type { DecodedExample, Mode } from '../problems/decoded.js';
import type { Problem } from '../problems/problem.js';
import { type Batch, collate } from './collate.js';
import { ExampleDecoder } from './decode_examples.js';
import { ImageDecoder } from './image_decoder.js';
import type { SplitFiles } from './open_split.js';
import { RecordFiles } from './record_files.js';
import { shardOf } from './split_index.js';

/** How records become examples. Plain data. */
export interface ReadSettings {
  readonly mode: Mode;
  readonly seed: number;
  /** Names of the features that are decoded. */
  readonly features: readonly string[];
  /** Whether the checksums of the data are checked. */
  readonly verify: boolean;
}

export class SplitReader {
  private readonly split: SplitFiles;
  private readonly problem: Problem;
  private readonly settings: ReadSettings;
  private readonly files: RecordFiles;
  private decoder: Promise<ExampleDecoder> | undefined;

  constructor(split: SplitFiles, problem: Problem, settings: ReadSettings) {
    this.split = split;
    this.problem = problem;
    this.settings = settings;
    this.files = new RecordFiles(split, { verify: settings.verify });
  }

  /** The data of records, checked and not parsed. */
  raw(records: readonly number[]): Promise<Uint8Array[]> {
    return this.files.read(records);
  }

  /** Records decoded and prepared for the mode, as one batch. The same whatever they are read together with. */
  async decoded(records: readonly number[], epoch: number): Promise<Batch> {
    this.decoder ??= this.openDecoder();
    const decoder = await this.decoder;
    const { mode, seed } = this.settings;
    const room = decoder.room(records.length);
    const examples: DecodedExample[] = new Array(records.length);
    const prepare = (slot: number, example: DecodedExample): void => {
      const random = seededRandom(`${seed}/${epoch}/${records[slot]}`);
      examples[slot] = this.problem.preprocessExample(example, mode, random);
    };
    await this.files.visit(records, (slot, data) => {
      const example = decoder.decode(data, room[slot]!, this.placeOf(records[slot]!));
      if (example instanceof Promise) return example.then((decoded) => prepare(slot, decoded));
      prepare(slot, example);
    });
    return collate(examples);
  }

  close(): void {
    this.files.close();
  }

  private async openDecoder(): Promise<ExampleDecoder> {
    const features = Object.fromEntries(
      this.settings.features.map((name) => [name, this.problem.features[name]!]),
    ) satisfies Features;
    return new ExampleDecoder(features, await ImageDecoder.open());
  }

  private placeOf(record: number): string {
    const { path, firstRecord } = this.split.shards[shardOf(this.split.shards, record)]!;
    return `${path}, record ${record - firstRecord}`;
  }
}
