/** Which squares of a picture the net that finds small faces is shown, and at what scale. */

import { FULL_RANGE } from './anchors.js';

/** The whole picture at one scale, and the squares of the net's side that cover it there. */
export interface Level {
  /** Pixels of the whole picture at this scale. */
  readonly width: number;
  readonly height: number;
  /** Left top corners of the squares, in pixels at this scale; negative where the picture is narrower than the square. */
  readonly tiles: readonly { readonly left: number; readonly top: number }[];
}

/** Side of a tile: the net's input. */
const SIDE = FULL_RANGE.side;

/** Neighbouring tiles share a quarter, so that a face too small to be found a level before is whole in one of them. */
const OVERLAP = SIDE / 4;

/**
 * The smallest face that is proposed nearly always (17 in 18 of dlib's photographs at a score of 0.2), in pixels of the net's
 * input, forehead to chin; it takes 12 to be sure of it.
 */
const SMALLEST_SEEN = 8;

/** At most this many times the tile's side along the longer side: 3 × 3 tiles of a square picture. */
const MAX_TILES_ACROSS = 3;

/**
 * One level on which the whole picture is one tile, and where smaller faces are wanted a second one, of at most 3 × 3 tiles. The
 * second level sees faces down to 8 ⁄ 480 = 1.7 % of the longer side, the first down to 4.2 %.
 * @param smallestFace side in pixels of the picture.
 * @throws RangeError where a side isn't positive.
 */
export function levelsFor(width: number, height: number, smallestFace: number): Level[] {
  if (!(width > 0 && height > 0)) throw new RangeError(`no picture has ${width} × ${height} pixels`);
  const longer = Math.max(width, height);
  const wanted = (longer * SMALLEST_SEEN) / Math.max(smallestFace, 1);
  const level = (across: number): Level => {
    const scale = (SIDE + (across - 1) * (SIDE - OVERLAP)) / longer;
    const scaled = (side: number): number => Math.max(1, Math.round(side * scale));
    const [scaledWidth, scaledHeight] = [scaled(width), scaled(height)];
    const tiles = starts(scaledHeight).flatMap((top) => starts(scaledWidth).map((left) => ({ left, top })));
    return { width: scaledWidth, height: scaledHeight, tiles };
  };
  // A tenth short of the wanted size is no reason for four times the work.
  const across = Math.ceil((wanted * 0.9 - OVERLAP) / (SIDE - OVERLAP));
  return across <= 1 ? [level(1)] : [level(1), level(Math.min(across, MAX_TILES_ACROSS))];
}

/** Where tiles begin along an axis of `extent` pixels: evenly, and as few as overlap enough. */
function starts(extent: number): number[] {
  if (extent <= SIDE) return [-Math.floor((SIDE - extent) / 2)];
  const count = Math.ceil((extent - OVERLAP) / (SIDE - OVERLAP));
  return Array.from({ length: count }, (_, i) => Math.round((i * (extent - SIDE)) / (count - 1)));
}
