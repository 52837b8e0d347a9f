/** Which image format some bytes begin like: servers and file names lie about it, the first bytes rarely do. */

/** Formats that are told apart. `heic` is HEIF with any codec but AV1. */
export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'heic' | 'tiff' | 'bmp' | 'jxl';

/**
 * The format by magic number, undefined for anything else. 32 bytes are enough for all but HEIF files that name their
 * codec late in the list of compatible brands. Numbers: JFIF, PNG (RFC 2083), GIF89a, the WebP container specification,
 * ISO/IEC 14496-12 `ftyp` with the brands of ISO/IEC 23008-12 and AV1 Image File Format, TIFF 6.0 and BigTIFF,
 * Microsoft's BITMAPFILEHEADER, ISO/IEC 18181-2.
 */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (ascii(bytes, 0, 6) === 'GIF87a' || ascii(bytes, 0, 6) === 'GIF89a') return 'gif';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (ascii(bytes, 4, 8) === 'ftyp') return heifFormat(bytes);
  if (isTiff(bytes)) return 'tiff';
  if (isBitmap(bytes)) return 'bmp';
  if (startsWith(bytes, [0xff, 0x0a]) || (ascii(bytes, 4, 8) === 'JXL ' && bytes[3] === 12)) return 'jxl';
  return undefined;
}

const AV1_BRANDS = new Set(['avif', 'avis']);
const HEIF_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1']);

/** The major brand may be the general `mif1`; then the compatible brands say which codec it is. */
function heifFormat(bytes: Uint8Array): 'avif' | 'heic' | undefined {
  const boxBytes = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  const brands = [ascii(bytes, 8, 12)];
  for (let offset = 16; offset + 4 <= Math.min(boxBytes, bytes.length); offset += 4)
    brands.push(ascii(bytes, offset, offset + 4));
  if (brands.some((brand) => AV1_BRANDS.has(brand))) return 'avif';
  return brands.some((brand) => HEIF_BRANDS.has(brand)) ? 'heic' : undefined;
}

function isTiff(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  return (
    (a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) ||
    (a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43))
  );
}

/** “BM” alone begins many a text: the reserved zeros and a known size of the next header must follow. */
function isBitmap(bytes: Uint8Array): boolean {
  const headerBytes = bytes[14] ?? 0;
  return (
    ascii(bytes, 0, 2) === 'BM' &&
    startsWith(bytes.subarray(6), [0, 0, 0, 0]) &&
    [12, 16, 40, 52, 56, 64, 108, 124].includes(headerBytes)
  );
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < Math.min(to, bytes.length); i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}
