/** The stack machine that a pickle is a program for, with the instructions that make plain data alone. */

import { malformed, Refusal, truncated } from './pickle_error.js';
import { applyGlobal, ByteString, buildState, findGlobal, type Memory } from './pickle_objects.js';
import {
  escapedBytes,
  latin1,
  longFromBytes,
  parseFloatLine,
  parseInteger,
  parseIntegerOrBoolean,
  parseMemoIndex,
  rawUnicode,
} from './pickle_text.js';

/** Bytes that may be made beside those of the file, for those that the file escapes or has out of place. */
const SPARE_BYTES = 65_536;

/** The largest integer that is read, in bytes. */
const MOST_INTEGER_BYTES = 256;

/** The longest line that holds a number or a name. */
const MOST_LINE = 1024;

/** What an instruction makes that makes no value. */
const NOTHING = Symbol();

/** Runs one pickle; by the names and numbers of CPython's `pickletools`. */
export class PickleMachine implements Memory {
  /** Where the instruction that is being obeyed begins. */
  instructionAt = 0;
  private at = 0;
  private readonly stack: unknown[] = [];
  /** Stack heights at which marks are. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();
  /** Arrays that are lists: those that are tuples can't be added to. */
  private readonly lists = new WeakSet<unknown[]>();
  private spareBytes: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly maxItems: number;

  constructor(bytes: Uint8Array, maxItems: number) {
    this.bytes = bytes;
    this.maxItems = maxItems;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.spareBytes = 2 * bytes.length + SPARE_BYTES;
  }

  run(): unknown {
    for (let items = 0; ; items++) {
      this.instructionAt = this.at;
      if (items >= this.maxItems) throw new Refusal('too-much', `more than ${this.maxItems} instructions`);
      const opcode = this.take(1)[0] as number;
      if (opcode === 0x2e /* STOP */) break;
      const value = this.made(opcode);
      if (value === NOTHING) this.obey(opcode);
      else this.stack.push(value);
    }
    const result = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw malformed('it ends with values left over');
    if (this.at < this.bytes.length) {
      this.instructionAt = this.at;
      throw malformed('bytes follow its end');
    }
    return result;
  }

  /** Counts memory that is made beside the file's. */
  spend(bytes: number): void {
    this.spareBytes -= bytes;
    if (this.spareBytes < 0) throw new Refusal('too-much', 'it expands to several times its size');
  }

  /** The value that an instruction puts on the stack, or NOTHING where it does something else. */
  private made(opcode: number): unknown {
    switch (opcode) {
      case 0x32: // DUP
        return this.top();
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4b: // BININT1
        return this.uint(1);
      case 0x4d: // BININT2
        return this.uint(2);
      case 0x4a: // BININT
        return this.uint(4) | 0;
      case 0x8a: // LONG1
        return longFromBytes(this.integerBytes(this.uint(1)));
      case 0x8b: // LONG4
        return longFromBytes(this.integerBytes(this.uint(4)));
      case 0x49: // INT
        return parseIntegerOrBoolean(this.line());
      case 0x4c: // LONG
        return parseInteger(this.line().replace(/L$/, ''));
      case 0x46: // FLOAT
        return parseFloatLine(this.line());
      case 0x47: // BINFLOAT, big endian
        this.take(8);
        return this.view.getFloat64(this.at - 8, false);
      case 0x53: // STRING
        return this.escapedString();
      case 0x54: // BINSTRING
        return new ByteString(this.take(this.uint(4)));
      case 0x55: // SHORT_BINSTRING
        return new ByteString(this.take(this.uint(1)));
      case 0x56: // UNICODE
        return rawUnicode(this.textLine());
      case 0x8c: // SHORT_BINUNICODE
        return this.utf8(this.uint(1));
      case 0x58: // BINUNICODE
        return this.utf8(this.uint(4));
      case 0x8d: // BINUNICODE8
        return this.utf8(this.uint(8));
      case 0x43: // SHORT_BINBYTES
        return this.take(this.uint(1));
      case 0x42: // BINBYTES
        return this.take(this.uint(4));
      case 0x8e: // BINBYTES8
        return this.take(this.uint(8));
      case 0x5d: // EMPTY_LIST
        return this.listOf([]);
      case 0x6c: // LIST
        return this.listOf(this.popToMark());
      case 0x29: // EMPTY_TUPLE
        return [];
      case 0x74: // TUPLE
        return this.popToMark();
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.popSome(opcode - 0x84);
      case 0x7d: // EMPTY_DICT
        return new Map();
      case 0x64: // DICT
        return withItems(new Map(), this.popToMark());
      case 0x67: // GET
        return this.recall(parseMemoIndex(this.line()));
      case 0x68: // BINGET
        return this.recall(this.uint(1));
      case 0x6a: // LONG_BINGET
        return this.recall(this.uint(4));
      case 0x63: // GLOBAL
        return findGlobal(this.line(), this.line());
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.popSome(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          throw malformed('a name that is no text is asked for');
        return findGlobal(module, name);
      }
      case 0x52: {
        // REDUCE
        const [callee, args] = this.popSome(2);
        if (!Array.isArray(args)) throw malformed('the arguments of a call are no tuple');
        return applyGlobal(callee, args, this);
      }
      default:
        return NOTHING;
    }
  }

