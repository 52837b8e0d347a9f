/** The protobuf wire format, as far as tf.train.Example needs it: tags, varints and lengths, read and written by hand. */

import { UserError } from './errors.js';

/** Bytes that aren't the protobuf message they should be. */
export class MalformedExampleError extends UserError {
  /** Where in the record, in bytes from its start. */
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`not a tf.train.Example: ${what} at byte ${offset} of the record`);
    this.name = 'MalformedExampleError';
    this.offset = offset;
  }
}

/** A place in a record. Each function below advances `at` over what it read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Wire types (protobuf's encoding guide); 3 and 4 are groups, which no version of tf.train.Example had. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

/** A field's tag: field number × 8 + wire type. */
export function readTag(cursor: Cursor, end: number): number {
  const start = cursor.at;
  const tag = readUint32(cursor, end, 'a field tag');
  if (tag >>> 3 === 0) throw new MalformedExampleError('field number 0', start);
  return tag;
}

/** A length prefix; gives where the field ends, which is never beyond `end`. */
export function readFieldEnd(cursor: Cursor, end: number): number {
  const start = cursor.at;
  const length = readUint32(cursor, end, 'a length');
  if (length > end - cursor.at)
    throw new MalformedExampleError(`a length of ${length} where ${end - cursor.at} bytes are left`, start);
  return cursor.at + length;
}

/** Passes over the value of a field that nobody asked for. */
export function skipField(cursor: Cursor, tag: number, end: number): void {
  switch (tag & 7) {
    case VARINT:
      skipVarint(cursor, end);
      return;
    case FIXED64:
      skipBytes(cursor, 8, end);
      return;
    case LENGTH_DELIMITED:
      cursor.at = readFieldEnd(cursor, end);
      return;
    case FIXED32:
      skipBytes(cursor, 4, end);
      return;
    default:
      throw new MalformedExampleError(`wire type ${tag & 7}`, cursor.at);
  }
}

/** A signed 64-bit varint: a number where that is exact, a BigInt elsewhere. */
export function readInt64(cursor: Cursor, end: number): number | bigint {
  const { bytes } = cursor;
  let at = cursor.at;
  if (at < end && bytes[at]! < 0x80) {
    cursor.at = at + 1;
    return bytes[at]!;
  }
  let low = 0;
  let high = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end) throw new MalformedExampleError('a number that is cut off', cursor.at);
    if (shift > 63) throw new MalformedExampleError('a number of more than ten bytes', cursor.at);
    const byte = bytes[at++]!;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else high |= bits << (shift - 32); // of the tenth byte the lowest bit alone counts
    if (byte < 0x80) break;
  }
  cursor.at = at;
  const value = high * 2 ** 32 + (low >>> 0);
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Bytes of `value` as a varint, for a length: 0 ≤ value < 2^31. */
export function lengthBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes a length (0 ≤ value < 2^31) and gives the position after it. */
export function writeLength(bytes: Uint8Array, position: number, value: number): number {
  let at = position;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Bytes of an int64 as a varint: 1 to 9, and 10 for what is negative. The value is a safe integer or a BigInt in range. */
export function int64Bytes(value: number | bigint): number {
  if (value < 0) return 10;
  if (value < 0x1000_0000) return lengthBytes(Number(value));
  let size = 5;
  for (let limit = 2 ** 35; size < 9 && value >= limit; limit *= 128) size++;
  return size;
}

/** Writes an int64 (a safe integer, or a BigInt in range) and gives the position after it. */
export function writeInt64(bytes: Uint8Array, position: number, value: number | bigint): number {
  if (value >= 0 && value <= 0x7fff_ffff) return writeLength(bytes, position, Number(value));
  let low: number;
  let high: number;
  if (typeof value === 'number') {
    low = value >>> 0; // modulo 2^32, as ECMAScript's ToUint32 has it for negative numbers too
    high = Math.floor(value / 2 ** 32) >>> 0;
  } else {
    low = Number(BigInt.asUintN(32, value));
    high = Number(BigInt.asUintN(32, value >> 32n));
  }
  let at = position;
  while (high > 0) {
    bytes[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  return writeLength(bytes, at, low);
}

function readUint32(cursor: Cursor, end: number, what: string): number {
  const { bytes } = cursor;
  const start = cursor.at;
  if (start < end && bytes[start]! < 0x80) {
    cursor.at = start + 1;
    return bytes[start]!;
  }
  let value = 0;
  for (let at = start, scale = 1; at < end && at < start + 5; at++, scale *= 128) {
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) {
      if (value > 0xffff_ffff) break;
      cursor.at = at + 1;
      return value;
    }
  }
  throw new MalformedExampleError(`${what} that is cut off or too large`, start);
}

function skipVarint(cursor: Cursor, end: number): void {
  const start = cursor.at;
  for (let at = start; at < end && at < start + 10; at++) {
    if (cursor.bytes[at]! < 0x80) {
      cursor.at = at + 1;
      return;
    }
  }
  throw new MalformedExampleError('a number that is cut off or of more than ten bytes', start);
}

function skipBytes(cursor: Cursor, count: number, end: number): void {
  if (count > end - cursor.at) throw new MalformedExampleError('a field that is cut off', cursor.at);
  cursor.at += count;
}
