import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { crc32c, crc32cInJavaScript, hasNativeCrc32c, maskCrc32c, maskedCrc32c } from './crc32c.js';

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
/** RFC 3720, appendix B.4, and the check value that CRC catalogues give for "123456789". */
const VECTORS: readonly (readonly [name: string, bytes: Uint8Array, crc: number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['32 bytes of zero', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 ascending bytes', ascending, 0x46dd794e],
  ['32 descending bytes', ascending.toReversed(), 0x113fdb5c],
  [
    'an iSCSI read command',
    Buffer.from(
      '01c00000000000000000000000000000' +
        '14000000000004000000001400000018' +
        '28000000000000000200000000000000',
      'hex',
    ),
    0xd9963a56,
  ],
];

test.each(VECTORS)('%s has the CRC that RFC 3720 gives', (_, bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
  expect(crc32cInJavaScript(bytes, 0, bytes.length)).toBe(crc);
});

const shared = sharedData('peers', 'crc32c-vectors.json');
test.skipIf(shared === undefined)(
  'the vectors of shared/data/peers hold (skipped where it is absent)',
  () => {
    const { vectors } = JSON.parse(readFileSync(shared!, 'utf8')) as {
      vectors: { hex?: string; ascii?: string; crc: string }[];
    };
    expect(vectors.length).toBeGreaterThan(0);
    for (const { hex, ascii, crc } of vectors) {
      const bytes = hex === undefined ? Buffer.from(ascii!, 'latin1') : Buffer.from(hex, 'hex');
      expect(crc32c(bytes).toString(16).padStart(8, '0')).toBe(crc);
      expect(crc32cInJavaScript(bytes, 0, bytes.length).toString(16).padStart(8, '0')).toBe(crc);
    }
  },
);

test('native code and JavaScript agree on any bytes at any place in a buffer', () => {
  // Where the addon is missing both sides are JavaScript, and this says so.
  if (!hasNativeCrc32c()) console.warn('no native CRC-32C here: JavaScript was compared with itself');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), fc.nat(40), (bytes, start) => {
      const from = Math.min(start, bytes.length);
      expect(crc32c(bytes.subarray(from))).toBe(crc32cInJavaScript(bytes, from, bytes.length));
    }),
  );
});

test('a masked CRC is that of a TFRecord written by TensorFlow', () => {
  // The record "hello world" of magenta's tfrecord_iterator_test.tfrecord: its length, and the checksums it stores.
  expect(maskedCrc32c(Buffer.from('0b00000000000000', 'hex'))).toBe(0x04f51586);
  expect(maskedCrc32c(Buffer.from('hello world'))).toBe(0x6dd87e00);
  expect(maskCrc32c(0)).toBe(0xa282ead8);
});
