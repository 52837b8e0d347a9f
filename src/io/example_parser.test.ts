import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryExample } from './arbitrary_example.test.helper.js';
import { UserError } from './errors.js';
import { createExampleEncoder } from './example.js';
import { createExampleParser, MalformedExampleError, parseAnyExample } from './example_parser.js';
import { bytes, type Features, float32, int64, optional, text } from './features.js';

/** A length-delimited field. */
const field = (number: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(parts);
  expect(content.length).toBeLessThan(128);
  return Buffer.concat([Buffer.of(number * 8 + 2, content.length), content]);
};
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const entry = (key: string, ...features: readonly Uint8Array[]): Uint8Array =>
  field(1, field(1, Buffer.from(key)), ...features.map((feature) => field(2, feature)));
const example = (...entries: readonly Uint8Array[]): Uint8Array => field(1, ...entries);
const parse = (features: Features, record: Uint8Array) => createExampleParser(features).parse(record);

const INTS_1_2 = field(3, field(1, hex('01 02')));

test('numbers that are not packed are read, also among packed ones', () => {
  const ints = field(3, hex('08 05'), field(1, hex('06 07')), hex('08 ffffffffffffffffff01'));
  const floats = field(2, hex('0d 0000803f'), field(1, hex('00000040 00004040')), hex('0d 00008040'));
  const record = example(entry('i', ints), entry('f', floats));
  const values = parse({ i: int64([null]), f: float32([4]) }, record);
  expect(values).toEqual({ i: [5, 6, 7, -1], f: Float32Array.of(1, 2, 3, 4) });
});

test('of a key that comes twice the last counts', () => {
  const record = example(entry('n', INTS_1_2), entry('n', field(3, hex('08 09'))));
  expect(parse({ n: int64() }, record)).toEqual({ n: 9 });
  expect(parseAnyExample(record).get('n')).toEqual({ kind: 'int64', values: [9] });
});

test('pieces of one message are merged, and of several kinds the last counts, as protobuf has it', () => {
  const pieces = entry('n', INTS_1_2, field(3, hex('08 03')));
  expect(parse({ n: int64([3]) }, example(pieces))).toEqual({ n: [1, 2, 3] });
  const kinds = entry('n', field(1, field(1, Buffer.from('x'))), INTS_1_2);
  expect(parse({ n: int64([2]) }, example(kinds))).toEqual({ n: [1, 2] });
  const two = Buffer.concat([example(entry('a', INTS_1_2)), example(entry('b', INTS_1_2))]);
  expect([...parseAnyExample(two).keys()]).toEqual(['a', 'b']);
});

