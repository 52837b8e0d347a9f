/** Damages bytes as disks and networks do, for tests that feed readers with them. */

import type { Random } from './random.js';

/** One to three of: a byte changed, a bit flipped, a stretch removed, repeated, moved in from elsewhere, or an end cut. */
export function mutate(record: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(record);
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 1; times--) {
    const at = random.below(bytes.length);
    const length = 1 + random.below(Math.min(16, bytes.length - at));
    const stretch = bytes.slice(at, at + length);
    const to = random.below(bytes.length);
    switch (random.below(6)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), stretch, bytes.subarray(to)]);
        break;
      case 4:
        bytes.set(stretch.subarray(0, bytes.length - to), to);
        break;
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}
