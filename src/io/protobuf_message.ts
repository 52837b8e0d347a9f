/** Protobuf messages put together field by field, for formats of which only some fields are written (TensorBoard's). */

import {
  FIXED32,
  FIXED64,
  int64Bytes,
  LENGTH_DELIMITED,
  lengthBytes,
  VARINT,
  writeInt64,
  writeLength,
} from './protobuf.js';

/** A message: its fields one behind the other, in the order given. Fields that are undefined are left out. */
export function message(...fields: readonly (Uint8Array | undefined)[]): Uint8Array {
  return Buffer.concat(fields.filter((field) => field !== undefined));
}

/** int32, int64, bool and enum values: a safe integer. */
export function integerField(number: number, value: number): Uint8Array {
  const field = tagged(number, VARINT, int64Bytes(value));
  writeInt64(field.bytes, field.at, value);
  return field.bytes;
}

export function floatField(number: number, value: number): Uint8Array {
  const { bytes, at } = tagged(number, FIXED32, 4);
  bytes.writeFloatLE(value, at);
  return bytes;
}

export function doubleField(number: number, value: number): Uint8Array {
  const { bytes, at } = tagged(number, FIXED64, 8);
  bytes.writeDoubleLE(value, at);
  return bytes;
}

export function textField(number: number, value: string): Uint8Array {
  return bytesField(number, Buffer.from(value));
}

/** Bytes, or a message within the message. */
export function bytesField(number: number, value: Uint8Array): Uint8Array {
  const { bytes, at } = tagged(number, LENGTH_DELIMITED, lengthBytes(value.length) + value.length);
  bytes.set(value, writeLength(bytes, at, value.length));
  return bytes;
}

/** Repeated doubles, packed. */
export function doublesField(number: number, values: ArrayLike<number>): Uint8Array {
  const packed = Buffer.alloc(values.length * 8);
  for (let i = 0; i < values.length; i++) packed.writeDoubleLE(values[i]!, i * 8);
  return bytesField(number, packed);
}

function tagged(number: number, wireType: number, valueBytes: number): { bytes: Buffer; at: number } {
  const tag = number * 8 + wireType;
  const bytes = Buffer.alloc(lengthBytes(tag) + valueBytes);
  return { bytes, at: writeLength(bytes, 0, tag) };
}
