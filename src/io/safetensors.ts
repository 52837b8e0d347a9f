/** The safetensors format: named arrays of numbers in one file that can hold no code and is read from any language. */

import { UserError } from './errors.js';

/** Weights are 32-bit floats; counters and indices 32-bit integers. The format has more kinds, which are refused. */
export interface NamedTensor {
  readonly data: Float32Array | Int32Array;
  /** Empty for a single number. */
  readonly shape: readonly number[];
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** Any texts by name; the order is kept. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What the Rust library that defines the format takes at most (`MAX_HEADER_SIZE`). */
const MOST_HEADER_BYTES = 100_000_000;

const METADATA = '__metadata__';

/**
 * The file in pieces, to be written one behind the other: `uint64 header length | header | numbers`, little endian. The
 * header is JSON, `{"__metadata__": {…}, "name": {"dtype": "F32", "shape": […], "data_offsets": [from, to]}}`, with blanks at
 * its end so that numbers begin at a multiple of 8 bytes. The pieces are views of the tensors' own memory.
 * @throws RangeError where a tensor's data does not have its shape, or a name is none that the format has.
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array[] {
  const header: [string, unknown][] = [[METADATA, metadata]];
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const [name, { data, shape }] of tensors) {
    if (name === METADATA) throw new RangeError(`a tensor can't be called ${METADATA}`);
    if (data.length !== sizeOf(shape))
      throw new RangeError(`tensor ${name} of shape [${shape}] has ${data.length} numbers`);
    const dtype = data instanceof Float32Array ? 'F32' : 'I32';
    header.push([name, { dtype, shape, data_offsets: [at, at + data.byteLength] }]);
    pieces.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    at += data.byteLength;
  }
  const text = Buffer.from(orderedJson(header));
  const head = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  if (head.length > MOST_HEADER_BYTES) throw new RangeError(`a header of ${head.length} bytes`);
  head.writeBigUInt64LE(BigInt(head.length - 8));
  head.set(text, 8);
  return [head, ...pieces];
}

/** JSON.stringify of an object would put names like "0" first. */
function orderedJson(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

/**
 * Reads such a file, whatever its bytes are. Tensors are in the order of their place in the file, and are copies.
 * @throws UserError naming `where` and what is wrong, where it is not whole, not of this format, or holds other kinds.
 */
export function decodeSafetensors(file: Uint8Array, where: string): Safetensors {
  const wrong = (what: string): UserError =>
    new UserError(`not a safetensors file that can be read: ${what}`, { where });
  if (file.length < 8) throw wrong(`it has ${file.length} bytes, less than a header's length`);
  const headerBytes = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (headerBytes > Math.min(file.length - 8, MOST_HEADER_BYTES))
    throw wrong(`a header of ${headerBytes} bytes in a file of ${file.length}`);
  const header = parseHeader(file.subarray(8, 8 + headerBytes));
  if (header === undefined) throw wrong('its header is not a JSON object');
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isTexts(metadata)) throw wrong('its metadata are not texts by name');
  const numbers = file.subarray(8 + headerBytes);
  const places = Object.entries(entries).map(([name, entry]) => {
    const place = readPlace(entry);
    if (typeof place === 'string') throw wrong(`tensor ${JSON.stringify(name)}: ${place}`);
    return { name, ...place };
  });
  places.sort((a, b) => a.from - b.from || a.to - b.to);
  const tensors = new Map<string, NamedTensor>();
  let end = 0;
  for (const { name, dtype, shape, from, to } of places) {
    if (from !== end || to > numbers.length)
      throw wrong(
        `tensor ${JSON.stringify(name)} is from byte ${from} to ${to}, where ${end} is the next of ${numbers.length}`,
      );
    // A copy is aligned, and does not keep the whole file in memory.
    const bytes = Uint8Array.from(numbers.subarray(from, to)).buffer;
    tensors.set(name, { data: dtype === 'F32' ? new Float32Array(bytes) : new Int32Array(bytes), shape });
    end = to;
  }
  if (end !== numbers.length) throw wrong(`${numbers.length - end} bytes at its end are no tensor's`);
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

/** A tensor's entry in the header, or what is wrong with it. */
function readPlace(entry: unknown) {
  if (!isObject(entry)) return 'its entry is not an object';
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32' && dtype !== 'I32')
    return `it is of kind ${JSON.stringify(dtype)}, and only F32 and I32 are read`;
  if (!isCounts(shape)) return 'its shape is not a list of whole numbers';
  if (!isCounts(offsets) || offsets.length !== 2) return 'its offsets are not two whole numbers';
  const [from = 0, to = 0] = offsets;
  if (to - from !== sizeOf(shape) * 4) return `${to - from} bytes for shape [${shape}]`;
  return { dtype, shape, from, to } as const;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0);
}

function isTexts(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
