/** What the main thread asks of a worker and what comes back: plain data that structured cloning carries. */

import type { DatasetPlace } from '../datasets/dataset.js';
import type { OptionValue, Split } from '../problems/problem.js';
import type { RejectionReason } from '../problems/rejection.js';
import type { InputOutcome, InputPart } from './input_table.js';
import type { LedgerHead } from './ledger.js';
import type { OutcomeTable } from './outcome_columns.js';

/** What a worker is started with. */
export interface WorkerSetup {
  readonly problem: string;
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Modules to import first: they register Problems that t2t-ts does not bring. */
  readonly imports: readonly string[];
  readonly preparedFolder: string;
  /** Where the dataset's own files lie. */
  readonly place: DatasetPlace;
  readonly worker: number;
}

/** Prepare one fetched file for some inputs. */
export interface PrepareTask {
  readonly kind: 'prepare';
  readonly path: string;
  readonly content: string;
  readonly parts: readonly (InputPart | undefined)[];
}

/** Outcomes in the order of `parts`; `altered` where the raw file is missing or is not what its name says. */
export type PrepareResult =
  | { readonly kind: 'prepared'; readonly outcomes: readonly InputOutcome[] }
  | { readonly kind: 'altered' };

/** Prepare some of the dataset's own files: names that lie near each other, since archives are read in order fastest. */
export interface PrepareFilesTask {
  readonly kind: 'prepare-files';
  readonly files: readonly { readonly name: string; readonly parts: readonly (InputPart | undefined)[] }[];
}

/** Outcomes in the order of the files' parts. */
export interface PrepareFilesResult {
  readonly kind: 'files-prepared';
  readonly outcomes: readonly InputOutcome[];
}

/** Make one shard. It holds all that the shard depends on. */
export interface ShardTask {
  readonly kind: 'shard';
  readonly dataDir: string;
  readonly split: Split;
  readonly index: number;
  readonly of: number;
  readonly settings: string;
  readonly planPath: string;
  readonly lines: { readonly starts: Float64Array; readonly ends: Float64Array };
  /** Row i's inputs are those of `inputs` at `slots[k]` for k from inputStarts[i] to inputStarts[i + 1]. */
  readonly inputStarts: Uint32Array;
  readonly slots: Uint32Array;
  readonly inputs: OutcomeTable;
}

export interface ShardResult {
  readonly kind: 'made';
  readonly head: LedgerHead;
}

export type WorkerTask = PrepareTask | PrepareFilesTask | ShardTask;
export type WorkerResult = PrepareResult | PrepareFilesResult | ShardResult;

export type RejectionTally = Partial<Record<RejectionReason, number>>;
