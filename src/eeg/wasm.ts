/** Writes small WebAssembly modules: the few instructions that loops over samples need, composed as expressions. */

/** Instructions, as the bytes of the binary format (WebAssembly Core Specification 2.0, section 5). */
export type Code = readonly number[];

/** Types of values by their bytes: a 32-bit integer, a 64-bit float, and two of those side by side. */
export const I32 = 0x7f;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F64 | typeof V128;

/** A variable of a function, by its number; parameters come first. */
export type Local = number;

/** A function that a module exports. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType;
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

/**
 * The function of that name; `write` gets its parameters and a maker of further variables, which are 0 at first.
 * @param types of its parameters
 */
export function wasmFunction<const Types extends readonly ValueType[]>(
  name: string,
  types: Types,
  write: (parameters: Locals<Types>, variable: (type: ValueType) => Local) => Code,
  result?: ValueType,
): WasmFunction {
  const locals: ValueType[] = [];
  const parameters = [...types.keys()] as unknown as Locals<Types>;
  const body = write(parameters, (type) => types.length + locals.push(type) - 1);
  return { name, parameters: types, locals, body, ...(result === undefined ? {} : { result }) };
}

type Locals<Types extends readonly ValueType[]> = { readonly [At in keyof Types]: Local };

/** A module of these functions over a memory that it imports as `memory` of the module `host`. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, result }) => [
    0x60,
    ...list(parameters.map((type) => [type])),
    ...list(result === undefined ? [] : [[result]]),
  ]);
  const exported = functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]);
  const bodies = functions.map(({ locals, body }) => {
    const code = [...list(locals.map((type) => [1, type])), ...body, END];
    return [...unsigned(code.length), ...code];
  });
  // A memory of no pages at least, without a maximum.
  const memory = [...text('host'), ...text('memory'), 0x02, 0x00, 0];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(7, list(exported)),
    ...section(10, list(bodies)),
  ]);
}

export const get = (local: Local): Code => [0x20, ...unsigned(local)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** One instruction after the other. */
export const all = (...codes: readonly Code[]): Code => codes.flat();

/** The body at least once, and again as long as the condition is not 0. */
export const repeat = (body: Code, condition: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...condition,
  0x0d,
  0,
  END,
];

export const i32 = {
  value: (value: number): Code => [0x41, ...signed(value)],
  load: (address: Code, offset: number): Code => [...address, 0x28, ALIGN_4, ...unsigned(offset)],
  loadInt16: (address: Code): Code => [...address, 0x2e, ALIGN_2, 0],
  isNot: (a: Code, b: Code): Code => [...a, ...b, 0x47],
  plus: (a: Code, b: Code): Code => [...a, ...b, 0x6a],
  times: (a: Code, b: Code): Code => [...a, ...b, 0x6c],
  /** Of numbers from 0 … 2^32 − 1. */
  dividedBy: (a: Code, b: Code): Code => [...a, ...b, 0x6e],
  remainder: (a: Code, b: Code): Code => [...a, ...b, 0x70],
} as const;

/** Two 64-bit floats at once, each rounded as JavaScript rounds: never a multiplication and an addition in one. */
export const f64x2 = {
  /** From a byte address that is a multiple of 8, `offset` bytes further on. */
  load: (address: Code, offset = 0): Code => [...address, ...simd(0x00), ALIGN_8, ...unsigned(offset)],
  /** The same float twice. */
  loadTwice: (address: Code, offset = 0): Code => [...address, ...simd(0x0a), ALIGN_8, ...unsigned(offset)],
  /** A float of `a` and one of memory. */
  withSecond: (a: Code, address: Code, offset = 0): Code => [
    ...address,
    ...a,
    ...simd(0x57),
    ALIGN_8,
    ...unsigned(offset),
    1,
  ],
  /** Two 16-bit integers of memory as floats. */
  ofInt16: (address: Code, secondAddress: Code): Code => [
    ...f64x2.twice(f64FromI32(i32.loadInt16(address))),
    ...f64FromI32(i32.loadInt16(secondAddress)),
    ...simd(0x22),
    1,
  ],
  /** One of both floats, the `lane`-th. */
  storeOne: (address: Code, value: Code, lane: 0 | 1): Code => [
    ...address,
    ...value,
    ...simd(0x5b),
    ALIGN_8,
    0,
    lane,
  ],
  /** The same, rounded to 32 bits. */
  storeOneAsFloat32: (address: Code, value: Code, lane: 0 | 1): Code => [
    ...address,
    ...value,
    ...simd(0x5e),
    ...simd(0x5a),
    ALIGN_4,
    0,
    lane,
  ],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x0b),
    ALIGN_8,
    ...unsigned(offset),
  ],
  twice: (value: Code): Code => [...value, ...simd(0x14)],
  zero: [0xfd, 0x0c, ...Array<number>(16).fill(0)] as Code,
  plus: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf0)],
  minus: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf1)],
  times: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf2)],
  dividedBy: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf3)],
  squareRoot: (a: Code): Code => [...a, ...simd(0xef)],
  absolute: (a: Code): Code => [...a, ...simd(0xec)],
  /** b where it is less than a, else a: also where a is no number. */
  least: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf6)],
  /** b where it is greater than a, else a. */
  most: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf7)],
  /** a, but 0 where `left` is at most `right`. */
  unlessAtMost: (a: Code, left: Code, right: Code): Code => [
    ...a,
    ...left,
    ...right,
    ...simd(0x4b),
    ...simd(0x4f),
  ],
  /** 1 where any of both is another than its like, also where it is no number; else 0. */
  areNot: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x48), ...simd(0x53)],
} as const;

/** A 64-bit float. */
export const f64Value = (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];
export const f64FromI32 = (value: Code): Code => [...value, 0xb7];

const END = 0x0b;
const ALIGN_8 = 3;
const ALIGN_4 = 2;
const ALIGN_2 = 1;

function simd(opcode: number): Code {
  return [0xfd, ...unsigned(opcode)];
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(ascii: string): Code {
  return list([...ascii].map((letter) => [letter.charCodeAt(0)]));
}

/** LEB128: seven bits a byte, the lowest first. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
