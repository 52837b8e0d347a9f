/** The one error of pickle files: which kind of fault it is, and at which byte. */

import { UserError } from './errors.js';

/** Why a pickle is not read. */
export type PickleFault =
  /** It asks for something that is neither plain data nor a NumPy array: reading it would mean to run its code. */
  | 'refused'
  /** Its bytes are no pickle, or contradict each other. */
  | 'malformed'
  /** It ends before it says that it does. */
  | 'truncated'
  /** It has more items than are wanted in memory, or expands to more than it is itself. */
  | 'too-much';

const REMEDIES: Readonly<Record<PickleFault, string>> = {
  refused:
    'keep dicts, lists, tuples, strings, numbers and numeric NumPy arrays only, pickled with protocol 4 or less',
  malformed: 'fetch the file again, in binary mode',
  truncated: 'fetch the file again',
  'too-much': 'keep large tables as NumPy arrays',
};

/** A pickle that can't be read, or that is not allowed to. */
export class PickleError extends UserError {
  readonly fault: PickleFault;
  /** Where the fault is, in bytes from the start. */
  readonly offset: number;

  constructor(fault: PickleFault, what: string, place: { readonly file: string; readonly offset: number }) {
    super(what, { where: `${place.file}, byte ${place.offset}`, remedy: REMEDIES[fault] });
    this.name = 'PickleError';
    this.fault = fault;
    this.offset = place.offset;
  }
}

/** Why reading stops; at which byte, is known to who reads, who makes a PickleError of it. */
export class Refusal extends Error {
  readonly fault: PickleFault;

  constructor(fault: PickleFault, what: string) {
    super(what);
    this.fault = fault;
  }
}

export function malformed(what: string): Refusal {
  return new Refusal('malformed', what);
}

export function truncated(): Refusal {
  return new Refusal('truncated', 'the pickle ends too early');
}
