/** Reads Python's pickles of plain data and NumPy arrays, which DEAP's files are, without ever running what they ask for. */

import type { NumpyArray } from './numpy_array.js';
import { malformed, PickleError, Refusal } from './pickle_error.js';
import { PickleMachine } from './pickle_machine.js';
import { ByteString, UnbuiltArray } from './pickle_objects.js';

/** What a dict may be keyed by. */
export type PickleKey = string | number | bigint | boolean | null;

/** What is read: lists and tuples are arrays, dicts are maps; integers beyond ±2⁵³ are bigints. */
export type PickleValue =
  | PickleKey
  | Uint8Array
  | NumpyArray
  | readonly PickleValue[]
  | ReadonlyMap<PickleKey, PickleValue>;

export interface ReadPickleOptions {
  /** What errors call the file. */
  readonly name?: string;
  /** Instructions that are obeyed at most, each of which makes one item or less; 250,000 where not said. */
  readonly maxItems?: number;
}

/**
 * The value of a pickle of protocol 0 to 4 (PEP 307, PEP 3154 and the comments of CPython's `pickletools`). Strings of
 * Python 2 are taken for latin1. Numbers of arrays are views of `bytes` where they lie so that they can be.
 *
 * A pickle is a program. This reader has no way to call anything: of the names that a pickle may ask for it knows those
 * that NumPy's arrays, types and numbers are made of, and builds them itself; it stops at any other. Memory is bounded by
 * `maxItems` and a few times the size of `bytes`. A list may contain itself, as it may in Python.
 * @throws PickleError
 */
export function readPickle(bytes: Uint8Array, options: ReadPickleOptions = {}): PickleValue {
  const { name: file = 'pickle', maxItems = 250_000 } = options;
  const machine = new PickleMachine(bytes, maxItems);
  try {
    return finished(machine.run());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new PickleError(error.fault, error.message, { file, offset: machine.instructionAt });
  }
}

/** The value with everything that was still open in its final form, in place. */
function finished(value: unknown): PickleValue {
  const seen = new Set<unknown>();
  const open: unknown[] = [];
  const finish = (one: unknown): unknown => {
    if (one instanceof ByteString) return one.text;
    if (one instanceof UnbuiltArray) return one.array();
    if (Array.isArray(one) || one instanceof Map) {
      if (!seen.has(one)) open.push(one);
      seen.add(one);
      return one;
    }
    const isPlain = one === null || typeof one !== 'object' || one instanceof Uint8Array;
    if (!isPlain) throw malformed('a name or a type is left where a value should be');
    return one;
  };
  const root = finish(value);
  for (let container = open.pop(); container !== undefined; container = open.pop()) {
    if (container instanceof Map) for (const [key, item] of container) container.set(key, finish(item));
    else
      for (const [i, item] of (container as unknown[]).entries()) (container as unknown[])[i] = finish(item);
  }
  return root as PickleValue;
}
