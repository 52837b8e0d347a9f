/** Parses identity_meta.csv of VGGFace2: who each identity is, how many pictures there are, and which part it is in. */

import { readFileSync, statSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { UserError } from '../../io/errors.js';
import { MalformedLines, quoted } from '../malformed_lines.js';
import type { VggFace2Part } from './identities.js';
import { identityNumber } from './picture_name.js';

/** One line of the file. */
export interface IdentityMeta {
  /** `n000001`. */
  readonly id: string;
  /** Without the blank and the quotes around it: `14th_Dalai_Lama`. */
  readonly name: string;
  /** Pictures of this identity as published. */
  readonly samples: number;
  /** Flag 1 is train, 0 is test. */
  readonly part: VggFace2Part;
  /** Absent where the field is empty. */
  readonly gender?: 'm' | 'f';
}

export interface IdentityMetaFile {
  /** In the order of the file; ids are unique. */
  readonly rows: readonly IdentityMeta[];
  readonly malformed: MalformedLines;
}

/** The published file has 362 KB. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

/**
 * Reads the file: `n000001," ""14th_Dalai_Lama""",424,0, m`, LF or CRLF, with or without the header, a byte-order mark
 * and quotes. What does not fit, and an id that comes again, is given back as malformed.
 * @throws UserError where the file is far larger than any such list.
 */
export function readIdentityMeta(path: string): IdentityMetaFile {
  const { size } = statSync(path);
  if (size > MAX_FILE_BYTES)
    throw new UserError(`the file has ${size} bytes, at most ${MAX_FILE_BYTES} are expected`, {
      where: path,
      remedy: 'put the published identity_meta.csv there',
    });
  const lines = readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const malformed = new MalformedLines(path);
  const rows: IdentityMeta[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, text] of lines.entries()) {
    if (index === 0 && isHeader(text)) continue;
    const row = identityMetaRow(text);
    if (typeof row === 'string') malformed.add(index + 1, row);
    else if (lineOf.has(row.id))
      malformed.add(index + 1, `${row.id} is there already, at line ${lineOf.get(row.id)}`);
    else {
      rows.push(row);
      lineOf.set(row.id, index + 1);
    }
  }
  return { rows, malformed };
}

/** One line as a row, or what is wrong with it. */
export function identityMetaRow(text: string): IdentityMeta | string {
  if (text.trim() === '') return 'an empty line';
  const fields = fieldsOf(text);
  if (typeof fields === 'string') return fields;
  if (fields.length !== 5) return `${fields.length} columns, 5 wanted`;
  const [id, name, samples, flag, gender] = fields as [string, string, string, string, string];
  if (identityNumber(id) === undefined) return `${quoted(id)} is no id like n000001`;
  if (name === '') return 'the name is empty';
  if (name.split('"').length % 2 === 0) return 'a quote is not closed';
  if (!/^\d{1,7}$/.test(samples)) return `Sample_Num is ${quoted(samples)}, not a number`;
  if (flag !== '0' && flag !== '1') return `Flag is ${quoted(flag)}, not 0 or 1`;
  if (!/^[mf]?$/.test(gender)) return `Gender is ${quoted(gender)}, not m or f`;
  return {
    id,
    name,
    samples: Number(samples),
    part: flag === '1' ? 'train' : 'test',
    ...(gender === '' ? {} : { gender: gender as 'm' | 'f' }),
  };
}

/** The fields without blanks and without the second pair of quotes that the published file has around names. */
function fieldsOf(text: string): string[] | string {
  try {
    const records = parse(text, { relax_column_count: true, trim: true }) as string[][];
    if (records.length !== 1) return `the line holds ${records.length} records`;
    return (records[0] as string[]).map((field) =>
      field
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim(),
    );
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is not closed' : `not CSV (${code})`;
  }
}

function isHeader(text: string): boolean {
  return /^\s*"?\s*class_?id\b/i.test(text);
}
