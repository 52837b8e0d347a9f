/** How pickles write strings and numbers: Python's escapes, latin1, decimal lines, two's complement. */

import { malformed, Refusal } from './pickle_error.js';

/** One character a byte. (The encoding that `TextDecoder` calls latin1 is another one.) */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE)
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return text;
}

/** Arguments that a call may have on any engine. */
const PIECE = 8192;

/** The bytes of a text of characters up to U+00FF; undefined where it has others. */
export function bytesOfLatin1(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/** What a letter behind a backslash stands for in Python 2's strings. */
const ESCAPES: Readonly<Record<string, number>> = {
  '\\': 0x5c,
  "'": 0x27,
  '"': 0x22,
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
};

/** The bytes that Python 2's `repr` of a string stands for, without its quotes. Unknown escapes stay as they are. */
export function escapedBytes(escaped: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(escaped.length);
  let length = 0;
  for (let at = 0; at < escaped.length; at++) {
    const byte = escaped[at] as number;
    if (byte !== 0x5c || at + 1 === escaped.length) {
      bytes[length++] = byte;
      continue;
    }
    const [value, used] = escapeAt(escaped, at + 1);
    if (value === undefined) bytes[length++] = byte;
    else {
      bytes[length++] = value;
      at += used;
    }
  }
  return bytes.subarray(0, length);
}

/** The byte that an escape stands for, and how many characters behind the backslash it takes. */
function escapeAt(escaped: Uint8Array, at: number): [value: number | undefined, used: number] {
  const letter = String.fromCharCode(escaped[at] as number);
  if (letter === 'x') {
    const digits = latin1(escaped.subarray(at + 1, at + 3));
    return /^[0-9a-f]{2}$/i.test(digits) ? [Number.parseInt(digits, 16), 3] : [undefined, 0];
  }
  const octal = /^[0-7]{1,3}/.exec(latin1(escaped.subarray(at, at + 3)))?.[0];
  if (octal !== undefined) return [Number.parseInt(octal, 8) & 0xff, octal.length];
  return [Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined, 1];
}

/** A line of Python's raw-unicode-escape: latin1 with \uXXXX and \UXXXXXXXX. */
export function rawUnicode(line: Uint8Array): string {
  return latin1(line).replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi, (all, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** A little-endian integer in two's complement; a bigint where it is beyond ±2⁵³. */
export function longFromBytes(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = value * 256n + BigInt(byte);
  if ((bytes.at(-1) ?? 0) >= 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The longest integer that is read. Turning decimal digits to a bigint takes quadratic time. */
const MOST_INTEGER_DIGITS = 700;

/** @throws Refusal where it is no integer, or none of a size that is read. */
export function parseInteger(text: string): number | bigint {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw malformed(`${JSON.stringify(text)} is no integer`);
  if (text.length > MOST_INTEGER_DIGITS) throw new Refusal('too-much', `an integer of ${text.length} digits`);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text.trim().replace(/^\+/, ''));
}

/** Protocol 0 has no booleans of its own: 00 and 01 are False and True. */
export function parseIntegerOrBoolean(text: string): number | bigint | boolean {
  if (text === '00' || text === '01') return text === '01';
  return parseInteger(text);
}

/** @throws Refusal where it is no number. */
export function parseFloatLine(text: string): number {
  const named = /^([+-]?)(nan|inf)$/i.exec(text);
  if (named !== null)
    return (named[1] === '-' ? -1 : 1) * (named[2]!.toLowerCase() === 'nan' ? Number.NaN : Infinity);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text))
    throw malformed(`${JSON.stringify(text)} is no number`);
  return Number(text);
}

/** The number under which a value is kept. @throws Refusal where it is none. */
export function parseMemoIndex(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw malformed(`${JSON.stringify(text)} is no number of a value`);
  return Number(text);
}
