/** How the pixels of a crop become the bytes that records hold. */

import type { Sharp } from 'sharp';
import type { ImageEncoding } from '../io/features.js';

export interface PictureEncoding {
  readonly encoding: ImageEncoding;
  /** JPEG quality, 1 to 100; nothing to `png` and `raw`, which keep every pixel as it is. */
  readonly quality: number;
}

/** The picture as a JPEG or PNG file, or its bare pixels: see `ImageEncoding`. */
export function encodePicture(picture: Sharp, { encoding, quality }: PictureEncoding): Promise<Uint8Array> {
  switch (encoding) {
    case 'jpeg':
      return picture.jpeg({ quality, optimiseCoding: false }).toBuffer();
    case 'png':
      // Filtered rows are a third smaller where the picture is a photograph.
      return picture.png({ adaptiveFiltering: true }).toBuffer();
    case 'raw':
      return picture.raw().toBuffer();
  }
}

/** Names the bytes that an encoding gives, for ids of preparations. */
export function encodingId({ encoding, quality }: PictureEncoding): string {
  return encoding === 'jpeg' ? `q${quality}` : encoding;
}
