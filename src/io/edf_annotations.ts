/** Time-stamped annotations lists (TALs) of EDF+ and BDF+: EDF+ specification 2.2.2 to 2.2.4. */

import { EdfError } from './edf_error.js';
import { decodeText } from './edf_header.js';

/** One list: texts of one onset. */
export interface Tal {
  /** Seconds after the start time of the header. */
  readonly onset: number;
  /** Seconds. */
  readonly duration: number | undefined;
  /** In a data record's first TAL the first one is empty: that TAL is the record's own start time. */
  readonly texts: readonly string[];
}

/** Separators of the format. */
const END = 0x00;
const AFTER_TEXT = 0x14;
const BEFORE_DURATION = 0x15;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Where bytes of an annotation signal come from, for errors. */
export interface TalPlace {
  readonly file: string;
  /** Bytes of the file before the first of these. */
  readonly offset: number;
}

/**
 * All TALs of one annotation signal in one data record, [start, end) of `bytes`.
 * @throws EdfError at the byte where the grammar is broken.
 */
export function parseTals(bytes: Uint8Array, start: number, end: number, place: TalPlace): Tal[] {
  const tals: Tal[] = [];
  for (let at = start; at < end; ) {
    if (bytes[at] === END) {
      at++;
      continue;
    }
    const talEnd = find(bytes, END, at, end);
    const fault = (what: string): EdfError =>
      new EdfError('annotation', what, { file: place.file, offset: place.offset + at - start });
    if (bytes[talEnd - 1] !== AFTER_TEXT)
      throw fault('an annotation is cut off, or bytes are there that are none');
    tals.push(parseTal(bytes, at, talEnd, fault));
    at = talEnd;
  }
  return tals;
}

/** The start time of a data record: its first TAL's, where that is a timekeeping one, which has an empty first text. */
export function recordOnset(first: Tal | undefined): number | undefined {
  return first?.texts[0] === '' ? first.onset : undefined;
}

/** The first TAL of an annotation signal in one data record; undefined where there is none, or its grammar is broken. */
export function parseFirstTal(bytes: Uint8Array, start: number, end: number): Tal | undefined {
  const talEnd = find(bytes, END, start, end);
  if (talEnd === start || bytes[talEnd - 1] !== AFTER_TEXT) return undefined;
  try {
    return parseTal(
      bytes,
      start,
      talEnd,
      (what) => new EdfError('annotation', what, { file: '', offset: start }),
    );
  } catch {
    return undefined;
  }
}

/** Where a byte is, or `end`. `indexOf` would look beyond it, through all that was read along. */
function find(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}

function parseTal(bytes: Uint8Array, start: number, end: number, fault: (what: string) => EdfError): Tal {
  if (bytes[start] !== PLUS && bytes[start] !== MINUS)
    throw fault('an annotation begins without the + or − of its onset');
  const stampEnd = find(bytes, AFTER_TEXT, start, end);
  const durationStart = find(bytes, BEFORE_DURATION, start, stampEnd);
  const onset = decimal(bytes, start + 1, durationStart);
  if (onset === undefined) throw fault("an annotation's onset is no number");
  let duration: number | undefined;
  if (durationStart + 1 < stampEnd) {
    duration = decimal(bytes, durationStart + 1, stampEnd);
    if (duration === undefined) throw fault("an annotation's duration is no number");
  }
  const texts: string[] = [];
  for (let at = stampEnd + 1; at < end; ) {
    const textEnd = find(bytes, AFTER_TEXT, at, end);
    texts.push(textEnd === at ? '' : decodeText(bytes.subarray(at, textEnd)));
    at = textEnd + 1;
  }
  return { onset: bytes[start] === MINUS ? 0 - onset : onset, duration, texts };
}

/** Digits with at most one point among them; the longest number of seconds that a double holds has 16 before the point. */
function decimal(bytes: Uint8Array, start: number, end: number): number | undefined {
  let text = '';
  for (let at = start; at < end && at - start < 40; at++) text += String.fromCharCode(bytes[at]!);
  return end - start < 40 && /^(\d{1,16}\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined;
}
