/** NumPy arrays of numbers, as typed arrays, from a data type's short name and raw bytes. */

/** Any typed array that a NumPy array of numbers can become. */
export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export interface NumpyArray {
  /** NumPy's array-interface name of what the file had, e.g. `<f8`; `data` is in this machine's byte order. */
  readonly dtype: string;
  /** Empty for a single number. */
  readonly shape: readonly number[];
  /** 'C': the last index changes fastest; 'F': the first. */
  readonly order: 'C' | 'F';
  readonly data: NumberArray;
}

interface NumberKind {
  readonly bytes: number;
  readonly make: (buffer: ArrayBufferLike, offset: number, length: number) => NumberArray;
}

/** By kind and size in bytes; booleans (b1) are bytes of 0 and 1. */
const KINDS: Readonly<Record<string, NumberKind>> = {
  b1: { bytes: 1, make: (...view) => new Uint8Array(...view) },
  i1: { bytes: 1, make: (...view) => new Int8Array(...view) },
  u1: { bytes: 1, make: (...view) => new Uint8Array(...view) },
  i2: { bytes: 2, make: (...view) => new Int16Array(...view) },
  u2: { bytes: 2, make: (...view) => new Uint16Array(...view) },
  i4: { bytes: 4, make: (...view) => new Int32Array(...view) },
  u4: { bytes: 4, make: (...view) => new Uint32Array(...view) },
  i8: { bytes: 8, make: (...view) => new BigInt64Array(...view) },
  u8: { bytes: 8, make: (...view) => new BigUint64Array(...view) },
  f4: { bytes: 4, make: (...view) => new Float32Array(...view) },
  f8: { bytes: 8, make: (...view) => new Float64Array(...view) },
};

/** NumPy's limit (`NPY_MAXDIMS` of version 2). */
export const MOST_DIMENSIONS = 64;

/** Whether the kind and size, e.g. `f8`, is one that a typed array has. */
export function isNumberKind(name: string): boolean {
  return Object.hasOwn(KINDS, name);
}

/** Bytes that an array of this kind and shape has; undefined where that is none that can be. */
export function arrayBytes(kind: string, shape: readonly number[]): number | undefined {
  if (shape.length > MOST_DIMENSIONS) return undefined;
  const bytes = shape.reduce((product, side) => product * side, (KINDS[kind] as NumberKind).bytes);
  return shape.every((side) => Number.isSafeInteger(side) && side >= 0) && Number.isSafeInteger(bytes)
    ? bytes
    : undefined;
}

/** Whether `numbersOf` needs no memory of its own. */
export function isView(kind: string, byteOrder: '<' | '>' | '|', bytes: Uint8Array): boolean {
  const size = (KINDS[kind] as NumberKind).bytes;
  return bytes.byteOffset % size === 0 && (size === 1 || byteOrder === MACHINE_ORDER);
}

/** The numbers; a view of the bytes where they are aligned and in this machine's order. */
export function numbersOf(kind: string, byteOrder: '<' | '>' | '|', bytes: Uint8Array): NumberArray {
  const { bytes: size, make } = KINDS[kind] as NumberKind;
  const isSwapped = size > 1 && byteOrder !== MACHINE_ORDER;
  const own = isView(kind, byteOrder, bytes) ? bytes : Uint8Array.from(bytes);
  if (isSwapped) for (let at = 0; at < own.length; at += size) own.subarray(at, at + size).reverse();
  return make(own.buffer, own.byteOffset, own.length / size);
}

const MACHINE_ORDER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? '<' : '>';
