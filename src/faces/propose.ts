/** The first look at a picture: where faces may be, large ones by one net and small ones by another. */

import { type AnchorLayout, decodeAnchors, FULL_RANGE, type NetFace, SHORT_RANGE } from './anchors.js';
import type { RgbImage } from './face.js';
import { angleOf } from './face_square.js';
import type { Halves } from './halves.js';
import type { Proposal } from './near_look.js';
import { resize, squareNumbers } from './resize.js';
import type { ModelSession } from './session.js';
import { suppress } from './suppress.js';
import { levelsFor } from './tiles.js';

/**
 * The longer side of the picture in the short-range net's input of 128 pixels: the grey margin around it is what finds faces
 * that fill the frame or are cut by it. On LFW's crops the net's lowest score is 0.75 so, and 0.53 without a margin.
 */
const WIDE_SIDE = 64;

/**
 * Least scores of proposals; what follows them is strict, so low scores cost time only: a photograph has four proposals on
 * average at 0.1 (two at 0.2, and then a quarter of the faces of 2 % are lost), one with a crowd of blurred lights sixty.
 */
const MIN_SCORE = { wide: 0.4, tile: 0.1, largeInTile: 0.3 } as const;

/** From this many pixels of the net's input on, what is a face has a score that says so: see `largeInTile`. */
const LARGE_IN_TILE = 24;

/** No picture, whatever it shows, costs more looks than this: about a second on one thread. */
const MAX_PROPOSALS = 200;

/** Two faces cheek to cheek share less than this. */
export const SAME_FACE = { maxOverlap: 0.3, maxShare: 0.8 } as const;

/**
 * Proposals for the faces of at least `smallestFace` pixels, best first, at most 200. Smaller ones may be among them.
 * @param smallestFace undefined where the wide net alone is to look.
 * @param wide the short-range net, for faces of about a quarter of the longer side and more.
 * @param fine the full-range net, for smaller ones.
 */
export async function proposeFaces(
  { wide, fine }: { readonly wide: ModelSession; readonly fine: ModelSession },
  halves: Halves,
  smallestFace: number | undefined,
): Promise<Proposal[]> {
  const image = halves.picture;
  const levels = smallestFace === undefined ? [] : levelsFor(image.width, image.height, smallestFace);
  const scale = WIDE_SIDE / Math.max(image.width, image.height);
  const sideOf = (side: number): number => Math.max(1, Math.round(side * scale));
  const small = atSize(halves, sideOf(image.width), sideOf(image.height));
  const left = -Math.floor((SHORT_RANGE.side - small.width) / 2);
  const top = -Math.floor((SHORT_RANGE.side - small.height) / 2);
  const found = await lookAtTile(wide, { layout: SHORT_RANGE, image, level: small, left, top });
  for (const { width, height, tiles } of levels) {
    const level = atSize(halves, width, height);
    for (const tile of tiles)
      found.push(...(await lookAtTile(fine, { layout: FULL_RANGE, image, level, ...tile })));
  }
  return suppress(found, SAME_FACE).slice(0, MAX_PROPOSALS);
}

function atSize(halves: Halves, width: number, height: number): RgbImage {
  const { picture } = halves;
  const scale = Math.max(width / picture.width, height / picture.height);
  return resize(halves.at(scale).image, width, height);
}

interface Tile {
  readonly layout: AnchorLayout;
  /** The picture whose pixels proposals are in. */
  readonly image: RgbImage;
  /** The picture at the tile's scale. */
  readonly level: RgbImage;
  readonly left: number;
  readonly top: number;
}

async function lookAtTile(session: ModelSession, tile: Tile): Promise<Proposal[]> {
  const { layout, image, level, left, top } = tile;
  const numbers = squareNumbers(level, left, top, layout.side);
  const [regressors, logits] = (await session.run(numbers)) as [Float32Array, Float32Array];
  const scaleX = image.width / level.width;
  const scaleY = image.height / level.height;
  const minScore = layout === SHORT_RANGE ? MIN_SCORE.wide : MIN_SCORE.tile;
  const isLikely = ({ box, score }: NetFace): boolean =>
    layout === SHORT_RANGE || box.width < LARGE_IN_TILE || score >= MIN_SCORE.largeInTile;
  const faces = decodeAnchors(layout, regressors, logits, minScore).filter(isLikely);
  return faces.map(({ box, points, score }) => ({
    box: {
      left: (box.left + left) * scaleX,
      top: (box.top + top) * scaleY,
      width: box.width * scaleX,
      height: box.height * scaleY,
    },
    angle: angleOf(points[0]!, points[1]!),
    score,
  }));
}