test('a value in very many pieces is read in time that grows with its size alone', () => {
  // Joining pieces one by one would move 20 GB here, beyond this test's time limit.
  const count = 200_000;
  const pieces = new Uint8Array(6 * count);
  for (let i = 0; i < count; i++) pieces.set([0x12, 4, 0x1a, 2, 0x08, 7], 6 * i);
  const varint = (value: number) => Buffer.of((value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14);
  const content = Buffer.concat([hex('0a 01 6e'), pieces]);
  const inner = Buffer.concat([hex('0a'), varint(content.length), content]);
  const record = Buffer.concat([hex('0a'), varint(inner.length), inner]);
  expect(parse({ n: int64([null]) }, record)).toEqual({ n: new Array(count).fill(7) });
  expect(parseAnyExample(record).get('n')?.values).toHaveLength(count);
});

test('a value may come before its key, and a key or a value be missing', () => {
  const reversed = field(1, field(2, INTS_1_2), field(1, Buffer.from('n')));
  const record = example(reversed, field(1, field(2, INTS_1_2)), field(1, field(1, Buffer.from('bare'))));
  expect(parseAnyExample(record)).toEqual(
    new Map([
      ['n', { kind: 'int64', values: [1, 2] }],
      ['', { kind: 'int64', values: [1, 2] }],
      ['bare', { kind: 'empty', values: [] }],
    ]),
  );
});

test('what the features do not name, and fields of later versions, are passed over', () => {
  const later = Buffer.concat([
    hex('78 ffff03'),
    hex('79 0102030405060708'),
    hex('7d 01020304'),
    field(15, hex('ff')),
  ]);
  const record = Buffer.concat([
    later,
    field(
      1,
      later,
      entry('other', field(9)),
      field(1, later, field(1, Buffer.from('n')), field(2, later, INTS_1_2, later)),
    ),
  ]);
  expect(parse({ n: int64([2]) }, record)).toEqual({ n: [1, 2] });
});

test('an optional feature that is missing, of no kind, or without values is left out', () => {
  const features = { n: optional(int64()), f: optional(float32([3])), t: optional(text([null])) };
  expect(parse(features, example())).toEqual({});
  expect(parse(features, example(entry('n'), entry('f', field(2)), entry('t', hex(''))))).toEqual({});
  expect(parse(features, example(entry('n', field(3, field(1))), entry('t', field(1))))).toEqual({ t: [] });
});

test('a required list of any length may be empty, of no kind even', () => {
  const features = { n: int64([null]), f: float32([null, 2]) };
  expect(parse(features, example(entry('n'), entry('f', field(2))))).toEqual({
    n: [],
    f: new Float32Array(0),
  });
});

test.each<[name: string, features: Features, record: Uint8Array, message: RegExp]>([
  ['a missing feature', { n: int64([null]) }, example(), /feature "n" is missing/],
  [
    'another kind',
    { n: float32([2]) },
    example(entry('n', INTS_1_2)),
    /"n" holds int64 values where float32/,
  ],
  [
    'another kind, empty',
    { n: text([null]) },
    example(entry('n', field(3))),
    /"n" holds int64 values where text/,
  ],
  [
    'too many values',
    { n: int64() },
    example(entry('n', INTS_1_2)),
    /"n" holds more than 1 values where only 1/,
  ],
  ['too few values', { n: int64([3]) }, example(entry('n', INTS_1_2)), /"n" holds 2 values where 3/],
  ['no value', { n: int64() }, example(entry('n')), /"n" holds 0 values where 1/],
  ['half a row', { n: int64([null, 3]) }, example(entry('n', INTS_1_2)), /2 values where a multiple of 3/],
  ['text that is not UTF-8', { t: text() }, example(entry('t', field(1, field(1, hex('ff'))))), /not UTF-8/],
  [
    'too few floats',
    { f: float32([2]) },
    example(entry('f', field(2, hex('0d 00000000')))),
    /holds 1 values where 2/,
  ],
])('an example with %s is refused by the name of the feature', (_, features, record, message) => {
  expect(() => parse(features, record)).toThrow(UserError);
  expect(() => parse(features, record)).toThrow(message);
});

test.each<[name: string, record: Uint8Array, offset: number]>([
  ['a length beyond the end', hex('0a 05 0a'), 1],
  ['a length beyond its message', hex('0a 04 0a 05 0a 00 00 00 00'), 3],
  ['a length of more than 32 bits', hex('0a ffffffffff01'), 1],
  ['a length that is cut off', hex('0a 80'), 1],
  ['a tag that is cut off', hex('8a'), 0],
  ['field number 0', hex('02 00'), 0],
  ['a group', hex('0a 02 13 14'), 3],
  ['a tag that is endless', hex('0a 0d 88 ffffffffffffffffffffff01'), 2],
  ['floats that are cut off', example(entry('f', field(2, field(1, hex('000000'))))), 11],
  ['an int64 that is cut off', example(entry('f', field(3, field(1, hex('80'))))), 13],
  ['an int64 of eleven bytes', example(entry('f', field(3, field(1, hex('8080808080808080808001'))))), 13],
  ['a key that is not UTF-8', example(field(1, field(1, hex('ff')))), 6],
])('%s is malformed, and the error says where', (_, record, offset) => {
  const failure = failureOf(() => parseAnyExample(record));
  expect(failure).toBeInstanceOf(MalformedExampleError);
  expect(failure).toMatchObject({ offset });
});

test('a number that is endless or cut off is malformed also in a field that nobody asked for', () => {
  for (const number of ['ffffffffffffffffffffff01', 'ffff'])
    expect(failureOf(() => parse({}, hex(`08 ${number}`)))).toMatchObject({ offset: 1 });
});

test.each([
  ['a SequenceExample', Buffer.concat([example(entry('n', INTS_1_2)), field(2, field(1))])],
  ['a map of something else', example(field(1, hex('10 01'), field(1, Buffer.from('n'))))],
  ['a message with a number beside its map', field(1, hex('10 8f4e'))],
  ['features of another kind', example(entry('n', field(4, hex('00'))))],
])('%s is not taken for an Example where nobody said what to expect', (_, record) => {
  expect(() => parseAnyExample(record)).toThrow('which it has not');
});

test('int64 values are numbers where that is exact and BigInts elsewhere', () => {
  const values = [2 ** 53 - 1, 2n ** 53n, -(2 ** 53) + 1, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 0, -1];
  const features = { n: int64([null]) };
  expect(parse(features, createExampleEncoder(features).encode({ n: values }))).toEqual({ n: values });
});

test('bytes are views of the record, wherever it lies in its buffer', () => {
  const features = { b: bytes() };
  const record = createExampleEncoder(features).encode({ b: Uint8Array.of(7, 8, 9) });
  const shifted = new Uint8Array(record.length + 10);
  shifted.set(record, 5);
  const { b } = createExampleParser(features).parse(shifted.subarray(5, 5 + record.length));
  expect(b).toEqual(Uint8Array.of(7, 8, 9));
  expect(b.buffer).toBe(shifted.buffer);
});

test('a parser follows writers that change the order of their features', () => {
  const features = { a: int64(), b: int64(), c: int64() };
  const parser = createExampleParser(features);
  const one = (value: number) => field(3, Buffer.of(8, value));
  const orders = ['abc', 'abc', 'cab', 'xbcxay', 'bca', 'abc'];
  for (const order of orders) {
    const entries = [...order].map((key) => entry(key, one(key.charCodeAt(0))));
    expect(parser.parse(example(...entries))).toEqual({ a: 97, b: 98, c: 99 });
  }
});

test('any bytes at all are an example or a clear error, and bytes beyond the record are never read', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (record, rest) => {
        expectSound(record, { n: int64(), t: optional(text()), f: float32([null]) }, rest);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a damaged example is an example or a clear error', () => {
  fc.assert(
    fc.property(
      arbitraryExample,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      ({ features, values }, changes) => {
        const record = createExampleEncoder(features).encode(values as never);
        for (const [at, value] of changes) record[at % record.length] = value;
        expectSound(record, features, new Uint8Array(16).fill(0x80));
      },
    ),
    { numRuns: 1000 },
  );
});

/** Both parsers give a result or a UserError, the same whatever follows the record in memory. */
function expectSound(record: Uint8Array, features: Features, rest: Uint8Array): void {
  const longer = Buffer.concat([record, rest]);
  const within = new Uint8Array(longer.buffer, longer.byteOffset, record.length);
  for (const parser of [parseAnyExample, createExampleParser(features).parse]) {
    const alone = outcomeOf(() => parser(record));
    expect(outcomeOf(() => parser(within))).toEqual(alone);
  }
}

function outcomeOf(parser: () => unknown): unknown {
  try {
    return parser();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
