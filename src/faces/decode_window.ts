/** Decodes the part of a picture in which a face is looked for, no larger than it needs to be. */

import type { Similarity } from './align.js';
import type { PixelBox, Point, RgbImage } from './face.js';
import {
  type FailedPicture,
  openPicture,
  type PictureLook,
  pictureFailure,
  uprightPicture,
} from './open_picture.js';

/** A part of an upright picture, perhaps shrunk. */
export interface PictureWindow {
  readonly image: RgbImage;
  /** Pixels of the image for a pixel of the picture, at most 1. */
  readonly scale: number;
  /** The picture's pixel in which the image's left top corner lies. */
  readonly left: number;
  readonly top: number;
}

/** A rectangle of whole pixels inside a picture. */
export type PixelWindow = PixelBox;

/** The whole picture as a window. */
export function wholeWindow({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): PixelWindow {
  return { left: 0, top: 0, width, height };
}

/**
 * Decodes a window, upright, as 8-bit sRGB on white, shrunk so that it has at most `maxWindowPixels`.
 */
export async function decodeWindow(
  picture: Uint8Array,
  look: PictureLook,
  window: PixelWindow,
  limits: { readonly maxPixels: number; readonly maxWindowPixels: number },
): Promise<PictureWindow | FailedPicture> {
  const { left, top, width, height } = window;
  const isWhole = left === 0 && top === 0 && width === look.width && height === look.height;
  const scale = Math.min(1, Math.sqrt(limits.maxWindowPixels / (width * height)));
  let pipeline = look.isPlain
    ? openPicture(picture, limits.maxPixels)
    : uprightPicture(picture, limits.maxPixels);
  if (!isWhole) pipeline = pipeline.extract({ left, top, width, height });
  if (scale < 1)
    // A strip of one row stays one, however long it is.
    pipeline = pipeline.resize(
      Math.max(1, Math.round(width * scale)),
      Math.max(1, Math.round(height * scale)),
      { fit: 'fill' },
    );
  try {
    const { data, info } = await pipeline
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { image: { width: info.width, height: info.height, data }, scale, left, top };
  } catch (error) {
    return pictureFailure(error);
  }
}

/** Cuts a window out of pixels that are there already; copies. */
export function subImage(image: RgbImage, { left, top, width, height }: PixelWindow): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * image.width + left) * 3;
    data.set(image.data.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, data };
}

/** A point of the picture as a point of the window; pixel centres are at whole numbers in both. */
export function pointInWindow({ x, y }: Point, { scale, left, top }: PictureWindow): Point {
  return { x: (x - left + 0.5) * scale - 0.5, y: (y - top + 0.5) * scale - 0.5 };
}

/** `pointInWindow` as a matrix, to be composed with others. */
export function windowMatrix({ scale, left, top }: PictureWindow): Similarity {
  return { a: scale, b: 0, tx: (0.5 - left) * scale - 0.5, ty: (0.5 - top) * scale - 0.5 };
}

/** The reverse of `pointInWindow`. */
export function pointInPicture({ x, y }: Point, { scale, left, top }: PictureWindow): Point {
  return { x: (x + 0.5) / scale - 0.5 + left, y: (y + 0.5) / scale - 0.5 + top };
}

/** A box of the window as a box of the picture. */
export function boxInPicture(box: PixelBox, { scale, left, top }: PictureWindow): PixelBox {
  return {
    left: box.left / scale + left,
    top: box.top / scale + top,
    width: box.width / scale,
    height: box.height / scale,
  };
}

/** `factor` times as wide and high around the same centre, cut to whole pixels inside the picture; undefined where nothing is left. */
export function windowAround(
  box: PixelBox,
  factor: number,
  picture: { readonly width: number; readonly height: number },
): PixelWindow | undefined {
  const side = Math.max(box.width, box.height) * factor;
  const x = box.left + box.width / 2;
  const y = box.top + box.height / 2;
  const left = Math.max(0, Math.floor(x - side / 2));
  const top = Math.max(0, Math.floor(y - side / 2));
  const right = Math.min(picture.width, Math.ceil(x + side / 2));
  const bottom = Math.min(picture.height, Math.ceil(y + side / 2));
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : undefined;
}
