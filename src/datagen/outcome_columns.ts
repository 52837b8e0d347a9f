/** Outcomes of millions of inputs in columns of numbers: some 60 bytes each instead of several hundred as objects. */

import { TextTable } from '../io/text_table.js';
import type { RejectionReason } from '../problems/rejection.js';
import type { InputOutcome, StampedOutcome } from './input_table.js';

const NOTHING = 0;
const PREPARED = 1;
const FAILED = 2;

/** SHA-256. */
const CONTENT_BYTES = 32;

/** A number of a text, or this where there is none. */
const NO_TEXT = 0xffffffff;

/** A growing list of outcomes; one that was never set, or was removed, is undefined. */
export class OutcomeColumns {
  private readonly texts = new TextTable();
  private state = new Uint8Array(1024);
  private content = new Uint8Array(1024 * CONTENT_BYTES);
  private offset = new Float64Array(1024);
  /** Of failures: the number of the detail's text. */
  private length = new Uint32Array(1024);
  private crc = new Uint32Array(1024);
  /** The number of the pack's name; of failures, of the reason. */
  private pack = new Uint32Array(1024);
  private stamp = new Uint32Array(1024);

  has(number: number): boolean {
    return number < this.state.length && this.state[number] !== NOTHING;
  }

  get(number: number): StampedOutcome | undefined {
    if (!this.has(number)) return undefined;
    const { content, offset, length, crc, pack } = this;
    const columns = { content, offset, length, crc, pack };
    const outcome = outcomeIn(columns, number, this.state[number] === PREPARED, (text) =>
      this.texts.text(text),
    );
    const stamp = this.stamp[number] as number;
    return stamp === NO_TEXT ? outcome : { ...outcome, stamp: this.texts.text(stamp) };
  }

  set(number: number, outcome: StampedOutcome): void {
    while (number >= this.state.length) this.grow();
    this.stamp[number] = outcome.stamp === undefined ? NO_TEXT : this.texts.number(outcome.stamp);
    if (!outcome.ok) {
      this.state[number] = FAILED;
      this.pack[number] = this.texts.number(outcome.reason);
      this.length[number] = this.texts.number(outcome.detail);
      return;
    }
    this.state[number] = PREPARED;
    const content = Buffer.from(outcome.content, 'hex');
    if (content.length !== CONTENT_BYTES) throw new RangeError(`${outcome.content} is no SHA-256`);
    this.content.set(content, number * CONTENT_BYTES);
    this.pack[number] = this.texts.number(outcome.pack);
    this.offset[number] = outcome.offset;
    this.length[number] = outcome.length;
    this.crc[number] = outcome.crc;
  }

  remove(number: number): void {
    if (number < this.state.length) this.state[number] = NOTHING;
  }

  /** Some of them, as plain columns that cross threads; see `outcomeAt`. */
  subset(numbers: ArrayLike<number>): OutcomeTable {
    const count = numbers.length;
    const texts: string[] = [];
    const textNumbers = new Map<number, number>();
    const textOf = (number: number): number => {
      let known = textNumbers.get(number);
      if (known === undefined) {
        known = texts.length;
        texts.push(this.texts.text(number));
        textNumbers.set(number, known);
      }
      return known;
    };
    const table = {
      isPrepared: new Uint8Array(count),
      content: new Uint8Array(count * CONTENT_BYTES),
      offset: new Float64Array(count),
      length: new Uint32Array(count),
      crc: new Uint32Array(count),
      pack: new Uint32Array(count),
      texts,
    };
    for (let i = 0; i < count; i++) {
      const number = numbers[i] as number;
      if (!this.has(number)) throw new RangeError(`input ${number} has no outcome yet`);
      const isPrepared = this.state[number] === PREPARED;
      table.isPrepared[i] = isPrepared ? 1 : 0;
      table.pack[i] = textOf(this.pack[number] as number);
      table.length[i] = isPrepared ? (this.length[number] as number) : textOf(this.length[number] as number);
      table.offset[i] = this.offset[number] as number;
      table.crc[i] = this.crc[number] as number;
      const start = number * CONTENT_BYTES;
      table.content.set(this.content.subarray(start, start + CONTENT_BYTES), i * CONTENT_BYTES);
    }
    return table;
  }

  private grow(): void {
    const size = this.state.length * 2;
    this.state = copied(this.state, new Uint8Array(size));
    this.content = copied(this.content, new Uint8Array(size * CONTENT_BYTES));
    this.offset = copied(this.offset, new Float64Array(size));
    this.length = copied(this.length, new Uint32Array(size));
    this.crc = copied(this.crc, new Uint32Array(size));
    this.pack = copied(this.pack, new Uint32Array(size));
    this.stamp = copied(this.stamp, new Uint32Array(size));
  }
}

/** The numbers of outcomes, by column. */
interface Columns {
  /** 32 bytes each. */
  readonly content: Uint8Array;
  readonly offset: Float64Array;
  /** Of failures the number of the detail's text. */
  readonly length: Uint32Array;
  readonly crc: Uint32Array;
  /** The number of the pack's name, of failures of the reason. */
  readonly pack: Uint32Array;
}

/** Outcomes as columns: no object an input is made, copied and thrown away where a shard's inputs are handed to a worker. */
export interface OutcomeTable extends Columns {
  readonly isPrepared: Uint8Array;
  readonly texts: readonly string[];
}

/** One outcome of a table. */
export function outcomeAt(table: OutcomeTable, at: number): InputOutcome {
  return outcomeIn(table, at, table.isPrepared[at] === 1, (text) => table.texts[text] as string);
}

function outcomeIn(
  columns: Columns,
  at: number,
  isPrepared: boolean,
  text: (number: number) => string,
): InputOutcome {
  const pack = text(columns.pack[at] as number);
  const length = columns.length[at] as number;
  if (!isPrepared) return { ok: false, reason: pack as RejectionReason, detail: text(length) };
  const { buffer, byteOffset } = columns.content;
  return {
    ok: true,
    content: Buffer.from(buffer, byteOffset + at * CONTENT_BYTES, CONTENT_BYTES).toString('hex'),
    pack,
    offset: columns.offset[at] as number,
    length,
    crc: columns.crc[at] as number,
  };
}

function copied<Column extends Uint8Array | Uint32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
