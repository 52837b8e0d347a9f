/** From a hypnogram to scored epochs of 30 seconds in the five classes of the AASM. */

import type { Annotation } from '../../io/recording.js';

/** Stages 3 and 4 of Rechtschaffen and Kales are one in the AASM's manual (Iber et al. 2007). */
export const SLEEP_STAGES = ['W', 'N1', 'N2', 'N3', 'REM'] as const;

export type SleepStage = (typeof SLEEP_STAGES)[number];

/** Of the manual by which the nights were scored. */
export const EPOCH_SECONDS = 30;

export interface SleepEpoch {
  /** Seconds after the recording's first sample. */
  readonly onset: number;
  readonly stage: SleepStage;
}

export interface SleepEpochs {
  readonly epochs: readonly SleepEpoch[];
  /** Epochs of movement, or that nobody scored. */
  readonly unscored: number;
  /** Epochs of wake that were cut away at both ends. */
  readonly trimmed: number;
}

/**
 * The epochs of a hypnogram, in order. A recording of a day and a night is mostly wake: at both ends only so many minutes
 * of it are kept before the first and after the last epoch of sleep, and nothing where there is no sleep.
 */
export function sleepEpochs(
  hypnogram: readonly Annotation[],
  { edgeWakeMinutes = 30 }: { readonly edgeWakeMinutes?: number } = {},
): SleepEpochs {
  const all: SleepEpoch[] = [];
  let unscored = 0;
  for (const { onset, duration = 0, text } of hypnogram) {
    if (!text.startsWith('Sleep stage ') && text !== 'Movement time') continue;
    const stage = sleepStageOf(text);
    // A rest shorter than an epoch was never scored as one. The tolerance is for decimals.
    const count = Math.min(MAX_EPOCHS, Math.floor(duration / EPOCH_SECONDS + 1e-6));
    if (stage === undefined) unscored += count;
    else for (let i = 0; i < count; i++) all.push({ onset: onset + i * EPOCH_SECONDS, stage });
  }
  all.sort((a, b) => a.onset - b.onset);
  const asleep = all.filter(({ stage }) => stage !== 'W');
  const from = (asleep[0]?.onset ?? Number.POSITIVE_INFINITY) - edgeWakeMinutes * 60;
  const to = (asleep.at(-1)?.onset ?? 0) + EPOCH_SECONDS + edgeWakeMinutes * 60;
  const epochs = all.filter(({ onset }) => onset >= from && onset + EPOCH_SECONDS <= to);
  return { epochs, unscored, trimmed: all.length - epochs.length };
}

/** A week: what is longer is a mistake, and must not fill the memory. */
const MAX_EPOCHS = (7 * 24 * 3600) / EPOCH_SECONDS;

/** The class of `Sleep stage 2` and the like; undefined for movement, `?` and anything else. */
export function sleepStageOf(text: string): SleepStage | undefined {
  return STAGES[/^Sleep stage (\S)$/.exec(text)?.[1] ?? ''];
}

const STAGES: Readonly<Partial<Record<string, SleepStage>>> = {
  W: 'W',
  '1': 'N1',
  '2': 'N2',
  '3': 'N3',
  '4': 'N3',
  R: 'REM',
};
