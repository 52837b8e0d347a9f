/** How the face in an annotated box becomes a square picture of one size: box to pixels, decode, resize, encode. */

import sharp, { type Sharp } from 'sharp';
import { encodePicture, type PictureEncoding } from './encode_picture.js';
import type { PixelBox } from './face.js';
import { lookAt, openPicture, type PictureFailure, pictureFailure, uprightPicture } from './open_picture.js';

/** A face's box as fractions of the upright picture's width (left, right) and height (top, bottom), 0 to 1. */
export interface FractionBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A square of whole pixels inside a picture. */
export interface PixelSquare {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** How faces are cropped. */
export interface CropSpec extends PictureEncoding {
  /** Side of the crop in pixels. */
  readonly size: number;
  /** By how much the box is grown before cropping, as a fraction of its longer side: 0.15 makes it 15 % longer. */
  readonly margin: number;
  /** A box whose longer side is shorter than this many pixels is refused: enlarging it would invent detail. */
  readonly minFacePixels: number;
  /** Pictures of more pixels are refused before they are decoded. */
  readonly maxPixels: number;
}

/** Ways in which a crop can fail. */
export type CropFailure = PictureFailure | 'face-too-small' | 'bad-box';

export interface FailedCrop {
  readonly ok: false;
  readonly failure: CropFailure;
  readonly detail: string;
}

export type CropOutcome = { readonly ok: true; readonly bytes: Uint8Array } | FailedCrop;

export const DEFAULT_CROP: CropSpec = {
  size: 128,
  margin: 0.15,
  encoding: 'jpeg',
  quality: 92,
  minFacePixels: 16,
  // A 48-megapixel camera's picture still fits; decoded at three bytes a pixel it is 150 MB for a moment.
  maxPixels: 50_000_000,
};

/**
 * Crops faces from one picture: EXIF orientation applied, first frame of an animation, any colour space to 8-bit sRGB,
 * transparency on white. `box` undefined means the largest centred square of the whole picture. Outcomes come in the
 * order of `boxes`; one bad box does not harm the others, and a face's bytes do not depend on which other faces are
 * asked for. Never throws for what a picture holds.
 */
export async function cropFaces(
  picture: Uint8Array,
  boxes: readonly (FractionBox | PixelBox | undefined)[],
  spec: CropSpec = DEFAULT_CROP,
): Promise<CropOutcome[]> {
  const look = await lookAt(picture, spec.maxPixels);
  if ('failure' in look) return boxes.map(() => ({ ok: false, ...look }));
  const { width, height } = look;
  if (Math.min(width, height) < spec.minFacePixels) {
    const failure = fail('face-too-small', `the picture has ${width} × ${height} pixels`);
    return boxes.map(() => failure);
  }
  const squares = boxes.map((box) =>
    box === undefined ? WHOLE : squareOf(fractionBox(box, width, height), width, height, spec),
  );
  const wanted = squares.filter((square) => 'side' in square);
  const region = wanted.length > 1 && look.isPlain ? regionAround(wanted) : undefined;
  const decoded = region === undefined ? undefined : await decodeRegion(picture, region, spec);
  const source = (): Sharp =>
    look.isPlain ? openPicture(picture, spec.maxPixels) : uprightPicture(picture, spec.maxPixels);
  const cropOne = (square: (typeof squares)[number]): CropOutcome | Promise<CropOutcome> => {
    if ('failure' in square) return square;
    if (!('side' in square)) return encode(source(), 'cover', spec);
    const { side, left, top } = square;
    return region === undefined || decoded === undefined
      ? encode(source().extract({ left, top, width: side, height: side }), 'fill', spec)
      : encode(
          decoded().extract({ left: left - region.left, top: top - region.top, width: side, height: side }),
          'fill',
          spec,
        );
  };
  // One after the other: a large picture's decoder may need hundreds of megabytes, and other workers are busy meanwhile.
  const outcomes: CropOutcome[] = [];
  for (const square of squares) outcomes.push(await cropOne(square));
  return outcomes;
}

/** No box: the decoder may then shrink while it decodes, which an extracted square forbids it. */
const WHOLE = { isWhole: true } as const;

/** Larger regions are decoded once a face, so that no more than 24 MB of pixels are held for one picture. */
const MAX_REGION_PIXELS = 8_000_000;

interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest rectangle that holds all squares; undefined where it is too large to be held in memory. */
function regionAround(squares: readonly PixelSquare[]): Region | undefined {
  const left = Math.min(...squares.map((square) => square.left));
  const top = Math.min(...squares.map((square) => square.top));
  const width = Math.max(...squares.map((square) => square.left + square.side)) - left;
  const height = Math.max(...squares.map((square) => square.top + square.side)) - top;
  return width * height <= MAX_REGION_PIXELS ? { left, top, width, height } : undefined;
}

/**
 * A region's pixels, to be cropped any number of times: most of a crop's time is the decoder's. Undefined where the region
 * can't be decoded whole, though some face in it still might be.
 */
async function decodeRegion(
  picture: Uint8Array,
  region: Region,
  spec: CropSpec,
): Promise<(() => Sharp) | undefined> {
  try {
    const { data, info } = await openPicture(picture, spec.maxPixels)
      .extract(region)
      .raw()
      .toBuffer({ resolveWithObject: true });
    return () => sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } });
  } catch {
    return undefined;
  }
}

