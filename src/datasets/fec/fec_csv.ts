/** Parses the CSV files of FEC: no header, 28 columns and more, one triplet of faces a line. */

import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { FractionBox } from '../../faces/crop.js';

export type TripletType = 'ONE_CLASS_TRIPLET' | 'TWO_CLASS_TRIPLET' | 'THREE_CLASS_TRIPLET';

/** One face of a triplet: a photograph's address and the face's box in it. */
export interface FecFace {
  readonly url: string;
  readonly box: FractionBox;
}

/** One line of a FEC file. */
export interface FecRow {
  /** `<file part>:<line number>`, the line counted from 1, e.g. `train:17`. */
  readonly key: string;
  readonly faces: readonly [FecFace, FecFace, FecFace];
  readonly type: TripletType;
  /** Ids of the annotators: digits, up to ten of them seen (beyond 32 bits). */
  readonly annotators: readonly string[];
  /** Each annotator's odd one out, 1 to 3: 1 means that images 2 and 3 are the similar pair. */
  readonly ratings: readonly number[];
}

/** A line that does not follow the format. */
export interface MalformedFecRow {
  readonly key: string;
  readonly malformed: string;
}

/** A line of more than this is not a row: 8 KiB is 25 times the longest row that the format makes likely. */
const MAX_LINE_BYTES = 8192;
const LINES_PER_BATCH = 512;
/** Stands for a line that is too long; no row has one column. */
const TOO_LONG = `a line of more than ${MAX_LINE_BYTES} bytes`;

/**
 * Reads a FEC file row by row, in constant memory. A line that does not follow the format is yielded as malformed with
 * the reason; it never harms its neighbours, also where it opens a quote and does not close it. Empty lines at the end
 * of the file are no rows. LF and CRLF; a UTF-8 byte-order mark is passed over.
 */
export async function* readFecCsv(path: string, part: string): AsyncGenerator<FecRow | MalformedFecRow> {
  let lineNumber = 0;
  for await (const lines of lineBatches(path)) {
    const first = lineNumber + 1;
    const fields = splitFields(lines);
    for (let i = 0; i < lines.length; i++) {
      const row = fecRow(`${part}:${first + i}`, fields[i] as string[] | string);
      yield row;
    }
    lineNumber += lines.length;
  }
}

/** One parsed line as a row, or what is wrong with it. */
export function fecRow(key: string, fields: readonly string[] | string): FecRow | MalformedFecRow {
  if (typeof fields === 'string') return { key, malformed: fields };
  if (fields[0] === TOO_LONG) return { key, malformed: TOO_LONG };
  if (fields.length === 1 && fields[0] === '') return { key, malformed: 'empty line' };
  if (fields.length < 28) return { key, malformed: `${fields.length} columns, at least 28 wanted` };
  const filled = trimmedLength(fields);
  if (filled % 2 !== 0) return { key, malformed: `column ${filled} is an annotator without an annotation` };
  const faces: FecFace[] = [];
  for (let face = 0; face < 3; face++) {
    const parsed = fecFace(fields, face * 5);
    if (typeof parsed === 'string') return { key, malformed: parsed };
    faces.push(parsed);
  }
  const type = fields[15] as string;
  if (type !== 'ONE_CLASS_TRIPLET' && type !== 'TWO_CLASS_TRIPLET' && type !== 'THREE_CLASS_TRIPLET')
    return { key, malformed: `column 16 is ${quote(type)}, not a triplet type` };
  const annotators: string[] = [];
  const ratings: number[] = [];
  for (let column = 16; column < filled; column += 2) {
    const annotator = fields[column] as string;
    const rating = fields[column + 1] as string;
    // 18 digits always fit a signed 64-bit integer.
    if (!/^\d{1,18}$/.test(annotator))
      return { key, malformed: `column ${column + 1} is ${quote(annotator)}, not an annotator id` };
    if (!/^[123]$/.test(rating))
      return { key, malformed: `column ${column + 2} is ${quote(rating)}, not an annotation of 1, 2 or 3` };
    annotators.push(annotator);
    ratings.push(Number(rating));
  }
  return { key, faces: faces as [FecFace, FecFace, FecFace], type, annotators, ratings };
}

/** Columns per face: URL, left, right, top, bottom. */
function fecFace(fields: readonly string[], first: number): FecFace | string {
  const url = (fields[first] as string).trim();
  if (url === '') return `column ${first + 1} holds no URL`;
  const numbers: number[] = [];
  for (let column = first + 1; column <= first + 4; column++) {
    const text = fields[column] as string;
    const value = text === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) return `column ${column + 1} is ${quote(text)}, not a number`;
    numbers.push(value);
  }
  const [left, right, top, bottom] = numbers as [number, number, number, number];
  if (!(left < right && top < bottom)) return `columns ${first + 2} to ${first + 5} are an empty box`;
  if (right <= 0 || bottom <= 0 || left >= 1 || top >= 1)
    return `columns ${first + 2} to ${first + 5} are a box outside the image (fractions of 0 to 1 wanted)`;
  return { url, box: { left, top, right, bottom } };
}

/** Trailing empty columns are padding that some copies of the file carry. */
function trimmedLength(fields: readonly string[]): number {
  let length = fields.length;
  while (length > 28 && fields[length - 1] === '') length--;
  return length;
}

/** Fields of each line, or what is wrong with it. A batch at a time is fast; where the batch has a fault, line by line. */
function splitFields(lines: readonly string[]): (string[] | string)[] {
  try {
    const records = parseCsv(lines.join('\n'));
    if (records.length === lines.length) return records;
  } catch {
    // Some line of the batch is at fault: below we find which.
  }
  return lines.map((line) => {
    if (line === '') return [''];
    try {
      const records = parseCsv(line);
      return records.length === 1 ? (records[0] as string[]) : `the line holds ${records.length} records`;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is not closed' : `not CSV (${code})`;
    }
  });
}

function parseCsv(text: string): string[][] {
  return parse(text, { relax_column_count: true, skip_empty_lines: false, trim: true });
}

/** Lines in batches, without their ends; `TOO_LONG` for one that is longer than the limit. */
async function* lineBatches(path: string): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let rest: Buffer | undefined;
  let isFirst = true;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const bytes: Buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(10, start);
      if (end < 0) break;
      batch.push(lineText(bytes, start, end, isFirst));
      isFirst = false;
      start = end + 1;
      if (batch.length === LINES_PER_BATCH) {
        yield batch;
        batch = [];
      }
    }
    // Of a line that never ends only the first bytes are kept, so that a hostile file can't fill the memory.
    rest = Buffer.from(bytes.subarray(start, start + MAX_LINE_BYTES + 1));
  }
  if (rest !== undefined && rest.length > 0) batch.push(lineText(rest, 0, rest.length, isFirst));
  while (batch.length > 0 && batch[batch.length - 1] === '') batch.pop();
  if (batch.length > 0) yield batch;
}

function lineText(bytes: Buffer, start: number, end: number, isFirst: boolean): string {
  if (end - start > MAX_LINE_BYTES) return TOO_LONG;
  let from = start;
  let to = end;
  if (isFirst && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) from += 3;
  if (to > from && bytes[to - 1] === 13) to--;
  return bytes.toString('utf8', from, to);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
