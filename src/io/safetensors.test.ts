import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { askJsonWitness } from '../../fixtures/json_witness.js';
import { UserError } from './errors.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type Safetensors } from './safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tensor: fc.Arbitrary<NamedTensor> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) => {
    const length = shape.reduce((product, side) => product * side, 1);
    const size = { minLength: length, maxLength: length };
    return fc
      .oneof(fc.float32Array(size), fc.int32Array(size))
      .map((data) => ({ data: data as Float32Array | Int32Array, shape }));
  });
const names = fc.string({ maxLength: 12, unit: 'binary' }).filter((name) => name !== '__metadata__');
const files: fc.Arbitrary<Safetensors> = fc.record({
  tensors: fc.array(fc.tuple(names, tensor), { maxLength: 5 }).map((entries) => new Map(entries)),
  metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { maxKeys: 4 }),
});

test('what is written is read again, bit for bit', () => {
  fc.assert(
    fc.property(files, (file) => {
      const bytes = Buffer.concat(encodeSafetensors(file));
      const found = decodeSafetensors(bytes, 'here');
      expect([...found.tensors.keys()].sort()).toEqual([...file.tensors.keys()].sort());
      for (const [name, { data, shape }] of file.tensors) {
        const read = found.tensors.get(name)!;
        expect(read.shape).toEqual(shape);
        expect(read.data.constructor).toBe(data.constructor);
        expect(bytesOf(read)).toEqual(bytesOf({ data, shape }));
      }
      expect({ ...found.metadata }).toEqual({ ...file.metadata });
      // Numbers begin aligned, as other readers map them.
      expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0);
    }),
  );
});

test('damaged bytes are refused or read, never anything worse', () => {
  const damage = fc.record({
    file: files,
    at: fc.nat(),
    byte: fc.integer({ min: 0, max: 255 }),
    cut: fc.nat(),
  });
  fc.assert(
    fc.property(damage, ({ file, at, byte, cut }) => {
      const bytes = Buffer.concat(encodeSafetensors(file));
      const cutOff = Uint8Array.from(bytes.subarray(0, cut % bytes.length));
      expect(() => decodeSafetensors(cutOff, 'here')).toThrow(UserError);
      bytes[at % bytes.length] = byte;
      refusedOrRead(bytes);
    }),
  );
  fc.assert(
    fc.property(fc.json(), fc.uint8Array(), (header, numbers) => refusedOrRead(withHeader(header, numbers))),
  );
});

test.each([
  ['', 'it has 3 bytes', Uint8Array.of(1, 2, 3)],
  ['', 'a header of 4294967295 bytes in a file of 8', Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)],
  ['[]', 'not a JSON object', undefined],
  ['{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', 'of kind "F16"', undefined],
  ['{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 'not a list of whole numbers', undefined],
  ['{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}', '4 bytes for shape [3]', undefined],
  ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 'where 0 is the next', undefined],
  [
    '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}',
    'from byte 0 to 12, where 0 is the next of 8',
    undefined,
  ],
  ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "4 bytes at its end are no tensor's", undefined],
  ['{"__metadata__":{"a":1}}', 'not texts by name', undefined],
])('a header %s is refused: %s', (header, what, bytes) => {
  const read = () => decodeSafetensors(bytes ?? withHeader(header, new Uint8Array(8)), 'weights');
  expect(read).toThrow(UserError);
  expect(read).toThrow(what);
  expect(read).toThrow('(weights)');
});

test('a tensor whose data does not have its shape is not written', () => {
  const wrong = { tensors: new Map([['w', { data: new Float32Array(3), shape: [2, 2] }]]), metadata: {} };
  expect(() => encodeSafetensors(wrong)).toThrow('tensor w of shape [2,2] has 3 numbers');
});

const ours = new Map<string, NamedTensor>([
  ['7', { data: Float32Array.of(1, -0, Number.NaN, 3e38, 1e-45, Number.POSITIVE_INFINITY), shape: [2, 3] }],
  ['größe/π', { data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1), shape: [2] }],
  ['one', { data: Float32Array.of(0.1), shape: [] }],
  ['none', { data: new Float32Array(0), shape: [0, 4] }],
]);
const metadata = { step: '12', text: '"\n\u2028' };
const [written, rewritten] = [join(folder, 'ours'), join(folder, 'theirs')];
writeFileSync(written, Buffer.concat(encodeSafetensors({ tensors: ours, metadata })));
const witness = askJsonWitness('safetensors_files.py', 'safetensors', { read: written, write: rewritten }) as
  | { metadata: object; tensors: Record<string, [kind: string, shape: number[], hex: string]> }
  | undefined;

test.skipIf(witness === undefined)(
  "Python's safetensors reads what we write, and we what it writes (skipped without it)",
  () => {
    expect(witness!.metadata).toEqual(metadata);
    const theirs = decodeSafetensors(readFileSync(rewritten), rewritten);
    expect(theirs.metadata).toEqual(metadata);
    expect(Object.keys(witness!.tensors)).toHaveLength(ours.size);
    for (const [name, { data, shape }] of ours) {
      const kind = data instanceof Float32Array ? 'float32' : 'int32';
      expect(witness!.tensors[name]).toEqual([kind, shape, bytesOf({ data, shape }).toString('hex')]);
      expect(theirs.tensors.get(name)!.shape).toEqual(shape);
      expect(bytesOf(theirs.tensors.get(name)!)).toEqual(bytesOf({ data, shape }));
    }
  },
);

function refusedOrRead(bytes: Uint8Array): void {
  try {
    decodeSafetensors(bytes, 'here');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
}

function withHeader(header: string, numbers: Uint8Array): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, numbers]);
}

function bytesOf({ data }: NamedTensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