  /** The instructions that make no value. */
  private obey(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        this.checkProtocol(this.uint(1));
        return;
      case 0x95: // FRAME: its length only helps who reads piece by piece.
        if (this.uint(8) > this.bytes.length - this.at) throw truncated();
        return;
      case 0x28: // MARK
        this.marks.push(this.stack.length);
        return;
      case 0x30: // POP, which takes a mark away where one is on top
        if (this.marks.at(-1) === this.stack.length) this.marks.pop();
        else this.pop();
        return;
      case 0x31: // POP_MARK
        this.popToMark();
        return;
      case 0x61: // APPEND
        this.append([this.pop()]);
        return;
      case 0x65: // APPENDS
        this.append(this.popToMark());
        return;
      case 0x73: // SETITEM
        this.setItems(this.popSome(2));
        return;
      case 0x75: // SETITEMS
        this.setItems(this.popToMark());
        return;
      case 0x70: // PUT
        this.remember(parseMemoIndex(this.line()));
        return;
      case 0x71: // BINPUT
        this.remember(this.uint(1));
        return;
      case 0x72: // LONG_BINPUT
        this.remember(this.uint(4));
        return;
      case 0x94: // MEMOIZE
        this.remember(this.memo.size);
        return;
      case 0x62: {
        // BUILD
        const state = this.pop();
        buildState(this.top(), state, this);
        return;
      }
      default:
        throw unknownInstruction(opcode);
    }
  }

  private checkProtocol(protocol: number): void {
    if (protocol > 4) throw new Refusal('refused', `it has protocol ${protocol}, of which 0 to 4 are read`);
  }

  private take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw truncated();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Little endian. */
  private uint(size: 1 | 2 | 4 | 8): number {
    let value = 0;
    for (const [i, byte] of this.take(size).entries()) value += byte * 2 ** (8 * i);
    return value;
  }

  private integerBytes(length: number): Uint8Array {
    if (length > MOST_INTEGER_BYTES) throw new Refusal('too-much', `it has an integer of ${length} bytes`);
    return this.take(length);
  }

  private textLine(): Uint8Array {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw truncated();
    const line = this.take(end - this.at);
    this.at += 1;
    return line;
  }

  /** A line with a number or a name. */
  private line(): string {
    const line = this.textLine();
    if (line.length > MOST_LINE) throw malformed(`a number or a name has ${line.length} bytes`);
    return latin1(line).replace(/\r$/, '');
  }

  private escapedString(): ByteString {
    const line = this.textLine();
    const [quote, last] = [line[0], line.at(-1)];
    // ' or ", the same at both ends
    if (line.length < 2 || quote !== last || (quote !== 0x27 && quote !== 0x22))
      throw malformed('a string is not between quotes');
    this.spend(line.length);
    return new ByteString(escapedBytes(line.subarray(1, -1)));
  }

  private utf8(length: number): string {
    // Lone surrogates, which Python writes in its own way, become U+FFFD.
    return UTF8.decode(this.take(length));
  }

  private listOf(list: unknown[]): unknown[] {
    this.lists.add(list);
    return list;
  }

  private top(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw malformed('a value is missing');
    return this.stack.at(-1);
  }

  private pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private popSome(count: number): unknown[] {
    if (this.stack.length - count < (this.marks.at(-1) ?? 0)) throw malformed('a value is missing');
    return this.stack.splice(this.stack.length - count, count);
  }

  private popToMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw malformed('a mark is missing');
    return this.stack.splice(mark);
  }

  private append(values: readonly unknown[]): void {
    const list = this.top();
    if (!(Array.isArray(list) && this.lists.has(list))) throw malformed('what is added to is no list');
    for (const value of values) list.push(value);
  }

  private setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw malformed('what an item is set of is no dict');
    withItems(dict, items);
  }

  private remember(index: number): void {
    this.memo.set(index, this.top());
  }

  private recall(index: number): unknown {
    if (!this.memo.has(index)) throw malformed(`it refers to value ${index}, which it has not kept`);
    return this.memo.get(index);
  }
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

function withItems(dict: Map<unknown, unknown>, items: readonly unknown[]): Map<unknown, unknown> {
  if (items.length % 2 !== 0) throw malformed('a key has no value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i] instanceof ByteString ? (items[i] as ByteString).text : items[i];
    if (key !== null && typeof key === 'object')
      throw new Refusal('refused', 'a key is neither text nor number');
    dict.set(key, items[i + 1]);
  }
  return dict;
}

/** Instructions that exist but make what is no plain data: instances of classes, sets, references to outside. */
const REFUSED_INSTRUCTIONS: Readonly<Record<number, string>> = {
  105: 'INST',
  111: 'OBJ',
  80: 'PERSID',
  81: 'BINPERSID',
  129: 'NEWOBJ',
  146: 'NEWOBJ_EX',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  150: 'BYTEARRAY8',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
};

function unknownInstruction(opcode: number): Refusal {
  const name = REFUSED_INSTRUCTIONS[opcode];
  return name === undefined
    ? malformed(`${opcode} is no instruction`)
    : new Refusal('refused', `it has the instruction ${name}, which makes more than plain data`);
}
