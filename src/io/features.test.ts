import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import { arbitraryExample } from './arbitrary_example.test.helper.js';
import { UserError } from './errors.js';
import {
  bytes,
  type ExampleValues,
  type Features,
  featuresFromJson,
  featuresToJson,
  fixedCount,
  float32,
  type IntegerArray,
  image,
  int64,
  optional,
  type ParsedExample,
  text,
} from './features.js';

const features = {
  'image/a': image({ height: 128, width: 128 }),
  key: text(),
  raw: bytes([null]),
  triplet_code: int64(),
  'rating/all': int64([null]),
  eeg: float32([19, 512]),
  mean: float32(),
  note: optional(text()),
  box: optional(float32([4])),
};

test('the type of values follows from the features', () => {
  type Values = ExampleValues<typeof features>;
  expectTypeOf<Values['image/a']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Values['key']>().toEqualTypeOf<string>();
  expectTypeOf<Values['raw']>().toEqualTypeOf<readonly Uint8Array[]>();
  expectTypeOf<Values['triplet_code']>().toEqualTypeOf<number | bigint>();
  expectTypeOf<Values['rating/all']>().toEqualTypeOf<readonly (number | bigint)[] | IntegerArray>();
  expectTypeOf<Values['eeg']>().toEqualTypeOf<readonly number[] | Float32Array | Float64Array>();
  expectTypeOf<Values['mean']>().toEqualTypeOf<number>();
  expectTypeOf<Values['note']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Pick<Values, 'key'>>().toEqualTypeOf<{ readonly key: string }>();
  expectTypeOf<Pick<Values, 'note'>>().toEqualTypeOf<{ readonly note?: string | undefined }>();
  expectTypeOf<keyof Values>().toEqualTypeOf<keyof typeof features>();
});

test('the type of parsed examples follows from the features', () => {
  type Parsed = ParsedExample<typeof features>;
  expectTypeOf<Parsed['image/a']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Parsed['key']>().toEqualTypeOf<string>();
  expectTypeOf<Parsed['triplet_code']>().toEqualTypeOf<number | bigint>();
  expectTypeOf<Parsed['rating/all']>().toEqualTypeOf<(number | bigint)[]>();
  expectTypeOf<Parsed['eeg']>().toEqualTypeOf<Float32Array>();
  expectTypeOf<Parsed['box']>().toEqualTypeOf<Float32Array | undefined>();
  // What was parsed can be encoded again.
  expectTypeOf<Parsed>().toExtend<ExampleValues<typeof features>>();
  expectTypeOf<ExampleValues<typeof features>>().toExtend<ExampleValues<Features>>();
});

test('a value of another type is refused by the compiler', () => {
  const small = { label: int64(), name: text(), size: optional(float32()) };
  const values: ExampleValues<typeof small>[] = [
    { label: 1, name: 'a' },
    { label: 1n, name: 'a', size: 0.5 },
    // @ts-expect-error a string is no int64
    { label: '1', name: 'a' },
    // @ts-expect-error name is missing
    { label: 1 },
    // @ts-expect-error there is no such feature
    { label: 1, name: 'a', more: 2 },
    // @ts-expect-error one value, not a list
    { label: [1], name: 'a' },
  ];
  expect(values).toHaveLength(6);
});

test('features survive JSON', () => {
  fc.assert(
    fc.property(arbitraryExample, (example) => {
      const json: unknown = JSON.parse(JSON.stringify(featuresToJson(example.features)));
      expect(featuresFromJson(json, 'x.json')).toEqual(example.features);
    }),
  );
  expect(featuresFromJson(featuresToJson(features), 'x.json')).toEqual(features);
  const raw = { pixels: image({ encoding: 'raw', height: 2, width: 3, channels: 1 }) };
  expect(featuresFromJson(featuresToJson(raw), 'x.json')).toEqual(raw);
});

test.each([
  ['no object', []],
  ['a feature that is a string', { a: 'int64' }],
  ['an unknown kind', { a: { kind: 'float64', shape: [] } }],
  ['a shape with zero', { a: { kind: 'int64', shape: [0] } }],
  ['a null behind the first dimension', { a: { kind: 'int64', shape: [2, null] } }],
  ['a shape of text', { a: { kind: 'int64', shape: ['2'] } }],
  ['a shape beyond counting', { a: { kind: 'int64', shape: [2 ** 40, 2 ** 40] } }],
  ['an image without its format', { a: { kind: 'image', shape: [] } }],
  [
    'a format on what is no image',
    { a: { kind: 'text', shape: [], image: featuresToJson(features)['image/a']!.image } },
  ],
  [
    'an image of negative height',
    { a: { kind: 'image', shape: [], image: { encoding: 'jpeg', height: -1, width: null, channels: 3 } } },
  ],
  [
    'a raw image without its width',
    { a: { kind: 'image', shape: [], image: { encoding: 'raw', height: 2, width: null, channels: 3 } } },
  ],
  [
    'an image of an unknown encoding',
    { a: { kind: 'image', shape: [], image: { encoding: 'gif', height: 2, width: 2, channels: 3 } } },
  ],
  ['an optional that is no boolean', { a: { kind: 'int64', shape: [], optional: 'yes' } }],
  ['the name __proto__', JSON.parse('{"__proto__": {"kind": "int64", "shape": []}}') as unknown],
])('%s is refused as a description of features', (_, json) => {
  expect(() => featuresFromJson(json, 'x.json')).toThrow(UserError);
});

test('impossible shapes and sizes are refused where they are written', () => {
  expect(() => float32([0])).toThrow('impossible shape [0]');
  expect(() => float32([2, null])).toThrow(UserError);
  expect(() => float32([1.5])).toThrow(UserError);
  expect(() => image({ width: 0 })).toThrow('image width 0');
  expect(() => image({ encoding: 'raw', height: 2, width: 2 })).toThrow('raw image');
});

test('a shape says how many values there are', () => {
  expect(fixedCount([])).toBe(1);
  expect(fixedCount([19, 512])).toBe(9728);
  expect(fixedCount([null, 3])).toBe(3);
});
