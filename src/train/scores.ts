/** What was measured on a split, in one form for every task: metrics with intervals, and what stands beside them. */

import type { GroupRow } from './group_table.js';

/** A metric of one describer. */
export interface ScoredMetric {
  readonly metric: string;
  /** `model`, a baseline (`pixels`, `band power`), or their difference (`model − pixels`). */
  readonly of: string;
  readonly value: number | null;
  /** The ends of the 95 % interval; null where there is none. */
  readonly low: number | null;
  readonly high: number | null;
  /** What a guess would score; null for differences. */
  readonly chance: number | null;
}

export interface Scores {
  readonly task: 'triplets' | 'verification' | 'classification' | 'retrieval';
  readonly rows: number;
  /** What intervals are over. */
  readonly groups: { readonly word: string; readonly count: number };
  readonly metrics: readonly ScoredMetric[];
  /** The same by triplet type. */
  readonly byType: readonly {
    readonly type: string;
    readonly rows: number;
    readonly metrics: readonly ScoredMetric[];
  }[];
  /** The model's by person, subject or photograph; empty where each is in one row. */
  readonly byGroup: readonly GroupRow<string>[];
  /** Row: the label; column: the model's answer. */
  readonly confusion?: {
    readonly classes: readonly string[];
    readonly counts: readonly (readonly number[])[];
  };
  /** What people reach, where their votes are known. */
  readonly ceiling?: { readonly agreementWithOthers: number; readonly majorityVoteShare: number };
  /** Keys of rows that the model is surest of, rightly and wrongly. */
  readonly examples?: { readonly best: readonly string[]; readonly worst: readonly string[] };
  /** Why a number is not to be relied on. */
  readonly cautions: readonly string[];
}
