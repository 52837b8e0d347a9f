/** Reads what the two face detection nets give: 16 numbers and a logit an anchor become boxes and points in pixels. */

import type { PixelBox, Point } from './face.js';

/** A square grid of anchors, all of them at the centres of the cells. */
interface AnchorGrid {
  /** Pixels of the net's input from one cell to the next. */
  readonly stride: number;
  /** Anchors at each cell's centre. */
  readonly perCell: number;
}

/** Where a net's anchors are, in the order of its outputs: grid after grid, row after row. */
export interface AnchorLayout {
  /** Side of the net's square input in pixels. */
  readonly side: number;
  readonly grids: readonly AnchorGrid[];
}

/**
 * The layouts of MediaPipe's two models, from the anchor options (`SsdAnchorsCalculator`) in the graphs that Google
 * publishes with them: strides of 8 and thrice 16 with two anchors each, and one grid of stride 4 with one anchor.
 * The anchors have no sizes of their own: the nets give sizes in pixels.
 */
export const SHORT_RANGE: AnchorLayout = {
  side: 128,
  grids: [
    { stride: 8, perCell: 2 },
    { stride: 16, perCell: 6 },
  ],
};
export const FULL_RANGE: AnchorLayout = { side: 192, grids: [{ stride: 4, perCell: 1 }] };

/** A face as a net sees it, in pixels of the net's input. */
export interface NetFace {
  readonly box: PixelBox;
  /** The left eye, the right eye (as seen in the picture), the nose's tip, the middle of the mouth, two ears. */
  readonly points: readonly Point[];
  /** 0 … 1. */
  readonly score: number;
}

/** Numbers an anchor: centre, size and six points. */
const NUMBERS = 16;

/**
 * The faces whose score is at least `minScore`, one or more anchors each, in the order of the anchors.
 * @param regressors x, y of the centre, width, height, then x, y of six points, all relative to the anchor, an anchor
 *   after the other.
 * @param logits one an anchor.
 * @throws RangeError where the numbers aren't those of the layout.
 */
export function decodeAnchors(
  layout: AnchorLayout,
  regressors: Float32Array,
  logits: Float32Array,
  minScore: number,
): NetFace[] {
  const centres = anchorCentres(layout);
  if (logits.length * 2 !== centres.length || regressors.length !== logits.length * NUMBERS)
    throw new RangeError(
      `${regressors.length} and ${logits.length} numbers for ${centres.length / 2} anchors`,
    );
  // Comparing logits saves an exponential an anchor.
  const minLogit = Math.log(minScore / (1 - minScore));
  const faces: NetFace[] = [];
  logits.forEach((logit, anchor) => {
    if (!(logit >= minLogit)) return;
    const number = (i: number): number => regressors[anchor * NUMBERS + i] as number;
    const anchorX = centres[anchor * 2] as number;
    const anchorY = centres[anchor * 2 + 1] as number;
    const width = number(2);
    const height = number(3);
    // A net that was shown nonsense may answer with it.
    const isNumber = regressors.subarray(anchor * NUMBERS, (anchor + 1) * NUMBERS).every(Number.isFinite);
    if (!(width > 0 && height > 0 && isNumber)) return;
    faces.push({
      box: {
        left: anchorX + number(0) - width / 2,
        top: anchorY + number(1) - height / 2,
        width,
        height,
      },
      // The box is counted from the picture's corner, points from the top-left pixel's centre.
      points: [4, 6, 8, 10, 12, 14].map((i) => ({
        x: anchorX + number(i) - 0.5,
        y: anchorY + number(i + 1) - 0.5,
      })),
      score: sigmoid(logit),
    });
  });
  return faces;
}

/** x and y of each anchor's centre, in pixels from the top-left corner of the net's input. */
export function anchorCentres({ side, grids }: AnchorLayout): Float32Array {
  const centres: number[] = [];
  for (const { stride, perCell } of grids) {
    const cells = Math.ceil(side / stride);
    for (let row = 0; row < cells; row++)
      for (let column = 0; column < cells; column++)
        for (let i = 0; i < perCell; i++) centres.push((column + 0.5) * stride, (row + 0.5) * stride);
  }
  return Float32Array.from(centres);
}

/** The probability whose logit is given. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
