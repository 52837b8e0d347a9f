/** The few names a pickle may ask for, and what they make: NumPy's arrays, data types and numbers, and strings of bytes. */

import { arrayBytes, isNumberKind, isView, type NumpyArray, numbersOf } from './numpy_array.js';
import { malformed, Refusal } from './pickle_error.js';
import { bytesOfLatin1, latin1 } from './pickle_text.js';

/** Who counts the memory that is made beside the file's. */
export interface Memory {
  /** @throws Refusal where it is too much. */
  spend(bytes: number): void;
}

/** A string of Python 2: the bytes of an array, or a text in latin1. */
export class ByteString {
  readonly bytes: Uint8Array;
  private decoded: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get text(): string {
    this.decoded ??= latin1(this.bytes);
    return this.decoded;
  }
}

/** An array as `_reconstruct` leaves it, until its state is set. */
export class UnbuiltArray {
  private built: NumpyArray | undefined;

  set(array: NumpyArray): void {
    this.built = array;
  }

  array(): NumpyArray {
    if (this.built === undefined) throw malformed('an array has no state');
    return this.built;
  }
}

/** A data type of numbers, whose byte order its state tells. */
class DataType {
  readonly kind: string;
  byteOrder: '<' | '>' | '|' = '|';

  constructor(kind: string) {
    this.kind = kind;
  }
}

/** What a name stands for: nothing that could be called. */
class Global {
  readonly makes: GlobalName;

  constructor(makes: GlobalName) {
    this.makes = makes;
  }
}

type GlobalName = 'reconstruct' | 'scalar' | 'ndarray' | 'dtype' | 'encode' | 'bytes';

/**
 * By module and name, as NumPy 1 and 2 (`numpy.ndarray.__reduce__`) and Python 3 with protocols before 3 (byte strings)
 * write them.
 */
const GLOBALS: ReadonlyMap<string, GlobalName> = new Map<string, GlobalName>([
  ['numpy.core.multiarray _reconstruct', 'reconstruct'],
  ['numpy._core.multiarray _reconstruct', 'reconstruct'],
  ['numpy.core.multiarray scalar', 'scalar'],
  ['numpy._core.multiarray scalar', 'scalar'],
  ['numpy ndarray', 'ndarray'],
  ['numpy dtype', 'dtype'],
  ['_codecs encode', 'encode'],
  ['__builtin__ bytes', 'bytes'],
]);

/** @throws Refusal for every name but those of the list. */
export function findGlobal(module: string, name: string): unknown {
  const makes = GLOBALS.get(`${module} ${name}`);
  if (makes === undefined) {
    const asked = `${module}.${name}`.slice(0, 100).replace(/[^\x20-\x7e]/g, '?');
    throw new Refusal('refused', `it asks for ${asked}, which is neither plain data nor a NumPy array`);
  }
  return new Global(makes);
}

/** What the pickle would call, made here. @throws Refusal where the arguments are not those that NumPy writes. */
export function applyGlobal(callee: unknown, args: readonly unknown[], memory: Memory): unknown {
  if (!(callee instanceof Global)) throw new Refusal('refused', 'it calls what it made itself');
  switch (callee.makes) {
    case 'reconstruct': {
      const [type] = args;
      if (!(type instanceof Global && type.makes === 'ndarray'))
        throw new Refusal('refused', 'an array is of a class of its own');
      return new UnbuiltArray();
    }
    case 'dtype': {
      const kind = textOf(args[0]);
      if (kind === undefined || !isNumberKind(kind))
        throw new Refusal('refused', `an array has the data type ${String(kind).slice(0, 20)}`);
      return new DataType(kind);
    }
    case 'scalar': {
      const [type, bytes] = [args[0], bytesOf(args[1])];
      if (!(type instanceof DataType && bytes !== undefined)) throw malformed('a number is none');
      const number = arrayOf(type, [], 'C', bytes, memory).data[0] as number | bigint;
      return type.kind === 'b1' ? number === 1 : number;
    }
    case 'encode': {
      const [text, encoding] = [args[0], textOf(args[1])];
      if (typeof text !== 'string' || !/^(latin1|latin-1|iso-8859-1)$/.test(encoding ?? ''))
        throw new Refusal('refused', 'bytes are in an encoding other than latin1');
      memory.spend(text.length);
      const bytes = bytesOfLatin1(text);
      if (bytes === undefined) throw malformed('bytes in latin1 have characters that it lacks');
      return bytes;
    }
    case 'bytes':
      if (args.length > 0) throw new Refusal('refused', 'bytes are made of something');
      return new Uint8Array(0);
    case 'ndarray':
      throw new Refusal('refused', 'an array is made without its bytes');
  }
}

/** Sets the state of an array or a data type. @throws Refusal for anything else, and for states that NumPy doesn't write. */
export function buildState(target: unknown, state: unknown, memory: Memory): void {
  if (!(target instanceof UnbuiltArray || target instanceof DataType))
    throw new Refusal('refused', 'it sets the state of an object');
  if (!Array.isArray(state)) throw malformed('a state is no tuple');
  if (target instanceof DataType) {
    // (version, byte order, subarray, names, fields, size, alignment, flags): NumPy's `arraydescr_reduce`
    const [, order, ...others] = state;
    const byteOrder = textOf(order);
    if (byteOrder !== '<' && byteOrder !== '>' && byteOrder !== '|')
      throw malformed('a data type has no byte order');
    if (others.slice(0, 3).some((part) => part !== null))
      throw new Refusal('refused', 'an array has a data type of several fields');
    target.byteOrder = byteOrder;
    return;
  }
  // (version, shape, type, is in Fortran's order, bytes), since 2005; before, without the version
  const [version, shape, type, isFortran, raw] = state;
  const bytes = bytesOf(raw);
  if (version !== 1 || !Array.isArray(shape) || !(type instanceof DataType))
    throw malformed('the state of an array is not what NumPy writes');
  if (bytes === undefined) throw new Refusal('refused', 'an array is of objects');
  target.set(arrayOf(type, shape, isFortran === true || isFortran === 1 ? 'F' : 'C', bytes, memory));
}

function arrayOf(
  { kind, byteOrder }: DataType,
  shape: readonly unknown[],
  order: 'C' | 'F',
  bytes: Uint8Array,
  memory: Memory,
): NumpyArray {
  if (byteOrder === '|' && !kind.endsWith('1')) throw malformed(`numbers of type ${kind} have no byte order`);
  const sides = shape.map((side) => (typeof side === 'number' ? side : Number.NaN));
  const expected = arrayBytes(kind, sides);
  if (expected !== bytes.length)
    throw new Refusal(
      'malformed',
      `an array of shape ${sides.slice(0, 8).join(' × ')} and type ${kind} has ${bytes.length} bytes`,
    );
  if (!isView(kind, byteOrder, bytes)) memory.spend(bytes.length);
  return { dtype: `${byteOrder}${kind}`, shape: sides, order, data: numbersOf(kind, byteOrder, bytes) };
}

function textOf(value: unknown): string | undefined {
  if (value instanceof ByteString) return value.text;
  return typeof value === 'string' ? value : undefined;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ByteString) return value.bytes;
  return value instanceof Uint8Array ? value : undefined;
}
