/** Finds which bytes before a place in deflate data the data after it copy, and keeps those alone: most of a JPEG is never copied. */

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { startOfDeflate, WINDOW_BYTES } from './deflate_start.js';
import type { RawInflater } from './raw_inflate.js';

/** A place between two blocks, with what is known there. */
export interface BlockStart {
  /** The bytes before the place, up to 32 KiB of them. */
  readonly window: Uint8Array;
  /** What comes after it when inflated: 32 KiB, or up to the end of the deflate data. */
  readonly following: Uint8Array;
  /** Deflate data from the byte before the place on: more than `following` takes. */
  readonly data: Uint8Array;
}

/** How many bits of the byte before a place are not used yet, 0 to 7, and the window that is needed to go on from it. */
export interface ResolvedStart {
  readonly bits: number;
  readonly window: Uint8Array;
}

/**
 * Tries the eight bits at which the next block may begin, each twice: after a window that holds the low halves of its
 * positions and after one with the high halves. Where the two agree the data said the byte themselves; where they
 * differ they tell which byte was copied. One of the eight gives what really follows. Matches reach back 32 KiB at
 * most, so what the first 32 KiB do not copy nothing after them can copy either.
 *
 * Undefined where none of the eight does, as happens in data made of thousands of empty blocks.
 */
export function resolveStart(prober: RawInflater, place: BlockStart): ResolvedStart | undefined {
  for (let bits = 0; bits < 8; bits++) {
    if (!mayBeBlock(place.data, bits)) continue;
    if (!probe(prober, place, { bits, window: POSITION_LOW }, OUTPUT_LOW)) continue;
    if (!probe(prober, place, { bits, window: POSITION_HIGH }, OUTPUT_HIGH)) continue;
    const needed = copiedBytes(place);
    if (needed !== undefined) return { bits, window: needed };
  }
  return undefined;
}

/** The window in a form that is short where it is mostly zeros. */
export function packWindow(window: Uint8Array): Uint8Array {
  return window.length === 0 ? window : deflateRawSync(window, { level: PACK_LEVEL });
}

/** The reverse. @throws Error where the bytes are not what `packWindow` gave. */
export function unpackWindow(packed: Uint8Array): Uint8Array {
  return packed.length === 0 ? packed : inflateRawSync(packed, { maxOutputLength: WINDOW_BYTES });
}

/** Higher ones gain nothing on bytes that are few and far between. */
const PACK_LEVEL = 3;

/** Every position of a window, split over two. */
const POSITION_LOW = Uint8Array.from({ length: WINDOW_BYTES }, (_, at) => at & 0xff);
const POSITION_HIGH = Uint8Array.from({ length: WINDOW_BYTES }, (_, at) => at >> 8);

/** Scratch of the two probes: they are synchronous, and 64 KiB each time would be thrown away ten times a place. */
const OUTPUT_LOW = new Uint8Array(2 * WINDOW_BYTES);
const OUTPUT_HIGH = new Uint8Array(2 * WINDOW_BYTES);

/** A look at the first bits of a block, which saves most of the tries (RFC 1951, sections 3.2.3, 3.2.4 and 3.2.7). */
function mayBeBlock(data: Uint8Array, bits: number): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = data;
  const ahead = (((fourth << 24) | (third << 16) | (second << 8) | first) >>> (8 - bits)) >>> 0;
  const type = (ahead >> 1) & 3;
  if (type !== 2) return type !== 3;
  return ((ahead >> 3) & 31) <= MAX_HLIT && ((ahead >> 8) & 31) <= MAX_HDIST;
}

/** 286 literal and length codes, 30 distance codes, less the 257 and the 1 that there are always. */
const MAX_HLIT = 29;
const MAX_HDIST = 29;

/** Whether something follows the place if it begins at these bits; with a made-up window before it, which `output` gets too. */
function probe(
  prober: RawInflater,
  { window: { length }, following, data }: BlockStart,
  { bits, window }: ResolvedStart,
  output: Uint8Array,
): boolean {
  const start = startOfDeflate(window.subarray(0, length), bits, data[0] as number);
  const end = length + following.length;
  prober.reset();
  try {
    let written = 0;
    for (const [bytes, from] of [
      [start, 0],
      [data, 1],
    ] as const) {
      const input = { bytes, start: from, end: bytes.length };
      const range = { bytes: output, start: written, end };
      written += prober.step({ input, output: range, stop: 'only at the end' }).produced;
    }
    return written === end;
  } catch {
    return false;
  }
}

/** The window with zeros where nothing is copied from; undefined where the probes do not give `following`. */
function copiedBytes({ window, following }: BlockStart): Uint8Array | undefined {
  const needed = new Uint8Array(window.length);
  // A copy from a position whose halves are the byte itself looks like a literal: such bytes are kept in any case.
  for (let byte = 0; byte < WINDOW_BYTES / 256; byte++) {
    const position = (byte << 8) | byte;
    if (window[position] === byte) needed[position] = byte;
  }
  const from = window.length;
  for (let i = 0; i < following.length; i++) {
    const byte = following[i] as number;
    const low = OUTPUT_LOW[from + i] as number;
    const high = OUTPUT_HIGH[from + i] as number;
    if (low === byte && high === byte) continue;
    const position = (high << 8) | low;
    if (window[position] !== byte) return undefined;
    needed[position] = byte;
  }
  return needed;
}
