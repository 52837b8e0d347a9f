/** Arbitrary features with values that fit them, and what a parser must make of those values. */

import fc from 'fast-check';
import type { AnyFeature } from './example_parser.js';
import {
  bytes,
  type Feature,
  type Features,
  float32,
  image,
  int64,
  optional,
  type Shape,
  text,
} from './features.js';

export interface ArbitraryExample {
  readonly features: Features;
  readonly values: Readonly<Record<string, unknown>>;
}

/** An example of up to seven features of any kind and shape, with values given in any of the forms allowed. */
export const arbitraryExample: fc.Arbitrary<ArbitraryExample> = fc
  .uniqueArray(fc.tuple(arbitraryKey(), arbitraryFeature()), { maxLength: 7, selector: ([key]) => key })
  .chain((entries) =>
    fc.tuple(...entries.map(([, feature]) => arbitraryValue(feature))).map((values) => ({
      features: Object.fromEntries(entries),
      values: Object.fromEntries(
        entries.map(([key], i) => [key, values[i]] as const).filter(([, value]) => value !== undefined),
      ),
    })),
  );

/** The values as a parser gives them: plain arrays and numbers where exact, floats rounded. */
export function asParsed(
  features: Features,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const parsed = Object.entries(values).map(([key, value]) => {
    const { kind, shape } = features[key]!;
    const list = shape.length === 0 ? [value] : Array.from(value as ArrayLike<unknown>);
    const one = (item: unknown): unknown => {
      if (kind === 'int64') return narrow(item as number | bigint);
      return kind === 'float32' ? Math.fround(item as number) : item;
    };
    const items = list.map(one);
    if (shape.length === 0) return [key, items[0]];
    return [key, kind === 'float32' ? Float32Array.from(items as number[]) : items];
  });
  return Object.fromEntries(parsed) as Record<string, unknown>;
}

/** The same as `parseAnyExample` gives it. */
export function asAny(
  features: Features,
  values: Readonly<Record<string, unknown>>,
): Map<string, AnyFeature> {
  const parsed = asParsed(features, values);
  return new Map(
    Object.entries(parsed).map(([key, value]): [string, AnyFeature] => {
      const { kind, shape } = features[key]!;
      const list = shape.length === 0 ? [value] : (value as ArrayLike<unknown>);
      if (kind === 'float32') return [key, { kind: 'float', values: Float32Array.from(list as number[]) }];
      if (kind === 'int64') return [key, { kind: 'int64', values: list as number[] }];
      const stored = Array.from(list, (item) =>
        typeof item === 'string' ? new TextEncoder().encode(item) : (item as Uint8Array),
      );
      return [key, { kind: 'bytes', values: stored }];
    }),
  );
}

function arbitraryKey(): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.constantFrom('image/a', 'label', 'toString', 'constructor', '', 'ünïcode/☃', '😀', '\u{ffff}', '0'),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ minLength: 120, maxLength: 140 }),
    )
    .filter((key) => key !== '__proto__' && !/\p{Surrogate}/u.test(key));
}

function arbitraryFeature(): fc.Arbitrary<Feature> {
  const shape: fc.Arbitrary<Shape> = fc.constantFrom<Shape>(
    [],
    [],
    [1],
    [3],
    [null],
    [null],
    [2, 2],
    [null, 3],
  );
  const required: fc.Arbitrary<Feature> = fc.oneof(
    shape.map((of) => bytes(of)),
    shape.map((of) => text(of)),
    shape.map((of) => int64(of)),
    shape.map((of) => float32(of)),
    fc.constant(image()),
  );
  return fc.tuple(required, fc.boolean()).map(([feature, may]) => (may ? optional(feature) : feature));
}

function arbitraryValue(feature: Feature): fc.Arbitrary<unknown> {
  const { kind, shape } = feature;
  const fixed = shape.reduce<number>((product, size) => product * (size ?? 1), 1);
  const count = shape[0] === null ? fc.constantFrom(0, 1, 2, 5, 140) : fc.constant(1);
  const one = arbitraryItem(kind);
  const value =
    shape.length === 0
      ? one
      : count.chain((rows): fc.Arbitrary<unknown> => {
          const length = rows * fixed;
          const list = fc.array(one, { minLength: length, maxLength: length, size: 'max' });
          if (kind === 'float32')
            return fc.oneof(
              list,
              list.map((items) => Float32Array.from(items as number[])),
              list.map((items) => Float64Array.from(items as number[])),
            );
          if (kind !== 'int64') return list;
          const small = fc.array(fc.integer(), { minLength: length, maxLength: length, size: 'max' });
          return fc.oneof(
            list,
            small.map((items) => Int32Array.from(items)),
            list.map((items) => BigInt64Array.from((items as (number | bigint)[]).map(BigInt))),
          );
        });
  return feature.optional ? fc.option(value, { nil: undefined }) : value;
}

function arbitraryItem(kind: Feature['kind']): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'bytes':
    case 'image':
      return fc.uint8Array({ maxLength: 200 });
    case 'text':
      return fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 80 }), fc.constant('\ufeffbom'));
    case 'float32':
      return fc.oneof(fc.float(), fc.double({ min: -3e38, max: 3e38 }), fc.constantFrom(-0, Number.NaN));
    case 'int64':
      return fc.oneof(
        fc.maxSafeInteger(),
        fc.integer(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        // Where varints change their length, and the ends.
        fc
          .tuple(fc.integer({ min: 0, max: 62 }), fc.integer({ min: -1, max: 1 }), fc.boolean())
          .map(([bit, off, negative]) => (1n << BigInt(bit)) * (negative ? -1n : 1n) + BigInt(off)),
        fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 0, -0, -1),
      );
  }
}

function narrow(value: number | bigint): number | bigint {
  const number = Number(value);
  // −0 is a whole number, and the int64 0.
  return Number.isSafeInteger(number) ? number + 0 : value;
}
