/** Every distinct input that the shards ask for, numbered, with what became of it. */

import type { Input } from '../problems/problem.js';
import type { RejectionReason } from '../problems/rejection.js';

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

/** The outcome of a dataset's own file that is not there. */
export function missingFile(name: string): InputOutcome & { ok: false } {
  return { ok: false, reason: 'missing-file', detail: name };
}

/** Of a file that could not be read. Not kept: the next run tries again. */
export const UNREADABLE = 'unreadable-file' satisfies RejectionReason;

/** Numbers inputs and URLs in the order in which they are first seen. */
export class InputTable {
  readonly urls: string[] = [];
  /** Input number to URL number. */
  readonly urlOf: number[] = [];
  /** Input number to what is wanted of the file; undefined where it is the whole. */
  readonly parts: (InputPart | undefined)[] = [];
  readonly outcomes: (InputOutcome | undefined)[] = [];
  private readonly urlNumbers = new Map<string, number>();
  /** URL number to the number of the input that is its whole file: a corpus of millions needs no second map. */
  private readonly wholeInputs: (number | undefined)[] = [];
  private readonly partInputs = new Map<string, number>();

  get size(): number {
    return this.urlOf.length;
  }

  /** The number of an input; the same URL and part always have the same. */
  number(input: Input): number {
    let url = this.urlNumbers.get(input.url);
    if (url === undefined) {
      url = this.urls.length;
      this.urls.push(input.url);
      this.urlNumbers.set(input.url, url);
      this.wholeInputs.push(undefined);
    }
    const part = partOf(input);
    const key = part === undefined ? undefined : `${url} ${partKey(part)}`;
    const known = key === undefined ? this.wholeInputs[url] : this.partInputs.get(key);
    if (known !== undefined) return known;
    const number = this.urlOf.length;
    this.urlOf.push(url);
    this.parts.push(part);
    this.outcomes.push(undefined);
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

/** How a ledger writes an outcome: enough of the content's hash to tell that it changed, or the reason. */
export function outcomeToken(outcome: InputOutcome): string {
  return outcome.ok ? contentToken(outcome.content) : outcome.reason;
}

/** A content's token: 64 bits of its SHA-256. */
export function contentToken(sha256: string): string {
  return sha256.slice(0, 16);
}
