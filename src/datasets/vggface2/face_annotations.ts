/** Parses the face boxes and landmarks of VGGFace2 (bb_landmark): millions of lines, numbers read straight from bytes. */

import { UserError } from '../../io/errors.js';
import { scanLines } from '../csv_lines.js';
import { MalformedLines, quoted } from '../malformed_lines.js';
import { pictureKey } from './picture_name.js';

/** What a file holds for each picture, as its header names it. */
export const ANNOTATION_COLUMNS = {
  /** Whole pixels of the loose crop; X and Y may be negative, the box may reach beyond the picture. */
  boxes: ['X', 'Y', 'W', 'H'],
  /** Left eye, right eye, nose, left and right corner of the mouth; left as seen in the picture. */
  landmarks: ['P1X', 'P1Y', 'P2X', 'P2Y', 'P3X', 'P3Y', 'P4X', 'P4Y', 'P5X', 'P5Y'],
} as const;

export type AnnotationKind = keyof typeof ANNOTATION_COLUMNS;

export interface AnnotationScan {
  readonly kind: AnnotationKind;
  readonly signal?: AbortSignal;
  /** `values` in the order of the columns; only valid during the call. */
  onRow(key: number, values: Float64Array): void;
}

/** The longest row of ten floats has about 130 bytes. */
const MAX_LINE_BYTES = 1024;
/** Far beyond any picture: a coordinate that is larger is no coordinate. */
const MAX_COORDINATE = 1e6;

/**
 * Reads `loose_bb_*.csv` or `loose_landmark_*.csv`: rows like `"n000001/0001_01",60,60,79,109`, the name quoted or not,
 * with `.jpg` or not; LF or CRLF; with or without the header and a byte-order mark. Lines that don't fit are returned.
 * @throws UserError where the header is that of another file.
 */
export async function readAnnotations(path: string, scan: AnnotationScan): Promise<MalformedLines> {
  const columns = ANNOTATION_COLUMNS[scan.kind];
  const malformed = new MalformedLines(path);
  const values = new Float64Array(columns.length);
  await scanLines(path, {
    maxLineBytes: MAX_LINE_BYTES,
    ...(scan.signal === undefined ? {} : { signal: scan.signal }),
    onLine(bytes, start, end, line) {
      const key = quickRow(bytes, start, end, values);
      if (key !== undefined && isSound(values, scan.kind)) {
        scan.onRow(key, values);
        return;
      }
      const fields = fieldsOf(bytes, start, end);
      if (line === 1 && isHeader(fields, columns, path)) return;
      const slow = end - start > MAX_LINE_BYTES ? 'the line is too long' : slowRow(fields, values, scan.kind);
      if (typeof slow === 'number') scan.onRow(slow, values);
      else malformed.add(line, slow);
    },
  });
  return malformed;
}

/** The row as the published files have it; undefined for everything else, of which `slowRow` then says what it is. */
function quickRow(bytes: Buffer, start: number, end: number, values: Float64Array): number | undefined {
  // "n000001/0001_01", with its quotes at the places 0 and 16.
  if (end - start < 18 || bytes[start] !== 0x22 || bytes[start + 16] !== 0x22) return undefined;
  const key = pictureKey(bytes.toString('latin1', start + 1, start + 16));
  let at = start + 17;
  for (let column = 0; column < values.length; column++) {
    if (bytes[at] !== 0x2c) return undefined;
    at++;
    const isNegative = bytes[at] === 0x2d;
    if (isNegative) at++;
    // Up to 15 digits and one division by a power of ten give the same double as a parser of the text.
    let mantissa = 0;
    let divisor = 0;
    const first = at;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x30 && byte <= 0x39) {
        mantissa = mantissa * 10 + (byte - 0x30);
        divisor *= 10;
      } else if (byte === 0x2e && divisor === 0) divisor = 1;
      else break;
    }
    if (at === first || at - first > 15 || bytes[first] === 0x2e || bytes[at - 1] === 0x2e) return undefined;
    const value = divisor > 1 ? mantissa / divisor : mantissa;
    values[column] = isNegative ? -value : value;
  }
  return at === end ? key : undefined;
}

function isSound(values: Float64Array, kind: AnnotationKind): boolean {
  for (let i = 0; i < values.length; i++)
    if (!(Math.abs(values[i] as number) <= MAX_COORDINATE)) return false;
  return kind === 'landmarks' || ((values[2] as number) > 0 && (values[3] as number) > 0);
}

/** No field of these files holds a comma. */
function fieldsOf(bytes: Buffer, start: number, end: number): string[] {
  return bytes
    .toString('utf8', start, end)
    .split(',')
    .map((field) =>
      field
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim(),
    );
}

/** @throws UserError where the line names columns, but others than expected. */
function isHeader(fields: readonly string[], columns: readonly string[], path: string): boolean {
  if (!/^name_?id$/i.test(fields[0] ?? '')) return false;
  const found = fields.slice(1).map((field) => field.toUpperCase());
  if (found.length === columns.length && found.every((name, i) => name === columns[i])) return true;
  throw new UserError(`the header names the columns ${quoted(fields.join(','))}`, {
    where: `${path}, line 1`,
    remedy: `a file with the columns NAME_ID,${columns.join(',')} belongs there`,
  });
}

/** Fills `values` and gives the key, or says what is wrong. */
function slowRow(fields: readonly string[], values: Float64Array, kind: AnnotationKind): number | string {
  const columns = ANNOTATION_COLUMNS[kind];
  if (fields.length === 1 && fields[0] === '') return 'an empty line';
  if (fields.length !== columns.length + 1) return `${fields.length} columns, ${columns.length + 1} wanted`;
  const [name, ...numbers] = fields as [string, ...string[]];
  const key = pictureKey(name);
  if (key === undefined) return `${quoted(name)} is no name like n000001/0001_01`;
  for (const [i, text] of numbers.entries()) {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (!(Math.abs(value) <= MAX_COORDINATE)) return `${columns[i]} is ${quoted(text)}, not a coordinate`;
    values[i] = value;
  }
  return isSound(values, kind) ? key : `an empty box, ${values[2]} wide and ${values[3]} high`;
}
