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

/** Neighbouring tiles share a quarter, so that a face too small to be found on the level before is whole in one of them. */
const OVERLAP = SIDE / 4;
const STEP = SIDE - OVERLAP;

/**
 * The smallest face that the net is counted on to propose, in pixels of its input: at 12 it proposed all of 40 faces in pictures of
 * 4,000 pixels with at least a score of 0.1, at 9.6 it proposed 38, at 7.7 still 34.
 */
const SMALLEST_SEEN = 12;

/** A tenth short of the wanted scale is no reason for four times the work. */
const NEAR_ENOUGH = 0.9;

/** No picture and no wish costs more than this: about a second on one thread. */
const MAX_TILES = 64;

/**
 * One level on which the whole picture is one tile (it surely sees faces of 12 ⁄ 192 = 6 % of the longer side, and mostly of 4 %) and, where
 * smaller faces are wanted, a second one that is as fine as the same number of tiles allows.
 * @param smallestFace side of the smallest face that is looked for, in pixels of the picture.
 * @throws RangeError where a side isn't above 0.
 */
export function levelsFor(width: number, height: number, smallestFace: number): Level[] {
  if (!(width > 0 && height > 0 && smallestFace > 0))
    throw new RangeError(`no picture has ${width} × ${height} pixels, or no face ${smallestFace}`);
  const longer = Math.max(width, height);
  const levelOf = (scale: number): Level => {
    const [scaledWidth, scaledHeight] = [scaled(width, scale), scaled(height, scale)];
    const tiles = starts(scaledHeight).flatMap((top) => starts(scaledWidth).map((left) => ({ left, top })));
    return { width: scaledWidth, height: scaledHeight, tiles };
  };
  const whole = levelOf(SIDE / longer);
  let wanted = (NEAR_ENOUGH * SMALLEST_SEEN) / smallestFace;
  if (wanted * longer <= SIDE) return [whole];
  while (countTiles(width, height, wanted) > MAX_TILES) wanted *= NEAR_ENOUGH;
  const finest = (side: number): number => (SIDE + (tilesAlong(scaled(side, wanted)) - 1) * STEP) / side;
  return [whole, levelOf(Math.min(finest(width), finest(height)))];
}

/**
 * The side of the smallest face that is looked for where nobody says, in pixels: 2 % of the longer side, in a wide strip 4 % of
 * the shorter one, but no less than 58, so that a photograph of up to 1,024 pixels takes one level only. At most 4 × 4
 * tiles follow from it for a picture of ordinary shape, 4 × 3 for one of 4 : 3, and those from about 3,000 pixels on.
 */
export function usualSmallestFace(width: number, height: number): number {
  return Math.max(58, Math.min(0.02 * Math.max(width, height), 0.04 * Math.min(width, height)));
}

function scaled(side: number, scale: number): number {
  return Math.max(1, Math.round(side * scale));
}

function countTiles(width: number, height: number, scale: number): number {
  return tilesAlong(scaled(width, scale)) * tilesAlong(scaled(height, scale));
}

function tilesAlong(extent: number): number {
  return Math.max(1, Math.ceil((extent - OVERLAP) / STEP));
}

/** Where tiles begin along an axis of `extent` pixels: evenly, and as few as overlap enough. */
function starts(extent: number): number[] {
  if (extent <= SIDE) return [-Math.floor((SIDE - extent) / 2)];
  const last = tilesAlong(extent) - 1;
  return Array.from({ length: last + 1 }, (_, i) => Math.round((i * (extent - SIDE)) / last));
}
