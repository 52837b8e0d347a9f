/** The one error of EDF and BDF files: which kind of fault it is, and at which byte. */

import { UserError } from './errors.js';

/** Why a file is refused. */
export type EdfFault =
  /** The first bytes are not those of EDF or BDF. */
  | 'not-edf'
  /** A header field says what it can't. */
  | 'header'
  /** The file ends before its header or its last data record does. */
  | 'truncated'
  /** There are whole data records more than the header promises. */
  | 'record-count'
  /** Line feeds became CR LF on the way: a transfer in text mode. */
  | 'line-endings'
  /** Bytes above 127 became EF BF BD on the way: the file was once taken for UTF-8 text. */
  | 'utf8-mangled'
  /** Data records are not where they should be, for a reason that can't be told. */
  | 'shifted'
  /** A time-stamped annotations list (TAL) breaks its grammar. */
  | 'annotation'
  /** The start times of data records are absent, go backwards or overlap. */
  | 'timekeeping'
  /** A signal's digital or physical range is empty, so that it has no physical values. */
  | 'calibration'
  /** More than memory should hold. */
  | 'too-much';

/** What to do, by fault. */
const REMEDIES: Readonly<Record<EdfFault, string>> = {
  'not-edf': 'give it an EDF, EDF+, BDF or BDF+ file',
  header: 'export the recording again, or mend that field',
  truncated: 'fetch the file again, or allow that only its whole data records are read',
  'record-count': 'fetch the file again, or allow that all its data records are read',
  'line-endings': 'fetch it again in binary mode (git: mark *.edf and *.bdf as binary)',
  'utf8-mangled': 'fetch it again in binary mode: what is lost is in no way back',
  shifted: 'fetch the file again',
  annotation: 'export the recording again, or read its signals only',
  timekeeping: 'export the recording again',
  calibration: "mend the signal's ranges, or read its digital values",
  'too-much': 'split the recording',
};

/** A file that can't be read, or a part of it. */
export class EdfError extends UserError {
  readonly fault: EdfFault;
  readonly file: string;
  /** Where the fault is, in bytes from the start of the file. */
  readonly offset: number;

  constructor(fault: EdfFault, what: string, place: { readonly file: string; readonly offset: number }) {
    super(what, { where: `${place.file}, byte ${place.offset}`, remedy: REMEDIES[fault] });
    this.name = 'EdfError';
    this.fault = fault;
    this.file = place.file;
    this.offset = place.offset;
  }
}
