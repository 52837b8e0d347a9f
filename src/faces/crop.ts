/** How the face in an annotated box becomes a square picture of one size: box to pixels, decode, resize, encode. */

import sharp, { type Sharp } from 'sharp';

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
export interface CropSpec {
  /** Side of the crop in pixels. */
  readonly size: number;
  /** By how much the box is grown before cropping, as a fraction of its longer side: 0.15 makes it 15 % longer. */
  readonly margin: number;
  /** JPEG quality, 1 to 100. */
  readonly quality: number;
  /** A box whose longer side is shorter than this many pixels is refused: enlarging it would invent detail. */
  readonly minFacePixels: number;
  /** Pictures of more pixels are refused before they are decoded. */
  readonly maxPixels: number;
}

/** Ways in which a crop can fail. */
export type CropFailure =
  | 'not-an-image'
  | 'undecodable-image'
  | 'image-too-large'
  | 'face-too-small'
  | 'bad-box';

export type CropOutcome =
  | { readonly ok: true; readonly jpeg: Uint8Array }
  | { readonly ok: false; readonly failure: CropFailure; readonly detail: string };

export const DEFAULT_CROP: CropSpec = {
  size: 128,
  margin: 0.15,
  quality: 92,
  minFacePixels: 16,
  // A 48-megapixel camera's picture still fits; decoded at three bytes a pixel it is 150 MB for a moment.
  maxPixels: 50_000_000,
};

// One libvips thread a picture and several pictures at once is faster than the other way round; a cache of
// operations helps nobody who sees every picture once, and grows.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Crops faces from one picture: EXIF orientation applied, first frame of an animation, any colour space to 8-bit sRGB,
 * transparency on white. `box` undefined means the largest centred square of the whole picture. Outcomes come in the
 * order of `boxes`; one bad box does not harm the others. Never throws for what a picture holds.
 */
export async function cropFaces(
  picture: Uint8Array,
  boxes: readonly (FractionBox | undefined)[],
  spec: CropSpec = DEFAULT_CROP,
): Promise<CropOutcome[]> {
  let width: number;
  let height: number;
  try {
    const metadata = await open(picture, spec).metadata();
    ({ width, height } = metadata.autoOrient);
  } catch (error) {
    const failure = failureOf(error);
    return boxes.map(() => failure);
  }
  if (width * height > spec.maxPixels) {
    const failure = fail('image-too-large', `${width} × ${height} pixels, limit ${spec.maxPixels}`);
    return boxes.map(() => failure);
  }
  return Promise.all(boxes.map((box) => cropOne(picture, box, width, height, spec)));
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

async function cropOne(
  picture: Uint8Array,
  box: FractionBox | undefined,
  width: number,
  height: number,
  spec: CropSpec,
): Promise<CropOutcome> {
  const whole = { left: 0, top: 0, right: 1, bottom: 1 };
  const square = squareAround(box ?? whole, width, height, box === undefined ? 0 : spec.margin);
  if (square === undefined)
    return fail('bad-box', `box ${JSON.stringify(box)} in ${width} × ${height} pixels`);
  const longerPixels =
    box === undefined
      ? square.side
      : Math.max((box.right - box.left) * width, (box.bottom - box.top) * height);
  if (longerPixels < spec.minFacePixels)
    return fail(
      'face-too-small',
      `${Math.round(longerPixels)} pixels, at least ${spec.minFacePixels} wanted`,
    );
  try {
    const jpeg = await open(picture, spec)
      .autoOrient()
      .extract({ left: square.left, top: square.top, width: square.side, height: square.side })
      .flatten({ background: '#ffffff' })
      .resize(spec.size, spec.size, { fit: 'fill' })
      .toColourspace('srgb')
      .jpeg({ quality: spec.quality, optimiseCoding: false })
      .toBuffer();
    return { ok: true, jpeg };
  } catch (error) {
    return failureOf(error);
  }
}

/** Truncated and damaged pictures are errors, harmless warnings (stray bytes before a marker) are not. */
function open(picture: Uint8Array, spec: CropSpec): Sharp {
  return sharp(picture, { failOn: 'error', limitInputPixels: spec.maxPixels, pages: 1 });
}

function fail(failure: CropFailure, detail: string): CropOutcome {
  return { ok: false, failure, detail };
}

/** libvips reports in words alone; these phrases are the ones that tell a bomb and a stranger from a damaged picture. */
function failureOf(error: unknown): CropOutcome {
  const detail = (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
  if (/pixel limit/i.test(detail)) return fail('image-too-large', detail);
  if (/unsupported image format|is empty/i.test(detail)) return fail('not-an-image', detail);
  return fail('undecodable-image', detail);
}
