/** Opening pictures that strangers made: what their header says, how they are decoded upright, and what is refused. */

import sharp, { type Sharp } from 'sharp';
import { sniffImageFormat } from '../io/image_format.js';
import { readJpegHeader } from '../io/jpeg_header.js';

/** Ways in which a picture can be no picture. */
export type PictureFailure = 'not-an-image' | 'undecodable-image' | 'image-too-large';

export interface FailedPicture {
  readonly failure: PictureFailure;
  readonly detail: string;
}

// One libvips thread a picture and several pictures at once is faster than the other way round; a cache of
// operations helps nobody who sees every picture once, and grows.
sharp.concurrency(1);
sharp.cache(false);

/** What a picture's header says. */
export interface PictureLook {
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  /** An upright 8-bit colour JPEG without a profile, as nearly every photograph on the web: nothing to convert. */
  readonly isPlain: boolean;
}

/**
 * Looks at a picture's header; a picture of more than `maxPixels` fails before it is decoded. For JPEGs our own reader is
 * twenty times faster than opening a decoder.
 */
export async function lookAt(picture: Uint8Array, maxPixels: number): Promise<PictureLook | FailedPicture> {
  const look = await readLook(picture, maxPixels);
  if ('failure' in look || look.width * look.height <= maxPixels) return look;
  return {
    failure: 'image-too-large',
    detail: `${look.width} × ${look.height} pixels, limit ${maxPixels}`,
  };
}

async function readLook(picture: Uint8Array, maxPixels: number): Promise<PictureLook | FailedPicture> {
  const header = readJpegHeader(picture);
  if (header !== undefined && header.width > 0 && header.height > 0) {
    const { width, height, orientation, components, precision, hasProfile, hasAdobeMarker } = header;
    const isPlain =
      orientation === 1 && components === 3 && precision === 8 && !hasProfile && !hasAdobeMarker;
    return orientation > 4 ? { width: height, height: width, isPlain } : { width, height, isPlain };
  }
  // Else libvips would draw SVG, too: no photograph, and a few hundred bytes of it can keep a processor busy for minutes.
  if (sniffImageFormat(picture) === undefined)
    return {
      failure: 'not-an-image',
      detail: picture.length === 0 ? 'it is empty' : 'it begins like no photograph',
    };
  try {
    const { autoOrient } = await openPicture(picture, maxPixels).metadata();
    return { ...autoOrient, isPlain: false };
  } catch (error) {
    return pictureFailure(error);
  }
}

/** Any picture, upright, and on white where it is transparent. */
export function uprightPicture(picture: Uint8Array, maxPixels: number): Sharp {
  return openPicture(picture, maxPixels).autoOrient().flatten({ background: '#ffffff' });
}

/** Truncated and damaged pictures are errors, harmless warnings (stray bytes before a marker) are not. */
export function openPicture(picture: Uint8Array, maxPixels: number): Sharp {
  return sharp(picture, { failOn: 'error', limitInputPixels: maxPixels, pages: 1 });
}

/** libvips reports in words alone; these phrases are the ones that tell a bomb and a stranger from a damaged picture. */
export function pictureFailure(error: unknown): FailedPicture {
  const detail = (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
  if (/pixel limit/i.test(detail)) return { failure: 'image-too-large', detail };
  if (/unsupported image format|is empty/i.test(detail)) return { failure: 'not-an-image', detail };
  return { failure: 'undecodable-image', detail };
}
