/** Encodes examples as tf.train.Example, straight into the buffer they are written from: the hot path of every data set. */

import { UserError } from './errors.js';
import { checkFeatures, type ExampleValues, type Feature, type Features, fixedCount } from './features.js';
import { int64Bytes, lengthBytes, writeInt64, writeLength } from './protobuf.js';

/** Where an encoder writes. */
export interface ExampleSink {
  /** Makes room for `size` bytes and gives their position in `bytes`. Called once an example, when its size is known. */
  reserve(size: number): number;
  /** Read after `reserve()`, which may replace it. */
  readonly bytes: Buffer;
}

export interface ExampleEncoder<F extends Features> {
  readonly features: F;
  /**
   * Writes one example and gives its size in bytes.
   * @throws UserError where a value does not fit its feature; the sink is then untouched.
   */
  encodeInto(values: ExampleValues<F>, sink: ExampleSink): number;
  /** The example in a buffer of its own. @throws UserError like `encodeInto`. */
  encode(values: ExampleValues<F>): Uint8Array;
}

/**
 * An encoder for examples of these features (tensorflow/core/example/example.proto and feature.proto). Features are
 * written in the order of their UTF-8 keys and number lists packed, so that the bytes are those of protobuf's
 * deterministic serialisation.
 * @throws UserError for features that no example could have.
 */
export function createExampleEncoder<F extends Features>(features: F): ExampleEncoder<F> {
  checkFeatures(features);
  const fields = Object.entries(features)
    .map(([name, feature]) => compileField(name, feature))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const encodeInto = (values: ExampleValues<F>, sink: ExampleSink): number => {
    const mapBytes = measure(fields, values as Readonly<Record<string, unknown>>);
    const size = 1 + lengthBytes(mapBytes) + mapBytes;
    const start = sink.reserve(size);
    const end = write(fields, mapBytes, sink.bytes, start);
    if (end !== start + size) throw new Error('an example changed while it was being encoded');
    return size;
  };
  const encode = (values: ExampleValues<F>): Uint8Array => {
    const sink = { bytes: EMPTY, reserve: (size: number) => reserveWhole(sink, size) };
    encodeInto(values, sink);
    return new Uint8Array(sink.bytes.buffer, 0, sink.bytes.length);
  };
  return { features, encodeInto, encode };
}

/** A feature as the hot path sees it; the last three members belong to the example being encoded. */
interface Field {
  readonly name: string;
  readonly key: Buffer;
  readonly feature: Feature;
  readonly optional: boolean;
  readonly storage: Storage;
  readonly isText: boolean;
  readonly isList: boolean;
  /** Values wanted: exactly so many, or a multiple of it where the first dimension is null. */
  readonly count: number;
  readonly isVariable: boolean;
  /** Tag, length and bytes of the key, and the tag of the value: all that comes before the value's length. */
  readonly head: Buffer;
  /** True for a name like `toString`, which every object has by inheritance. */
  readonly isInherited: boolean;
  value: unknown;
  listBytes: number;
  entryBytes: number;
}

/** Field numbers in `Feature`: bytes_list, float_list, int64_list. */
type Storage = 1 | 2 | 3;
const BYTES_LIST = 1;
const FLOAT_LIST = 2;
const INT64_LIST = 3;

/** Tag of field 1, length-delimited: `Example.features`, `Features.feature`, a map entry's key, any list's values. */
const FIELD_1 = 0x0a;
/** Tag of field 2, length-delimited: a map entry's value. */
const FIELD_2 = 0x12;

const EMPTY = Buffer.alloc(0);

/** Floats are converted so many at a time before they are copied. */
const FLOAT_BLOCK = 1024;
const floatBlock = new Float32Array(FLOAT_BLOCK);
const floatBlockBytes = Buffer.from(floatBlock.buffer);
const IS_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

function compileField(name: string, feature: Feature): Field {
  const key = Buffer.from(name, 'utf8');
  const keyLength = Buffer.alloc(lengthBytes(key.length));
  writeLength(keyLength, 0, key.length);
  return {
    name,
    key,
    feature,
    optional: feature.optional,
    storage: feature.kind === 'int64' ? INT64_LIST : feature.kind === 'float32' ? FLOAT_LIST : BYTES_LIST,
    isText: feature.kind === 'text',
    isList: feature.shape.length > 0,
    count: fixedCount(feature.shape),
    isVariable: feature.shape[0] === null,
    head: Buffer.concat([Buffer.of(FIELD_1), keyLength, key, Buffer.of(FIELD_2)]),
    isInherited: name in {},
    value: undefined,
    listBytes: 0,
    entryBytes: 0,
  };
}

function reserveWhole(sink: { bytes: Buffer }, size: number): number {
  sink.bytes = Buffer.allocUnsafeSlow(size);
  return 0;
}

