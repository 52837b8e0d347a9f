import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  F64,
  f64FromI32,
  f64Value,
  f64x2,
  get,
  I32,
  i32,
  repeat,
  set,
  V128,
  wasmFunction,
  wasmModule,
} from './wasm.js';

const host = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object;
      Memory: new (size: object) => { buffer: ArrayBuffer };
      Instance: new (
        module: object,
        imports: object,
      ) => { exports: Record<string, (...values: number[]) => number> };
    };
  }
).WebAssembly;

/** The function alone in a module, and the memory that it sees. */
function made(one: ReturnType<typeof wasmFunction>) {
  const memory = new host.Memory({ initial: 1 });
  const { exports } = new host.Instance(new host.Module(wasmModule([one])), { host: { memory } });
  return { run: exports[one.name]!, floats: new Float64Array(memory.buffer), memory };
}

/** Not `Math.min`: where one is no number, the other is not taken. */
const pick = (isFirst: boolean, first: number, second: number): number => (isFirst ? first : second);

test('whole numbers of 32 bits are written so that they are read as the same', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.integer({ min: -70, max: 70 })), (value) => {
      expect(made(wasmFunction('value', [], () => i32.value(value), I32)).run()).toBe(value);
    }),
  );
});

test('floats are written so that they are read as the same', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(made(wasmFunction('value', [], () => f64Value(value), F64)).run()).toBe(value);
    }),
  );
});

test('integer operations are those of unsigned numbers', () => {
  const number = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(number, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (a, b) => {
      const result = (write: (a: readonly number[], b: readonly number[]) => readonly number[]): number =>
        made(wasmFunction('f', [I32, I32], ([x, y]) => write(get(x), get(y)), I32)).run(a, b);
      expect(result(i32.plus)).toBe((a + b) | 0);
      expect(result(i32.times)).toBe(Math.imul(a, b));
      expect(result(i32.dividedBy)).toBe(Math.floor(a / b));
      expect(result(i32.remainder)).toBe(a % b);
      expect(result(i32.isNot)).toBe(a === b ? 0 : 1);
    }),
    { numRuns: 50 },
  );
});

test('pairs of floats are computed as JavaScript does, one beside the other', () => {
  const operations = {
    plus: (a: number, b: number) => a + b,
    minus: (a: number, b: number) => a - b,
    times: (a: number, b: number) => a * b,
    dividedBy: (a: number, b: number) => a / b,
    least: (a: number, b: number) => pick(b < a, b, a),
    most: (a: number, b: number) => pick(a < b, b, a),
  } as const;
  for (const [name, expected] of Object.entries(operations)) {
    const { run, floats } = made(
      wasmFunction('f', [I32], ([at]) =>
        f64x2.store(
          get(at),
          f64x2[name as keyof typeof operations](f64x2.load(get(at)), f64x2.load(get(at), 16)),
          32,
        ),
      ),
    );
    const four = fc.tuple(fc.double(), fc.double(), fc.double(), fc.double());
    fc.assert(
      fc.property(four, ([a, b, c, d]) => {
        floats.set([a, b, c, d]);
        run(0);
        expect([floats[4], floats[5]]).toEqual([expected(a, c), expected(b, d)]);
      }),
    );
  }
});

test('a body is repeated until its condition is 0, and variables are 0 at first', () => {
  const sumTo = wasmFunction(
    'sum',
    [I32],
    ([count], variable) => {
      const sum = variable(I32);
      const body = [
        ...set(sum, i32.plus(get(sum), get(count))),
        ...set(count, i32.plus(get(count), i32.value(-1))),
      ];
      return [...repeat(body, i32.isNot(get(count), i32.value(0))), ...get(sum)];
    },
    I32,
  );
  expect(made(sumTo).run(100)).toBe(5050);
});

test('a function may have hundreds of variables, of every type', () => {
  const many = wasmFunction('last', [F64], ([value], variable) => {
    const locals = Array.from({ length: 300 }, (_, i) => variable(i % 2 === 0 ? I32 : V128));
    return [
      ...set(locals[299]!, f64x2.twice(get(value))),
      ...f64x2.store(
        i32.value(0),
        f64x2.plus(get(locals[299]!), f64x2.twice(f64FromI32(get(locals[298]!)))),
        264,
      ),
    ];
  });
  const { run, floats } = made(many);
  run(7.5);
  expect([floats[33], floats[34]]).toEqual([7.5, 7.5]);
});
