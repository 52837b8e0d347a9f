/** Every distinct input that the shards ask for, numbered, with what became of it. */

import type { FractionBox } from '../faces/crop.js';
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
  readonly boxes: (FractionBox | undefined)[] = [];
  readonly outcomes: (InputOutcome | undefined)[] = [];
  private readonly urlNumbers = new Map<string, number>();
  /** URL number to the number of the input that is its whole picture: a corpus of millions needs no second map. */
  private readonly wholeInputs: (number | undefined)[] = [];
  private readonly boxedInputs = new Map<string, number>();

  get size(): number {
    return this.urlOf.length;
  }

  /** The number of an input; the same URL and box always have the same. */
  number(input: Input): number {
    let url = this.urlNumbers.get(input.url);
    if (url === undefined) {
      url = this.urls.length;
      this.urls.push(input.url);
      this.urlNumbers.set(input.url, url);
      this.wholeInputs.push(undefined);
    }
    const key = input.box === undefined ? undefined : `${url} ${boxKey(input.box)}`;
    const known = key === undefined ? this.wholeInputs[url] : this.boxedInputs.get(key);
    if (known !== undefined) return known;
    const number = this.urlOf.length;
    this.urlOf.push(url);
    this.boxes.push(input.box);
    this.outcomes.push(undefined);
    if (key === undefined) this.wholeInputs[url] = number;
    else this.boxedInputs.set(key, number);
    return number;
  }
}

/** A box as text, the same for equal boxes. */
export function boxKey(box: FractionBox | undefined): string {
  return box === undefined ? 'whole' : `${box.left},${box.top},${box.right},${box.bottom}`;
}

/** How a ledger writes an outcome: enough of the content's hash to tell that it changed, or the reason. */
export function outcomeToken(outcome: InputOutcome): string {
  return outcome.ok ? contentToken(outcome.content) : outcome.reason;
}

/** A content's token: 64 bits of its SHA-256. */
export function contentToken(sha256: string): string {
  return sha256.slice(0, 16);
}
