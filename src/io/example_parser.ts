/** Parses tf.train.Example records that may come from anyone: with the features they should have, or with none given. */

import { UserError } from './errors.js';
import {
  checkFeatures,
  type Feature,
  type FeatureKind,
  type Features,
  fixedCount,
  type ParsedExample,
} from './features.js';
import {
  type Cursor,
  FIXED32,
  LENGTH_DELIMITED,
  MalformedExampleError,
  readFieldEnd,
  readInt64,
  readTag,
  skipField,
  VARINT,
} from './protobuf.js';

export { MalformedExampleError } from './protobuf.js';

export interface ExampleParser<F extends Features> {
  readonly features: F;
  /**
   * The values of one example. Bytes are views of `record`, not copies: they hold as long as its buffer is not reused
   * (this library's readers never reuse one).
   * Floats come in an array of their own, or in the one of their feature's name in `room` where that is of their length.
   * @throws MalformedExampleError where the bytes are no Example.
   * @throws UserError where they are one of other features.
   */
  parse(record: Uint8Array, room?: FloatRoom): ParsedExample<F>;
}

/** Arrays that floats are written into, by feature. */
export type FloatRoom = ReadonlyMap<string, Float32Array>;

/**
 * A parser for examples of these features. It takes whatever protobuf allows: features in any order, unknown ones,
 * one given twice (the last counts), number lists packed or not or in pieces. An optional feature that is missing, or
 * holds no value where its shape wants some, is left out of the result.
 * @throws UserError for features that no example could have.
 */
export function createExampleParser<F extends Features>(features: F): ExampleParser<F> {
  checkFeatures(features);
  const wanted = Object.entries(features).map(([name, feature]) => compileWanted(name, feature));
  const byKey = new Map(wanted.map((feature, i) => [feature.key.toString('latin1'), i]));
  const spans: (Span | undefined)[] = wanted.map(() => undefined);
  // Writers keep to one order: the feature that came k-th last time will be the k-th again.
  const order: number[] = [];
  const parse = (record: Uint8Array, room?: FloatRoom): ParsedExample<F> => {
    spans.fill(undefined);
    let entries = 0;
    scanEntries(
      record,
      (keyStart, keyEnd, value) => {
        const k = entries++;
        let i = k < order.length ? order[k]! : -1;
        if (i < 0 || !equals(record, keyStart, keyEnd, wanted[i]!.key)) {
          i = byKey.get(latin1(record, keyStart, keyEnd)) ?? -1;
          if (k < MAX_REMEMBERED) order[k] = i;
        }
        if (i >= 0) spans[i] = value;
      },
      skipField,
    );
    const cursor: Cursor = { bytes: record, at: 0 };
    const result: Record<string, unknown> = {};
    for (let i = 0; i < wanted.length; i++) {
      const value = decodeWanted(cursor, wanted[i]!, spans[i], room?.get(wanted[i]!.name));
      if (value !== undefined) result[wanted[i]!.name] = value;
    }
    return result as ParsedExample<F>;
  };
  return { features, parse };
}

/** A feature of a record whose specification isn't known. `empty` is one of no kind, which TFX writes for a missing value. */
export type AnyFeature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'int64'; readonly values: readonly (number | bigint)[] }
  | { readonly kind: 'float'; readonly values: Float32Array }
  | { readonly kind: 'empty'; readonly values: readonly never[] };

/**
 * All that a record holds, in its own order, for looking at files that others wrote. Bytes are views of `record`.
 * @throws MalformedExampleError where it is no Example, but a SequenceExample or another message, perhaps.
 */
export function parseAnyExample(record: Uint8Array): Map<string, AnyFeature> {
  const found = new Map<string, Span>();
  scanEntries(
    record,
    (keyStart, keyEnd, value) => {
      const key = decodeText(record, keyStart, keyEnd);
      if (key === undefined) throw new MalformedExampleError('a key that is not UTF-8', keyStart);
      found.set(key, value);
    },
    refuseField,
  );
  const cursor: Cursor = { bytes: record, at: 0 };
  return new Map([...found].map(([key, span]) => [key, decodeAny(cursor, span)]));
}

/** What to do with a field that the message at hand has not: `skipField`, or refuse it. */
type OtherField = typeof skipField;

/** Other messages, read as an Example, show in fields that it has not had in all its years. */
function refuseField(cursor: Cursor, tag: number): void {
  throw new MalformedExampleError(`field ${tag >>> 3} of wire type ${tag & 7}, which it has not,`, cursor.at);
}

/** A stretch of the record; linked, since protobuf lets a message come in pieces that are to be merged. */
interface Span {
  readonly start: number;
  readonly end: number;
  next: Span | undefined;
}

/** A list within a feature: its field number in `Feature` (0 where there is none), and its pieces. */
interface List {
  kind: number;
  first: Span | undefined;
}