/** Checks every value, notes its size in its field, and gives the bytes of the whole map. */
function measure(fields: readonly Field[], values: Readonly<Record<string, unknown>>): number {
  let mapBytes = 0;
  let present = 0;
  for (const field of fields) {
    const value = field.isInherited && !Object.hasOwn(values, field.name) ? undefined : values[field.name];
    field.value = value;
    if (value === undefined) {
      if (!field.optional) throw new UserError(`feature ${JSON.stringify(field.name)} is missing`);
      continue;
    }
    present++;
    field.listBytes = measureList(field, value);
    const featureBytes = 1 + lengthBytes(field.listBytes) + field.listBytes;
    field.entryBytes = field.head.length + lengthBytes(featureBytes) + featureBytes;
    mapBytes += 1 + lengthBytes(field.entryBytes) + field.entryBytes;
  }
  if (Object.keys(values).length !== present) refuseUnknown(fields, values);
  // protobuf's limit, beyond which no reader takes a message.
  if (mapBytes > 0x7fff_fff0) throw new UserError(`an example of ${mapBytes} bytes is over protobuf's 2 GiB`);
  return mapBytes;
}

function measureList(field: Field, value: unknown): number {
  if (!field.isList) return measureOne(field, value, -1);
  const list = asList(field, value);
  const { length } = list;
  if (field.isVariable ? length % field.count !== 0 : length !== field.count) throw wrongCount(field, length);
  if (field.storage === FLOAT_LIST) {
    if (!(list instanceof Float32Array)) for (let i = 0; i < length; i++) measureOne(field, list[i], i);
    return length === 0 ? 0 : 1 + lengthBytes(4 * length) + 4 * length;
  }
  let size = 0;
  if (field.storage === BYTES_LIST) for (let i = 0; i < length; i++) size += measureOne(field, list[i], i);
  else if (length > 0) {
    for (let i = 0; i < length; i++) size += checkedInt64Bytes(field, list[i], i);
    size += 1 + lengthBytes(size);
  }
  return size;
}

/** Bytes that a value adds to its list, its tag and length included. */
function measureOne(field: Field, value: unknown, position: number): number {
  switch (field.storage) {
    case FLOAT_LIST:
      checkFloat(field, value, position);
      return 6;
    case INT64_LIST: {
      const size = checkedInt64Bytes(field, value, position);
      return 2 + size;
    }
    case BYTES_LIST: {
      const size = field.isText
        ? checkedUtf8Bytes(field, value, position)
        : checkedLength(field, value, position);
      return 1 + lengthBytes(size) + size;
    }
  }
}

function checkFloat(field: Field, value: unknown, position: number): void {
  if (typeof value !== 'number') throw misfit(field, value, position, 'a number');
  const rounded = Math.fround(value);
  if (Math.abs(rounded) === Number.POSITIVE_INFINITY && rounded !== value)
    throw misfit(field, value, position, 'a number within the range of float32');
}

function checkedInt64Bytes(field: Field, value: unknown, position: number): number {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return int64Bytes(value);
    const wanted = Number.isInteger(value) ? 'a BigInt where a number is not exact' : 'a whole number';
    throw misfit(field, value, position, wanted);
  }
  if (typeof value !== 'bigint') throw misfit(field, value, position, 'a whole number');
  if (BigInt.asIntN(64, value) !== value)
    throw misfit(field, value, position, 'a number between -2^63 and 2^63 - 1');
  return int64Bytes(value);
}

function checkedLength(field: Field, value: unknown, position: number): number {
  if (value instanceof Uint8Array) return value.length;
  throw misfit(field, value, position, 'a Uint8Array');
}

function checkedUtf8Bytes(field: Field, value: unknown, position: number): number {
  if (typeof value !== 'string') throw misfit(field, value, position, 'a string');
  const size = utf8Bytes(value);
  if (size > value.length && LONE_SURROGATE.test(value))
    throw misfit(field, value, position, 'a string without lone surrogates, which UTF-8 can not hold');
  return size;
}

/** With the u flag a pair of surrogates is one code point, so this finds those that stand alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function utf8Bytes(value: string): number {
  for (let i = 0; i < value.length; i++)
    if (value.charCodeAt(i) > 0x7f) return Buffer.byteLength(value, 'utf8');
  return value.length;
}

function asList(field: Field, value: unknown): ArrayLike<unknown> {
  if (Array.isArray(value)) return value;
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (isTyped && field.storage !== BYTES_LIST) {
    const isFloat = value instanceof Float32Array || value instanceof Float64Array;
    if (isFloat === (field.storage === FLOAT_LIST)) return value as unknown as ArrayLike<unknown>;
  }
  throw misfit(field, value, -1, 'an array');
}

/** Writes what `measure` measured; gives the position after it. */
function write(fields: readonly Field[], mapBytes: number, bytes: Buffer, start: number): number {
  bytes[start] = FIELD_1;
  let at = writeLength(bytes, start + 1, mapBytes);
  for (const field of fields) {
    if (field.value === undefined) continue;
    bytes[at] = FIELD_1;
    at = writeLength(bytes, at + 1, field.entryBytes);
    for (let i = 0; i < field.head.length; i++) bytes[at + i] = field.head[i]!;
    at += field.head.length;
    at = writeLength(bytes, at, 1 + lengthBytes(field.listBytes) + field.listBytes);
    bytes[at] = (field.storage << 3) | 2;
    at = writeLength(bytes, at + 1, field.listBytes);
    at = writeList(field, bytes, at);
    field.value = undefined;
  }
  return at;
}

