/** The second opinion: a proposed face is enlarged to the size that a net knows best, and looked at alone. */

import { apply } from './align.js';
import { decodeAnchors, type NetFace, SHORT_RANGE } from './anchors.js';
import type { PixelBox, Point } from './face.js';
import { angleOf, viewSquare } from './face_square.js';
import type { Halves } from './halves.js';
import type { ModelSession } from './session.js';

/** A face that may be one, in pixels of the picture. */
export interface Proposal {
  readonly box: PixelBox;
  /** By how much the face is turned clockwise, in radians. */
  readonly angle: number;
  /** 0 … 1. */
  readonly score: number;
}

/** The face's box takes 128 ⁄ 2.7 = 47 pixels of the net's input: from 24 to 64 its scores are highest on dlib's faces. */
const SURROUNDINGS = 2.7;

/** What the net finds farther from the middle than half the box is another face. */
const MAX_SHIFT = 0.5;

/**
 * The proposal as the short-range net sees it from near; undefined where it sees no face there with at least `minScore`. True
 * faces of the photographs that this was tried on score 0.63 and more but for two in 480; most of what is no face less than 0.5.
 */
export async function lookNear(
  session: ModelSession,
  picture: Halves,
  { box, angle }: Proposal,
  minScore: number,
): Promise<Proposal | undefined> {
  const { side } = SHORT_RANGE;
  const centre = { x: box.left + box.width / 2 - 0.5, y: box.top + box.height / 2 - 0.5 };
  const square = { centre, side: Math.max(box.width, box.height) * SURROUNDINGS, angle };
  const { numbers, toPicture } = viewSquare(picture, square, side, -1);
  const [regressors, logits] = (await session.run(numbers)) as [Float32Array, Float32Array];
  let best: NetFace | undefined;
  for (const face of decodeAnchors(SHORT_RANGE, regressors, logits, minScore)) {
    const x = face.box.left + face.box.width / 2 - side / 2;
    const y = face.box.top + face.box.height / 2 - side / 2;
    const isHere = Math.hypot(x, y) < (side / SURROUNDINGS) * MAX_SHIFT;
    if (isHere && (best === undefined || face.score > best.score)) best = face;
  }
  if (best === undefined) return undefined;
  const scale = square.side / side;
  const middle = apply(toPicture, {
    x: best.box.left + best.box.width / 2 - 0.5,
    y: best.box.top + best.box.height / 2 - 0.5,
  });
  const width = best.box.width * scale;
  const height = best.box.height * scale;
  const [leftEye, rightEye] = best.points.map((point) => apply(toPicture, point)) as [Point, Point];
  return {
    box: { left: middle.x + 0.5 - width / 2, top: middle.y + 0.5 - height / 2, width, height },
    angle: angleOf(leftEye, rightEye),
    score: best.score,
  };
}
