/** Tells what a careless transfer did to a recording: line ends made longer, or bytes replaced that are no UTF-8. */

import type { ByteSource } from './byte_source.js';
import type { EdfFault } from './edf_error.js';
import type { EdfHeader } from './edf_header.js';

/** Enough for hundreds of line feeds among random samples. */
const LOOKED_AT_BYTES = 1 << 15;

/** What the first samples show, with a sentence about it; undefined where they show nothing. */
export async function findDamage(
  source: ByteSource,
  header: EdfHeader,
): Promise<{ readonly fault: EdfFault; readonly what: string } | undefined> {
  const length = Math.max(0, Math.min(LOOKED_AT_BYTES, source.size - header.headerBytes));
  const bytes = await source.read(header.headerBytes, length);
  if (areReplacementsOnly(bytes))
    return {
      fault: 'utf8-mangled',
      what: 'the file was taken for text: EF BF BD stands where samples had bytes above 127',
    };
  if (areLineFeedsReturned(bytes, header.sampleBytes))
    return {
      fault: 'line-endings',
      what: `the file was taken for text: among its samples each line feed follows a carriage return (looked at ${length} bytes)`,
    };
  return undefined;
}

/** Whether a header holds the mark of the second kind of damage, which no name or unit has. */
export function isHeaderMangled(header: Uint8Array): boolean {
  return Buffer.from(header.buffer, header.byteOffset, header.length).includes('\ufffd', 0, 'utf8');
}

/** Whether bytes above 127 are there, and all of them in the three that stand for what could not be decoded. */
function areReplacementsOnly(bytes: Uint8Array): boolean {
  let replacements = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! < 0x80) continue;
    if (i + 2 >= bytes.length) break;
    // Pairs that happen to be good UTF-8 (C2 80 to DF BF) are left as they are by such a transfer.
    if (bytes[i]! >= 0xc2 && bytes[i]! <= 0xdf && isContinuation(bytes[i + 1]!)) {
      i++;
      continue;
    }
    if (bytes[i] !== 0xef || bytes[i + 1] !== 0xbf || bytes[i + 2] !== 0xbd) {
      const isOther = bytes[i]! >= 0xe0 && isContinuation(bytes[i + 1]!) && isContinuation(bytes[i + 2]!);
      if (!isOther) return false;
      i += bytes[i]! >= 0xf0 ? 3 : 2;
      continue;
    }
    replacements++;
    i += 2;
  }
  return replacements >= 8;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/**
 * Whether all line feeds follow a carriage return. A constant sample 0A 0D looks so as well, but its line feeds all
 * stand at the same byte of a sample; inserted bytes move the rest of the file from one to the other.
 */
function areLineFeedsReturned(bytes: Uint8Array, sampleBytes: number): boolean {
  const byPhase = new Array<number>(sampleBytes).fill(0);
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at - 1] !== 0x0d) return false;
    byPhase[at % sampleBytes]!++;
  }
  return byPhase.every((count) => count >= 4);
}
