import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { arbitraryExample, asAny, asParsed } from './arbitrary_example.test.helper.js';
import { UserError } from './errors.js';
import { createExampleEncoder } from './example.js';
import { createExampleParser, parseAnyExample } from './example_parser.js';
import { bytes, type Features, float32, image, int64, optional, text } from './features.js';

const encode = (features: Features, values: Readonly<Record<string, unknown>>): Uint8Array =>
  createExampleEncoder(features).encode(values as never);

test('what is encoded is parsed back equal, with its features and without', () => {
  fc.assert(
    fc.property(arbitraryExample, ({ features, values }) => {
      const record = encode(features, values);
      expect(createExampleParser(features).parse(record)).toEqual(asParsed(features, values));
      expect(parseAnyExample(record)).toEqual(asAny(features, values));
    }),
    { numRuns: 300 },
  );
});

test('one encoder and one parser serve any number of examples', () => {
  const features = { t: text([null]), n: optional(int64([null])), f: optional(float32()) };
  const encoder = createExampleEncoder(features);
  const parser = createExampleParser(features);
  for (const values of [{ t: ['a'], n: [1, 2] }, { t: [] }, { t: ['b', 'c'], f: 0.5 }, { t: [''], n: [] }])
    expect(parser.parse(encoder.encode(values))).toEqual(values);
});

/** tensorflow/core/example/feature.proto, for the independent encoder and decoder of protobufjs. */
const Example = protobuf
  .parse(
    `syntax = "proto3";
     message BytesList { repeated bytes value = 1; }
     message FloatList { repeated float value = 1 [packed = true]; }
     message Int64List { repeated int64 value = 1 [packed = true]; }
     message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
     message Features { map<string, Feature> feature = 1; }
     message Example { Features features = 1; }`,
  )
  .root.lookupType('Example');

test('protobufjs reads what is encoded, and encodes the same bytes where keys are sorted', () => {
  fc.assert(
    fc.property(arbitraryExample, ({ features, values }) => {
      const record = encode(features, values);
      const keys = [...parseAnyExample(record).keys()];
      const feature = Object.fromEntries(keys.map((key) => [key, listOf(parseAnyExample(record).get(key)!)]));
      // JavaScript objects put keys like "0" first, and protobufjs follows: then only the content is compared.
      const isSorted = Object.keys(feature).every((key, i) => key === keys[i]);
      const theirs = Example.encode({ features: { feature } }).finish();
      if (isSorted) expect(Buffer.from(record).toString('hex')).toBe(Buffer.from(theirs).toString('hex'));
      expect(parseAnyExample(theirs)).toEqual(parseAnyExample(record));
      expect(Object.keys(decodedFeatures(record)).sort()).toEqual([...keys].sort());
    }),
    { numRuns: 200 },
  );
});

test('keys are written in the order of their UTF-8 bytes', () => {
  // U+FFFF sorts after U+1F600 as UTF-16 code units are compared, and before it as UTF-8 is.
  const names = ['b', '\u{1f600}', '\uffff', 'a', 'aa', 'B', ''];
  const features = Object.fromEntries(names.map((name) => [name, int64()]));
  const record = encode(features, Object.fromEntries(names.map((name) => [name, 1])));
  expect([...parseAnyExample(record).keys()]).toEqual(['', 'B', 'a', 'aa', 'b', '\uffff', '\u{1f600}']);
});

test('the bytes are those that the format prescribes', () => {
  const features = { i: int64([null]), f: float32(), s: text() };
  const record = encode(features, { i: [1, -1, 300], f: 1, s: 'h\u00e9' });
  const expected = [
    '0a35', // Example.features: 53 bytes
    '0a0d 0a0166 1208 1206 0a04 0000803f', // f: a float_list of 1.0, packed
    '0a16 0a0169 1211 1a0f 0a0d 01 ffffffffffffffffff01 ac02', // i: an int64_list of 1, -1 in ten bytes, and 300
    '0a0c 0a0173 1207 0a05 0a03 68c3a9', // s: a bytes_list of "h\u00e9" in three bytes
  ];
  expect(Buffer.from(record).toString('hex')).toBe(expected.join('').replaceAll(' ', ''));
});

