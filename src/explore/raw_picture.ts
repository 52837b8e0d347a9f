/** Shows pictures that are stored as bare pixels: browsers need a file, so they are wrapped into a PNG. */

import { crc32, deflateSync } from 'node:zlib';
import type { ImageFormat } from '../io/features.js';

/** The file that an image feature's bytes are; of raw pixels a PNG of them, or the bytes alone where they don't fit their sizes. */
export function pictureFile(bytes: Uint8Array, format: ImageFormat): Uint8Array {
  const { encoding, height, width, channels } = format;
  if (encoding !== 'raw' || height === null || width === null || channels === null) return bytes;
  const colourType = COLOUR_TYPES.get(channels);
  if (colourType === undefined || bytes.length !== height * width * channels) return bytes;
  return png(bytes, { height, rowBytes: width * channels, width, colourType });
}

/** Grey, colour, colour with alpha (PNG specification, third edition, section 11.2.1). */
const COLOUR_TYPES: ReadonlyMap<number, number> = new Map([
  [1, 0],
  [3, 2],
  [4, 6],
]);

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

interface PngSizes {
  readonly width: number;
  readonly height: number;
  readonly rowBytes: number;
  readonly colourType: number;
}

/** 8 bits a channel, no row filtered: few lines matter more here than few bytes. */
function png(pixels: Uint8Array, { width, height, rowBytes, colourType }: PngSizes): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = colourType;
  const rows = Buffer.alloc(height * (rowBytes + 1));
  for (let y = 0; y < height; y++)
    rows.set(pixels.subarray(y * rowBytes, (y + 1) * rowBytes), y * (rowBytes + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Length, type, data, and the CRC-32 of type and data. */
function chunk(type: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, 'latin1');
  whole.set(data, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}