interface Wanted {
  readonly name: string;
  readonly key: Buffer;
  readonly feature: Feature;
  readonly kind: FeatureKind;
  readonly storage: number;
  readonly count: number;
  readonly isVariable: boolean;
  readonly isList: boolean;
}

const BYTES_LIST = 1;
const FLOAT_LIST = 2;
const INT64_LIST = 3;
const LIST_NAMES = ['no', 'bytes', 'float', 'int64'];
const FIELD_1 = 0x0a;
const FIELD_2 = 0x12;

/** Entries whose order is remembered: beyond it a lookup by key serves, so that a record of many keys costs no memory. */
const MAX_REMEMBERED = 4096;

const IS_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function compileWanted(name: string, feature: Feature): Wanted {
  const { kind, shape } = feature;
  return {
    name,
    key: Buffer.from(name, 'utf8'),
    feature,
    kind,
    storage: kind === 'int64' ? INT64_LIST : kind === 'float32' ? FLOAT_LIST : BYTES_LIST,
    count: fixedCount(shape),
    isVariable: shape[0] === null,
    isList: shape.length > 0,
  };
}

/** Visits the entries of the map that an Example is. */
function scanEntries(
  record: Uint8Array,
  visit: (keyStart: number, keyEnd: number, value: Span) => void,
  other: OtherField,
): void {
  const cursor: Cursor = { bytes: record, at: 0 };
  while (cursor.at < record.length) {
    const tag = readTag(cursor, record.length);
    if (tag !== FIELD_1) {
      other(cursor, tag, record.length);
      continue;
    }
    const mapEnd = readFieldEnd(cursor, record.length);
    while (cursor.at < mapEnd) {
      const entryTag = readTag(cursor, mapEnd);
      if (entryTag === FIELD_1) scanEntry(cursor, readFieldEnd(cursor, mapEnd), visit, other);
      else other(cursor, entryTag, mapEnd);
    }
  }
}

function scanEntry(
  cursor: Cursor,
  end: number,
  visit: (keyStart: number, keyEnd: number, value: Span) => void,
  other: OtherField,
): void {
  let keyStart = cursor.at;
  let keyEnd = keyStart;
  let first: Span | undefined;
  let last: Span | undefined;
  while (cursor.at < end) {
    const tag = readTag(cursor, end);
    if (tag === FIELD_1) {
      keyEnd = readFieldEnd(cursor, end);
      keyStart = cursor.at;
      cursor.at = keyEnd;
    } else if (tag === FIELD_2) {
      const valueEnd = readFieldEnd(cursor, end);
      const span: Span = { start: cursor.at, end: valueEnd, next: undefined };
      if (last === undefined) first = span;
      else last.next = span;
      last = span;
      cursor.at = valueEnd;
    } else other(cursor, tag, end);
  }
  visit(keyStart, keyEnd, first ?? { start: end, end, next: undefined });
}

/** The list that a feature holds: of several kinds the last counts, pieces of one kind belong together. */
function findList(cursor: Cursor, feature: Span, other: OtherField): List {
  const list: List = { kind: 0, first: undefined };
  let last: Span | undefined;
  for (let piece: Span | undefined = feature; piece !== undefined; piece = piece.next) {
    cursor.at = piece.start;
    while (cursor.at < piece.end) {
      const tag = readTag(cursor, piece.end);
      const kind = tag >>> 3;
      if (kind > INT64_LIST || (tag & 7) !== LENGTH_DELIMITED) {
        other(cursor, tag, piece.end);
        continue;
      }
      const end = readFieldEnd(cursor, piece.end);
      const span: Span = { start: cursor.at, end, next: undefined };
      if (last === undefined || list.kind !== kind) list.first = span;
      else last.next = span;
      last = span;
      list.kind = kind;
      cursor.at = end;
    }
  }
  return list;
}

function decodeAny(cursor: Cursor, feature: Span): AnyFeature {
  const { kind, first } = findList(cursor, feature, refuseField);
  if (kind === BYTES_LIST) return { kind: 'bytes', values: decodeBytes(cursor, first) };
  if (kind === FLOAT_LIST) return { kind: 'float', values: decodeFloats(cursor, first, () => {}) };
  if (kind === INT64_LIST) return { kind: 'int64', values: decodeInt64s(cursor, first) };
  return { kind: 'empty', values: [] };
}

function decodeWanted(
  cursor: Cursor,
  wanted: Wanted,
  feature: Span | undefined,
  room: Float32Array | undefined,
): unknown {
  const list = feature === undefined ? undefined : findList(cursor, feature, skipField);
  if (list === undefined || list.kind === 0) {
    if (wanted.feature.optional) return undefined;
    if (list === undefined) throw new UserError(`feature ${JSON.stringify(wanted.name)} is missing`);
  }
  const { kind, first } = list;
  if (kind !== wanted.storage && kind !== 0)
    throw new UserError(
      `feature ${JSON.stringify(wanted.name)} holds ${LIST_NAMES[kind]} values where ${wanted.kind} is wanted`,
    );
  if (wanted.storage === FLOAT_LIST) {
    const floats = decodeFloats(cursor, first, (count) => checkCount(wanted, count), room);
    if (floats.length === 0 && !wanted.isVariable) return undefined;
    return wanted.isList ? floats : floats[0];
  }
  const limit = wanted.isVariable ? Number.POSITIVE_INFINITY : wanted.count;
  const values =
    wanted.storage === INT64_LIST ? decodeInt64s(cursor, first, limit) : decodeBytes(cursor, first, limit);
  checkCount(wanted, values.length);
  if (values.length === 0 && !wanted.isVariable) return undefined;
  const given =
    wanted.kind === 'text' ? (values as Uint8Array[]).map((value) => textOf(wanted, value)) : values;
  return wanted.isList ? given : given[0];
}

