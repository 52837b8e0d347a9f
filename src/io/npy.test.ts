import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeNpy, type NpyArray } from './npy.js';
import { readNpy } from './read_converted.test.helper.js';

const arrays: fc.Arbitrary<NpyArray> = fc.oneof(
  fc.float32Array({ maxLength: 40 }),
  fc.bigInt64Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }),
);

test('an array is read back with its type, shape and every bit', () => {
  fc.assert(
    fc.property(arrays, fc.nat(4), (data, ones) => {
      const shape = [...Array.from({ length: ones }, () => 1), data.length];
      const file = Buffer.from(encodeNpy(data, shape));
      const found = readNpy(file);
      expect(found.shape).toEqual(shape);
      expect(found.data).toEqual(data);
      expect((file.length - data.byteLength) % 64).toBe(0);
      expect(file.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
    }),
  );
});

test('a single number has no dimensions, and a view only its own numbers', () => {
  expect(readNpy(Buffer.from(encodeNpy(Float32Array.of(1, 2, 3).subarray(1, 2), [])))).toMatchObject({
    shape: [],
    data: Float32Array.of(2),
  });
});