/**
 * The square around a box, in pixels of a `width` × `height` picture: the longer side of the box, grown by `margin`,
 * no longer than the picture's shorter side, centred on the box and pushed inside the picture. Nothing is stretched or
 * padded. Undefined where the box is empty, not finite or outside the picture.
 */
export function squareAround(
  box: FractionBox,
  width: number,
  height: number,
  margin: number,
): PixelSquare | undefined {
  const left = Math.max(0, box.left) * width;
  const right = Math.min(1, box.right) * width;
  const top = Math.max(0, box.top) * height;
  const bottom = Math.min(1, box.bottom) * height;
  if (!(right > left && bottom > top)) return undefined;
  const longer = Math.max(right - left, bottom - top) * (1 + margin);
  const side = Math.max(1, Math.min(Math.round(longer), width, height));
  const within = (centre: number, extent: number): number =>
    Math.max(0, Math.min(Math.round(centre - side / 2), extent - side));
  return { left: within((left + right) / 2, width), top: within((top + bottom) / 2, height), side };
}

/** A box as fractions of a `width` × `height` picture, however it was given. */
export function fractionBox(box: FractionBox | PixelBox, width: number, height: number): FractionBox {
  if ('right' in box) return box;
  return {
    left: box.left / width,
    top: box.top / height,
    right: (box.left + box.width) / width,
    bottom: (box.top + box.height) / height,
  };
}

/** A box in pixels of a `width` × `height` picture, however it was given. */
export function pixelBox(box: FractionBox | PixelBox, width: number, height: number): PixelBox {
  if ('width' in box) return box;
  return {
    left: box.left * width,
    top: box.top * height,
    width: (box.right - box.left) * width,
    height: (box.bottom - box.top) * height,
  };
}

function squareOf(box: FractionBox, width: number, height: number, spec: CropSpec): PixelSquare | FailedCrop {
  const square = squareAround(box, width, height, spec.margin);
  if (square === undefined)
    return fail('bad-box', `box ${JSON.stringify(box)} in ${width} × ${height} pixels`);
  const longer = Math.max((box.right - box.left) * width, (box.bottom - box.top) * height);
  return longer < spec.minFacePixels
    ? fail('face-too-small', `${Math.round(longer)} pixels, at least ${spec.minFacePixels} wanted`)
    : square;
}

async function encode(source: Sharp, fit: 'fill' | 'cover', spec: CropSpec): Promise<CropOutcome> {
  try {
    const square = source
      // Shrinking to the last bit while decoding is a tenth faster and costs five decibels.
      .resize(spec.size, spec.size, { fit, fastShrinkOnLoad: false })
      .toColourspace('srgb');
    return { ok: true, bytes: await encodePicture(square, spec) };
  } catch (error) {
    return { ok: false, ...pictureFailure(error) };
  }
}

function fail(failure: CropFailure, detail: string): FailedCrop {
  return { ok: false, failure, detail };
}
