/** What the two sources of CHB-MIT say of a recording's seizures: its line in the summary and its `.seizures` file. */

import { UserError } from '../../io/errors.js';
import { parseWfdbAnnotations } from '../../io/wfdb_annotations.js';
import type { Interval, SummarizedFile } from './summary.js';

export interface Seizures {
  /** In order of time. Where the sources differ, what both call a seizure. */
  readonly seizures: readonly Interval[];
  /** What only one of the sources calls a seizure: neither one nor the other for sure. */
  readonly disputed: readonly Interval[];
  /** Why nothing can be said, where it can't. */
  readonly fault?: string;
}

/** The interval codes `[` and `]` of wfdb/ecgcodes.h. */
const BEGIN = 32;
const END = 33;

/** All recordings of the corpus. */
const SAMPLING_RATE = 256;

/** @throws UserError where the file is damaged or its ends do not follow its beginnings. */
export function parseSeizureFile(bytes: Uint8Array, where: string): Interval[] {
  const { samplingRate = SAMPLING_RATE, annotations } = parseWfdbAnnotations(bytes, where);
  const edges = annotations.filter(({ type }) => type === BEGIN || type === END);
  const seizures: Interval[] = [];
  for (let i = 0; i < edges.length; i += 2) {
    const [begin, end] = [edges[i], edges[i + 1]];
    if (begin?.type !== BEGIN || end?.type !== END || end.sample <= begin.sample)
      throw new UserError('beginnings and ends of seizures do not take turns', {
        where,
        remedy: 'fetch the file again',
      });
    seizures.push({ start: begin.sample / samplingRate, end: end.sample / samplingRate });
  }
  return seizures;
}

/** Summaries give whole seconds. */
const TOLERANCE_SECONDS = 1;

/**
 * Brings the sources together; either may be absent. Of `chb24_21.edf` the two differ by 400 seconds, and no third one is
 * there: what they share is a seizure, the rest is disputed.
 */
export function reconcileSeizures(
  summary: SummarizedFile | undefined,
  annotated: readonly Interval[] | undefined,
): Seizures {
  if (summary?.fault !== undefined) return none(summary.fault);
  if (summary === undefined && annotated === undefined)
    return none('no source tells whether it has seizures');
  if (summary === undefined || annotated === undefined)
    return { seizures: summary?.seizures ?? annotated ?? [], disputed: [] };
  if (summary.seizures.length !== annotated.length)
    return none(
      `the summary has ${summary.seizures.length} seizures, the .seizures file has ${annotated.length}`,
    );
  const seizures: Interval[] = [];
  const disputed: Interval[] = [];
  for (const [i, told] of summary.seizures.entries()) {
    const other = annotated[i] as Interval;
    const shared = { start: Math.max(told.start, other.start), end: Math.min(told.end, other.end) };
    if (shared.start >= shared.end) return none(`its sources put seizure ${i + 1} at different times`);
    const whole = { start: Math.min(told.start, other.start), end: Math.max(told.end, other.end) };
    if (shared.start - whole.start > TOLERANCE_SECONDS)
      disputed.push({ start: whole.start, end: shared.start });
    if (whole.end - shared.end > TOLERANCE_SECONDS) disputed.push({ start: shared.end, end: whole.end });
    seizures.push(shared);
  }
  return { seizures, disputed };
}

function none(fault: string): Seizures {
  return { seizures: [], disputed: [], fault };
}
