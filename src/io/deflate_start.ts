/** Starts inflating in the middle of deflate data: deflate blocks that bring zlib into the state it had there. */

/** How far back a match may reach (RFC 1951, section 3.2.5). */
export const WINDOW_BYTES = 32 * 1024;

/**
 * Deflate data that stand for everything before a place: they give `window` (at most 32 KiB), and end at the same bit
 * of a byte as the place. `bits` of the byte before `rest` are not used yet, 0 to 7; that byte is `partial`. Feed the
 * result, then the bytes after `partial`; the window comes out first.
 */
export function startOfDeflate(window: Uint8Array, bits: number, partial: number): Uint8Array {
  const filler = FILLERS[bits === 0 ? 0 : 8 - bits] as Filler;
  const stored = window.length === 0 ? 0 : STORED_HEAD_BYTES + window.length;
  const start = new Uint8Array(stored + filler.whole.length + (bits === 0 ? 0 : 1));
  if (stored > 0) {
    // A stored block that is not the last: three zero bits, the rest of the byte, LEN and its complement (3.2.4).
    start[1] = window.length & 0xff;
    start[2] = window.length >> 8;
    start[3] = ~window.length & 0xff;
    start[4] = (~window.length >> 8) & 0xff;
    start.set(window, STORED_HEAD_BYTES);
  }
  start.set(filler.whole, stored);
  if (bits > 0) start[start.length - 1] = filler.tail | (partial & (0xff << (8 - bits)));
  return start;
}

const STORED_HEAD_BYTES = 5;

/** Blocks that hold nothing: whole bytes, and the bits of the byte that they begin and the data end. */
interface Filler {
  readonly whole: Uint8Array;
  readonly tail: number;
}

/** Not the last, type 1, and the code of the end of the block: ten bits, least significant first (RFC 1951, 3.2.6). */
const EMPTY_FIXED_BLOCK = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0] as const;

/** By the number of bits in the last byte, 0 to 7. */
const FILLERS: readonly Filler[] = Array.from({ length: 8 }, (_, bits) => {
  const stream: number[] = [];
  if (bits % 2 === 1) stream.push(...emptyDynamicBlock());
  while (stream.length % 8 !== bits) stream.push(...EMPTY_FIXED_BLOCK);
  return packed(stream);
});

/** Ninety-three bits, which is odd: an even number of bits is all that fixed blocks add up to (RFC 1951, 3.2.7). */
function emptyDynamicBlock(): number[] {
  const number = (value: number, bits: number): number[] =>
    Array.from({ length: bits }, (_, bit) => (value >> bit) & 1);
  // Of the nineteen code lengths, in the order of the format, 18 (many zeros) and 1 get codes of one bit: 1 and 0.
  const codeLengths = Array.from({ length: 19 }, (_, at) => number(at === 2 || at === 17 ? 1 : 0, 3)).flat();
  const zeros = (count: number): number[] => [1, ...number(count - 11, 7)];
  return [
    ...[0, ...number(2, 2), ...number(0, 5), ...number(0, 5), ...number(15, 4), ...codeLengths],
    // 256 literals that do not occur, the end of the block and one distance with codes of one bit; then the end itself.
    ...[...zeros(138), ...zeros(118), 0, 0, 0],
  ];
}

function packed(stream: readonly number[]): Filler {
  const bytes = new Uint8Array(Math.ceil(stream.length / 8));
  stream.forEach((bit, at) => {
    bytes[at >> 3] = (bytes[at >> 3] as number) | (bit << (at & 7));
  });
  const whole = bytes.subarray(0, stream.length >> 3);
  return { whole, tail: stream.length % 8 === 0 ? 0 : (bytes[bytes.length - 1] as number) };
}