/** Zero values pass for a feature that may be missing: that is how TensorFlow's own writers leave one out. */
function checkCount({ name, feature, count, isVariable }: Wanted, found: number): void {
  if (isVariable ? found % count === 0 : found === count || (found === 0 && feature.optional)) return;
  const wanted = isVariable ? `a multiple of ${count}` : found > count ? `only ${count}` : `${count}`;
  const holds = !isVariable && found > count ? `more than ${count}` : `${found}`;
  throw new UserError(`feature ${JSON.stringify(name)} holds ${holds} values where ${wanted} should be`);
}

/** The values of a BytesList, as views; stops after one more than `limit`. */
function decodeBytes(
  cursor: Cursor,
  first: Span | undefined,
  limit = Number.POSITIVE_INFINITY,
): Uint8Array[] {
  const { bytes } = cursor;
  const values: Uint8Array[] = [];
  for (let span = first; span !== undefined; span = span.next) {
    cursor.at = span.start;
    while (cursor.at < span.end && values.length <= limit) {
      const tag = readTag(cursor, span.end);
      if (tag !== FIELD_1) {
        skipField(cursor, tag, span.end);
        continue;
      }
      const end = readFieldEnd(cursor, span.end);
      values.push(new Uint8Array(bytes.buffer, bytes.byteOffset + cursor.at, end - cursor.at));
      cursor.at = end;
    }
  }
  return values;
}

/** The values of an Int64List, packed or not; stops after one more than `limit`. */
function decodeInt64s(
  cursor: Cursor,
  first: Span | undefined,
  limit = Number.POSITIVE_INFINITY,
): (number | bigint)[] {
  const values: (number | bigint)[] = [];
  for (let span = first; span !== undefined; span = span.next) {
    cursor.at = span.start;
    while (cursor.at < span.end && values.length <= limit) {
      const tag = readTag(cursor, span.end);
      if (tag === FIELD_1) {
        const end = readFieldEnd(cursor, span.end);
        while (cursor.at < end && values.length <= limit) values.push(readInt64(cursor, end));
      } else if (tag === ((1 << 3) | VARINT)) values.push(readInt64(cursor, span.end));
      else skipField(cursor, tag, span.end);
    }
  }
  return values;
}

/**
 * The values of a FloatList, packed or not, copied into `room` where they fill it; `checkedCount` sees their number before
 * anything is allocated.
 */
function decodeFloats(
  cursor: Cursor,
  first: Span | undefined,
  checkedCount: (count: number) => void,
  room?: Float32Array,
): Float32Array {
  const { bytes } = cursor;
  let count = 0;
  visitFloats(cursor, first, (start, end) => {
    count += (end - start) / 4;
  });
  checkedCount(count);
  const values = room?.length === count ? room : new Float32Array(count);
  const target = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  let at = 0;
  visitFloats(cursor, first, (start, end) => {
    target.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), at);
    at += end - start;
  });
  if (IS_BIG_ENDIAN) target.swap32();
  return values;
}

function visitFloats(
  cursor: Cursor,
  first: Span | undefined,
  visit: (start: number, end: number) => void,
): void {
  for (let span = first; span !== undefined; span = span.next) {
    cursor.at = span.start;
    while (cursor.at < span.end) {
      const offset = cursor.at;
      const tag = readTag(cursor, span.end);
      if (tag === FIELD_1) {
        const end = readFieldEnd(cursor, span.end);
        if ((end - cursor.at) % 4 !== 0) throw new MalformedExampleError('floats that are cut off', offset);
        visit(cursor.at, end);
        cursor.at = end;
      } else {
        const start = cursor.at;
        skipField(cursor, tag, span.end);
        if (tag === ((1 << 3) | FIXED32)) visit(start, cursor.at);
      }
    }
  }
}

function textOf(wanted: Wanted, value: Uint8Array): string {
  const decoded = decodeText(value, 0, value.length);
  if (decoded !== undefined) return decoded;
  throw new UserError(`feature ${JSON.stringify(wanted.name)} holds bytes that are not UTF-8 text`);
}

function decodeText(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return utf8.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
  } catch {
    return undefined;
  }
}

function equals(record: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  if (end - start !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (record[start + i] !== key[i]) return false;
  return true;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