function writeList(field: Field, bytes: Buffer, start: number): number {
  if (field.listBytes === 0) return start;
  let at = start;
  if (field.storage === BYTES_LIST) {
    if (!field.isList) return writeBytes(bytes, at, field.value as Uint8Array | string);
    const list = field.value as readonly (Uint8Array | string)[];
    for (let i = 0; i < list.length; i++) at = writeBytes(bytes, at, list[i]!);
    return at;
  }
  bytes[at++] = FIELD_1;
  if (field.storage === FLOAT_LIST) {
    if (!field.isList) {
      bytes[at] = 4;
      return bytes.writeFloatLE(field.value as number, at + 1);
    }
    const list = field.value as readonly number[] | Float32Array | Float64Array;
    return writeFloats(bytes, writeLength(bytes, at, 4 * list.length), list);
  }
  if (!field.isList) {
    bytes[at] = field.listBytes - 2;
    return writeInt64(bytes, at + 1, field.value as number | bigint);
  }
  // `listBytes` holds the tag and the packed length too: the packed bytes are what is left.
  at = writeLength(bytes, at, packedBytes(field.listBytes - 1));
  const list = field.value as ArrayLike<number | bigint>;
  for (let i = 0; i < list.length; i++) at = writeInt64(bytes, at, list[i]!);
  return at;
}

/** The length n for which a length prefix and n bytes take `total` bytes. */
function packedBytes(total: number): number {
  let prefix = 1;
  while (lengthBytes(total - prefix) > prefix) prefix++;
  return total - prefix;
}

function writeBytes(bytes: Buffer, position: number, value: Uint8Array | string): number {
  bytes[position] = FIELD_1;
  if (typeof value !== 'string') {
    const at = writeLength(bytes, position + 1, value.length);
    bytes.set(value, at);
    return at + value.length;
  }
  const size = utf8Bytes(value);
  const at = writeLength(bytes, position + 1, size);
  if (size !== value.length) bytes.write(value, at, size, 'utf8');
  else if (size > SHORT_TEXT) bytes.write(value, at, size, 'latin1');
  else for (let i = 0; i < size; i++) bytes[at + i] = value.charCodeAt(i);
  return at + size;
}

/** ASCII up to this length is written by a loop, which a call into native code would not outrun (measured). */
const SHORT_TEXT = 24;

function writeFloats(
  bytes: Buffer,
  position: number,
  list: readonly number[] | Float32Array | Float64Array,
): number {
  let at = position;
  if (list instanceof Float32Array && !IS_BIG_ENDIAN) {
    bytes.set(new Uint8Array(list.buffer, list.byteOffset, list.byteLength), at);
    return at + list.byteLength;
  }
  for (let start = 0; start < list.length; start += FLOAT_BLOCK) {
    const count = Math.min(FLOAT_BLOCK, list.length - start);
    for (let i = 0; i < count; i++) floatBlock[i] = list[start + i]!;
    if (IS_BIG_ENDIAN) floatBlockBytes.swap32();
    bytes.set(count === FLOAT_BLOCK ? floatBlockBytes : floatBlockBytes.subarray(0, 4 * count), at);
    at += 4 * count;
  }
  return at;
}

function refuseUnknown(fields: readonly Field[], values: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(values))
    if (!fields.some((field) => field.name === name))
      throw new UserError(`${JSON.stringify(name)} is not among the features`, {
        remedy: `they are ${fields.map((field) => field.name).join(', ')}`,
      });
}

function wrongCount(field: Field, length: number): UserError {
  const wanted = field.isVariable ? `a multiple of ${field.count}` : `${field.count}`;
  return new UserError(
    `feature ${JSON.stringify(field.name)} got ${length} values, but ${describe(field.feature)} takes ${wanted}`,
  );
}

function misfit(field: Field, value: unknown, position: number, wanted: string): UserError {
  const place = position < 0 ? '' : ` as value ${position}`;
  return new UserError(
    `feature ${JSON.stringify(field.name)} got ${show(value)}${place}, but ${describe(field.feature)} takes ${wanted}`,
  );
}

function describe({ kind, shape }: Feature): string {
  return shape.length === 0 ? kind : `${kind}([${shape.map(String).join(', ')}])`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}
