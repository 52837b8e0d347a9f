/** The `.event` files beside the recordings of EEGMMIDB: the same events as in the recordings, in 640 bytes. */

import { UserError } from '../../io/errors.js';
import { parseWfdbAnnotations } from '../../io/wfdb_annotations.js';
import { type EegmmidbClass, taskOfRun } from './tasks.js';

export interface EegmmidbEvent {
  /** Seconds after the first sample. */
  readonly onset: number;
  /** Seconds. */
  readonly duration: number;
  readonly code: 'T0' | 'T1' | 'T2';
  readonly meaning: EegmmidbClass;
}

/**
 * The events of a run, in order.
 * @throws UserError where the file is damaged, tells no sampling rate, or has an event that the run can't have.
 */
export function parseEventFile(
  bytes: Uint8Array,
  { run, where }: { readonly run: number; readonly where: string },
): EegmmidbEvent[] {
  const { samplingRate, annotations } = parseWfdbAnnotations(bytes, where);
  const fault = (what: string): UserError =>
    new UserError(what, { where, remedy: 'see whether the file is one of EEGMMIDB’s, or fetch it again' });
  if (samplingRate === undefined) throw fault('the events tell no time resolution');
  return annotations.map(({ sample, text }) => {
    const [, code, duration] = /^(T[012]) duration: (\d{1,6}(?:\.\d{1,6})?)$/.exec(text) ?? [];
    const meaning = meaningOf(code, run);
    if (code === undefined || meaning === undefined)
      throw fault(`${JSON.stringify(text.slice(0, 40))} is no event of run ${run}`);
    return { onset: sample / samplingRate, duration: Number(duration), code: code as 'T0', meaning };
  });
}

/** What a code means in a run, e.g. of the recording's own annotations; undefined where there is no such code. */
export function meaningOf(code: string | undefined, run: number): EegmmidbClass | undefined {
  const classes: Readonly<Partial<Record<string, EegmmidbClass>>> = taskOfRun(run)?.classes ?? {};
  return code === undefined || !/^T[012]$/.test(code) ? undefined : classes[code];
}
