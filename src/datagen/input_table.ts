/** Every distinct input that the shards ask for, numbered, with what became of it. */

import { TextTable } from '../io/text_table.js';
import type { Input } from '../problems/problem.js';
import type { RejectionReason } from '../problems/rejection.js';
import { OutcomeColumns } from './outcome_columns.js';

/** What became of an input: where its prepared bytes lie, or why there are none. */
export type InputOutcome =
  | {
      readonly ok: true;
      /** SHA-256 of the raw file, lower-case hex. */
      readonly content: string;
      readonly pack: string;
      readonly offset: number;
      readonly length: number;
      readonly crc: number;
    }
  | { readonly ok: false; readonly reason: RejectionReason; readonly detail: string };

/** An outcome and, of a dataset's own file, the stamp that it had then. */
export type StampedOutcome = InputOutcome & { readonly stamp?: string };

/** The outcome of a dataset's own file that is not there. */
export function missingFile(name: string): InputOutcome & { ok: false } {
  return { ok: false, reason: 'missing-file', detail: name };
}

/** Of a file that could not be read. Not kept: the next run tries again. */
export const UNREADABLE = 'unreadable-file' satisfies RejectionReason;

/** Numbers inputs in the order in which they are first seen: millions of them, so an address is kept once and compactly. */
export class InputTable {
  /** Input number to what is wanted of the file; undefined where it is the whole. */
  readonly parts: (InputPart | undefined)[] = [];
  readonly outcomes = new OutcomeColumns();
  private readonly urls = new TextTable();
  /** Input number to URL number. */
  private readonly urlNumbers: number[] = [];
  /** URL number to the number of the input that is its whole file: a corpus of millions needs no second map. */
  private readonly wholeInputs: (number | undefined)[] = [];
  private readonly partInputs = new Map<string, number>();

  get size(): number {
    return this.urlNumbers.length;
  }

  /** The address of an input. */
  url(input: number): string {
    return this.urls.text(this.urlNumbers[input] as number);
  }

  /** The number of an input; the same URL and part always have the same. */
  number(input: Input): number {
    const url = this.urls.number(input.url);
    if (url === this.wholeInputs.length) this.wholeInputs.push(undefined);
    const part = partOf(input);
    const key = part === undefined ? undefined : `${url} ${partKey(part)}`;
    const known = key === undefined ? this.wholeInputs[url] : this.partInputs.get(key);
    if (known !== undefined) return known;
    const number = this.urlNumbers.length;
    this.urlNumbers.push(url);
    this.parts.push(part);
    if (key === undefined) this.wholeInputs[url] = number;
    else this.partInputs.set(key, number);
    return number;
  }
}

/** The part of a file that an input is. */
export type InputPart = Pick<Input, 'box' | 'window'>;

function partOf({ box, window }: Input): InputPart | undefined {
  if (box !== undefined) return window === undefined ? { box } : { box, window };
  return window === undefined ? undefined : { window };
}

/** A part as text without blanks, the same for equal parts. */
export function partKey(part: InputPart | undefined): string {
  if (part === undefined) return 'whole';
  const { box, window } = part;
  return [
    ...(box === undefined ? [] : [box.left, box.top, box.right, box.bottom]),
    ...(window === undefined ? [] : ['at', window.onset, window.duration]),
  ].join(',');
}

/**
 * How a ledger writes an outcome: enough of the content's hash to tell that it changed and the CRC of what was made of it,
 * which another box or other landmarks of the same content change; or the reason.
 */
export function outcomeToken(outcome: InputOutcome): string {
  return outcome.ok
    ? contentToken(outcome.content) + outcome.crc.toString(16).padStart(8, '0')
    : outcome.reason;
}

/** What the tokens of a content begin with: 64 bits of its SHA-256. */
export function contentToken(sha256: string): string {
  return sha256.slice(0, 16);
}
