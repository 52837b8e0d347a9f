/** What the runs of EEGMMIDB are, and what T0, T1 and T2 mean in each: the corpus's own page, “Experimental Protocol”. */

/** What a person does during an event. */
export type EegmmidbClass =
  | 'eyes_open'
  | 'eyes_closed'
  | 'rest'
  | 'left_fist'
  | 'right_fist'
  | 'both_fists'
  | 'both_feet';

export interface EegmmidbTask {
  /** `none` for the two runs at rest. */
  readonly manner: 'none' | 'executed' | 'imagined';
  /** Absent codes do not occur in such a run. */
  readonly classes: { readonly T0: EegmmidbClass; readonly T1?: EegmmidbClass; readonly T2?: EegmmidbClass };
}

const FISTS = { T0: 'rest', T1: 'left_fist', T2: 'right_fist' } as const;
const FISTS_OR_FEET = { T0: 'rest', T1: 'both_fists', T2: 'both_feet' } as const;

/** Of runs 3 to 6, which come three times. */
const CYCLE: readonly EegmmidbTask[] = [
  { manner: 'executed', classes: FISTS },
  { manner: 'imagined', classes: FISTS },
  { manner: 'executed', classes: FISTS_OR_FEET },
  { manner: 'imagined', classes: FISTS_OR_FEET },
];

/** The task of run 1 to 14; undefined for another number. */
export function taskOfRun(run: number): EegmmidbTask | undefined {
  if (run === 1) return { manner: 'none', classes: { T0: 'eyes_open' } };
  if (run === 2) return { manner: 'none', classes: { T0: 'eyes_closed' } };
  return Number.isInteger(run) && run >= 3 && run <= 14 ? CYCLE[(run - 3) % 4] : undefined;
}
