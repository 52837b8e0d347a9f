/** NumPy's file format for one array, which `numpy.load` and WebDataset's decoder read: a short text head, then the numbers. */

/** Numbers of one of the types that examples hold. */
export type NpyArray = Float32Array | BigInt64Array | Uint8Array;

/**
 * The bytes of an `.npy` file, version 1.0 (numpy/lib/format.py): `\x93NUMPY`, the version, the head's length in two bytes,
 * and a Python dictionary padded with blanks so that the numbers begin at a multiple of 64.
 * @param shape sizes of the dimensions, row by row; empty for a single number. Their product is `data.length`.
 */
export function encodeNpy(data: NpyArray, shape: readonly number[]): Uint8Array {
  // A tuple of one has a comma behind it in Python.
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const head = `{'descr': '${typeOf(data)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((PREFIX_BYTES + head.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(start + data.byteLength);
  bytes.write('\x93NUMPY\x01\x00', 0, 'latin1');
  bytes.writeUInt16LE(start - PREFIX_BYTES, 8);
  bytes.write(`${head.padEnd(start - PREFIX_BYTES - 1)}\n`, PREFIX_BYTES, 'latin1');
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  if (IS_BIG_ENDIAN && data.BYTES_PER_ELEMENT === 4) bytes.subarray(start).swap32();
  if (IS_BIG_ENDIAN && data.BYTES_PER_ELEMENT === 8) bytes.subarray(start).swap64();
  return bytes;
}

const PREFIX_BYTES = 10;
const ALIGNMENT = 64;
const IS_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

function typeOf(data: NpyArray): '<f4' | '<i8' | '|u1' {
  if (data instanceof Float32Array) return '<f4';
  return data instanceof BigInt64Array ? '<i8' : '|u1';
}
