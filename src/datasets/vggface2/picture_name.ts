/** Names of VGGFace2's pictures as numbers: millions of them must be held, sorted and compared in little memory. */

/** Together 32 bits; the set's own numbers have four and two digits. */
const MAX_PHOTOGRAPH = 2 ** 22 - 1;
const MAX_FACE = 2 ** 10 - 1;

/** An id as the set writes it, e.g. `n000001`. */
export function identityId(identity: number): string {
  return `n${String(identity).padStart(6, '0')}`;
}

/** The number of an id; undefined for another text. */
export function identityNumber(id: string): number | undefined {
  return id.length === 7 && id.charCodeAt(0) === 0x6e ? digits(id, 1, 7) : undefined;
}

/**
 * `n000001/0012_03.jpg` is identity 1, photograph 12, face 3; two faces of one number are from the same photograph.
 * Gives a number below 2⁵² that stands for the name and sorts as identity, photograph, face; undefined for a name that the
 * set's own pattern does not give back letter by letter (another extension, other padding). With or without `.jpg`.
 */
export function pictureKey(name: string): number | undefined {
  const end = name.endsWith('.jpg') ? name.length - 4 : name.length;
  // n000001/0001_01
  if (end < 15 || name.charCodeAt(0) !== 0x6e || name.charCodeAt(7) !== 0x2f) return undefined;
  const underscore = name.charCodeAt(12) === 0x5f ? 12 : name.indexOf('_', 13);
  if (underscore < 0) return undefined;
  const identity = digits(name, 1, 7);
  const photograph = paddedNumber(name, 8, underscore, 4);
  const face = paddedNumber(name, underscore + 1, end, 2);
  if (identity === undefined || photograph === undefined || face === undefined) return undefined;
  return photograph > MAX_PHOTOGRAPH || face > MAX_FACE
    ? undefined
    : identity * 2 ** 32 + photograph * 2 ** 10 + face;
}

/** The file's name below its identity's folder, of the lower 32 bits of a key: `0012_03.jpg`. */
export function fileName(code: number): string {
  return `${String(code >>> 10).padStart(4, '0')}_${String(code & MAX_FACE).padStart(2, '0')}.jpg`;
}

/** Decimal digits of exactly this place; undefined where another character is among them. */
function digits(text: string, from: number, to: number): number | undefined {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** As `digits`, with exactly `width` of them or more without a leading zero (at most eight). */
function paddedNumber(text: string, from: number, to: number, width: number): number | undefined {
  const length = to - from;
  if (length < width || length > 8 || (length > width && text.charCodeAt(from) === 0x30)) return undefined;
  return digits(text, from, to);
}
