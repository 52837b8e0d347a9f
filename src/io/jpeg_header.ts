/** Reads what a JPEG's header says of its picture, in microseconds and without a decoder. */

/** Size, components and EXIF orientation. */
export interface JpegHeader {
  /** Pixels, as stored: before the orientation is applied. */
  readonly width: number;
  readonly height: number;
  /** Bits a sample, 8 in nearly every file. */
  readonly precision: number;
  /** 1 grey, 3 colour, 4 CMYK or YCCK. */
  readonly components: number;
  /** 1 to 8 (EXIF 2.3, tag 0x0112); 1 where there is none. */
  readonly orientation: number;
  /** Whether colours are described by an ICC profile. */
  readonly hasProfile: boolean;
  /** Whether Adobe's marker tells how components are to be read. */
  readonly hasAdobeMarker: boolean;
}

/**
 * The header of a JPEG (ITU-T T.81, annex B), up to its first frame. Undefined where the bytes are no JPEG, or so
 * unusual that a decoder should be asked: the caller then asks one.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  let orientation = 1;
  let hasProfile = false;
  let hasAdobeMarker = false;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] as number;
    // A marker may be filled up with 0xff in front.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = uint16(bytes, at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) return undefined;
    if (isFrame(marker)) {
      if (length < 8) return undefined;
      return {
        precision: bytes[at + 4] as number,
        height: uint16(bytes, at + 5),
        width: uint16(bytes, at + 7),
        components: bytes[at + 9] as number,
        orientation,
        hasProfile,
        hasAdobeMarker,
      };
    }
    if (marker === 0xe1 && hasText(bytes, at + 4, 'Exif\0\0'))
      orientation = exifOrientation(bytes.subarray(at + 10, end)) ?? 1;
    if (marker === 0xe2 && hasText(bytes, at + 4, 'ICC_PROFILE\0')) hasProfile = true;
    if (marker === 0xee && hasText(bytes, at + 4, 'Adobe')) hasAdobeMarker = true;
    at = end;
  }
  return undefined;
}

/** SOF0 to SOF15, without DHT, JPG and DAC, which stand among them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Tag 0x0112 of the first directory of a TIFF structure (TIFF 6.0). */
function exifOrientation(tiff: Uint8Array): number | undefined {
  const isLittle = hasText(tiff, 0, 'II*\0');
  if (!isLittle && !hasText(tiff, 0, 'MM\0*')) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return undefined;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return undefined;
  const entries = view.getUint16(directory, isLittle);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12;
    if (at + 12 > tiff.length) return undefined;
    if (view.getUint16(at, isLittle) !== 0x0112) continue;
    const value = view.getUint16(at + 8, isLittle);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