test.each<[name: string, features: Features, values: Record<string, unknown>, message: RegExp]>([
  ['a fraction as int64', { n: int64() }, { n: 1.5 }, /feature "n" got 1.5, but int64 takes a whole number/],
  ['NaN as int64', { n: int64() }, { n: Number.NaN }, /"n" got NaN/],
  ['an unsafe integer', { n: int64() }, { n: 2 ** 53 }, /a BigInt where a number is not exact/],
  ['a BigInt beyond int64', { n: int64() }, { n: 2n ** 63n }, /between -2\^63/],
  ['a BigInt below int64', { n: int64() }, { n: -(2n ** 63n) - 1n }, /between -2\^63/],
  ['a uint64 beyond int64', { n: int64([1]) }, { n: BigUint64Array.of(2n ** 63n) }, /between -2\^63/],
  ['a string as int64', { n: int64() }, { n: '1' }, /"n" got "1"/],
  ['a list where one value goes', { n: int64() }, { n: [1] }, /"n" got an array of 1/],
  [
    'one value where a list goes',
    { n: int64([null]) },
    { n: 1 },
    /"n" got 1, but int64\(\[null\]\) takes an array/,
  ],
  ['floats as integers', { n: int64([null]) }, { n: Float32Array.of(1) }, /"n" got a Float32Array/],
  ['a wrong value in a list', { n: int64([null]) }, { n: [1, 2, null] }, /"n" got null as value 2/],
  ['undefined in a list', { n: int64([3]) }, { n: [1, undefined, 3] }, /"n" got undefined as value 1/],
  ['integers as floats', { f: float32([1]) }, { f: Int32Array.of(1) }, /"f" got a Int32Array/],
  ['a float beyond float32', { f: float32() }, { f: 1e39 }, /within the range of float32/],
  ['a BigInt as float', { f: float32() }, { f: 1n }, /"f" got 1n/],
  ['too few floats', { f: float32([4]) }, { f: [1, 2, 3] }, /"f" got 3 values, but float32\(\[4\]\) takes 4/],
  ['half a row', { f: float32([null, 3]) }, { f: [1, 2, 3, 4] }, /got 4 values.* a multiple of 3/],
  ['a string as bytes', { b: bytes() }, { b: 'abc' }, /"b" got "abc", but bytes takes a Uint8Array/],
  ['an ArrayBuffer as image', { b: image() }, { b: new ArrayBuffer(3) }, /"b" got an object, but image/],
  [
    'a Uint8Array for a list of bytes',
    { b: bytes([null]) },
    { b: new Uint8Array(3) },
    /"b" got a Uint8Array/,
  ],
  ['bytes as text', { t: text() }, { t: new Uint8Array(3) }, /"t" got a Uint8Array, but text takes a string/],
  ['a lone surrogate', { t: text() }, { t: 'a\ud800b' }, /lone surrogates/],
  ['a missing feature', { t: text(), u: text() }, { t: '' }, /feature "u" is missing/],
  ['null for what is optional', { t: optional(text()) }, { t: null }, /"t" got null/],
  ['an unknown feature', { t: text() }, { t: '', tt: '' }, /"tt" is not among the features/],
  ['a feature named like a method', { toString: text() }, {}, /feature "toString" is missing/],
])('%s is refused by name', (_, features, values, message) => {
  expect(() => encode(features, values)).toThrow(UserError);
  expect(() => encode(features, values)).toThrow(message);
});

test('after a refused example the next one is encoded as if nothing had been', () => {
  const encoder = createExampleEncoder({ a: int64(), b: int64(), c: optional(int64()) });
  const expected = encoder.encode({ a: 1, b: 2 });
  expect(() => encoder.encode({ a: 3, b: 0.5, c: 4 })).toThrow(UserError);
  expect(encoder.encode({ a: 1, b: 2 })).toEqual(expected);
});

test('undefined for what is optional is the same as leaving it out', () => {
  const features = { a: int64(), b: optional(int64()) };
  expect(encode(features, { a: 1, b: undefined })).toEqual(encode(features, { a: 1 }));
});

test('an example without features is one all the same', () => {
  expect(encode({}, {})).toEqual(Uint8Array.of(0x0a, 0));
  expect(createExampleParser({}).parse(new Uint8Array(0))).toEqual({});
});

function listOf(
  feature: ReturnType<typeof parseAnyExample> extends Map<string, infer F> ? F : never,
): object {
  if (feature.kind === 'bytes') return { bytesList: { value: feature.values } };
  if (feature.kind === 'float') return { floatList: { value: feature.values } };
  const { fromString } = protobuf.util.Long as unknown as { fromString(value: string): unknown };
  const longs = feature.values.map((value) => fromString(String(value)));
  return { int64List: { value: longs } };
}

function decodedFeatures(record: Uint8Array): Record<string, unknown> {
  const example = Example.decode(record) as unknown as { features: { feature: Record<string, unknown> } };
  return example.features.feature;
}
