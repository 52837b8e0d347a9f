/** CRC-32C (Castagnoli), the checksum of TFRecord framing: native where it loads, JavaScript elsewhere and for short inputs. */

import { createRequire } from 'node:module';

/**
 * CRC-32C of `bytes`, from 0 to 2^32 − 1: the reflected polynomial 0x82f63b78, initial value and final xor all ones
 * (RFC 3720, section 12.1 and appendix B.4).
 */
export function crc32c(bytes: Uint8Array): number {
  if (native !== undefined && bytes.length >= NATIVE_MIN_BYTES) return native(bytes);
  return crc32cInJavaScript(bytes, 0, bytes.length);
}

/**
 * The masked CRC-32C that TFRecord files hold: rotated right by 15 bits, plus 0xa282ead8, modulo 2^32
 * (TensorFlow's tensorflow/core/lib/hash/crc32c.h; the mask is there because data may itself hold CRCs).
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  return maskCrc32c(crc32c(bytes));
}

/** The mask alone, for a CRC that is known already. */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Whether the native implementation loaded; benchmarks print it, nothing else depends on it. */
export function hasNativeCrc32c(): boolean {
  return native !== undefined;
}

/** CRC-32C of `bytes[start … end)` in plain JavaScript, eight bytes a step (Kounavis and Berry, "slicing-by-8"). */
export function crc32cInJavaScript(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      TABLES[0x700 | (crc & 0xff)]! ^
      TABLES[0x600 | ((crc >>> 8) & 0xff)]! ^
      TABLES[0x500 | ((crc >>> 16) & 0xff)]! ^
      TABLES[0x400 | (crc >>> 24)]! ^
      TABLES[0x300 | bytes[at + 4]!]! ^
      TABLES[0x200 | bytes[at + 5]!]! ^
      TABLES[0x100 | bytes[at + 6]!]! ^
      TABLES[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = TABLES[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Below this the call into native code costs more than the sum itself (measured with Node 20 on x64). */
const NATIVE_MIN_BYTES = 128;

/** Table k at k × 256: the CRC of a byte followed by k zero bytes. Signed, so that V8 keeps the entries as small integers. */
const TABLES = slicingTables();

function slicingTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256]!;
    tables[i] = tables[shorter & 0xff]! ^ (shorter >>> 8);
  }
  return tables;
}

const native = loadNative();

/** The prebuilt addon is missing on some platforms and may fail to load; the JavaScript above then does the work. */
function loadNative(): ((bytes: Uint8Array) => number) | undefined {
  try {
    const loaded: unknown = createRequire(import.meta.url)('@node-rs/crc32');
    const candidate = (loaded as { crc32c?: unknown }).crc32c;
    if (typeof candidate !== 'function') return undefined;
    const compute = candidate as (bytes: Uint8Array) => number;
    // The check value of CRC-32C: an addon that got it wrong would damage every file.
    return compute(Buffer.from('123456789')) === 0xe3069283 ? (bytes) => compute(bytes) : undefined;
  } catch {
    return undefined;
  }
}
