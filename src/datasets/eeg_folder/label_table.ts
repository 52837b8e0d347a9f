/** `labels.csv`: who was recorded in which file, and what happens when. */

import { readFileSync, statSync } from 'node:fs';
import { type Info, parse } from 'csv-parse/sync';
import { UserError } from '../../io/errors.js';
import { MalformedLines, quoted } from '../malformed_lines.js';

export interface LabelledEvent {
  /** Seconds after the first sample; absent where the label is about the whole recording. */
  readonly onset?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly label: string;
}

export interface LabelTable {
  /** By file; in order of time. */
  readonly events: ReadonlyMap<string, readonly LabelledEvent[]>;
  /** By file, where the table says it. */
  readonly subjects: ReadonlyMap<string, string>;
  /** Sentences about rows that are not used. */
  readonly notes: readonly string[];
}

/**
 * Reads the table. Columns: `file` (below the folder, with `/`), `label`, and where wanted `subject`, `onset` and
 * `duration` (seconds). Rows that do not follow that, or name no file of `fileNames`, are counted and told.
 * @throws UserError where `file` or `label` is no column, or the file is no CSV.
 */
export function readLabelTable(path: string, fileNames: readonly string[]): LabelTable {
  const known = new Set(fileNames);
  const malformed = new MalformedLines(path);
  const subjects = new Map<string, string>();
  const events = new Map<string, LabelledEvent[]>();
  for (const { line, fields } of readRows(path)) {
    const fault = typeof fields === 'string' ? fields : read(fields);
    if (fault !== undefined) malformed.add(line, fault);
  }
  for (const list of events.values()) list.sort((a, b) => (a.onset ?? 0) - (b.onset ?? 0));
  const sentence = malformed.sentence();
  return { events, subjects, notes: sentence === undefined ? [] : [sentence] };

  /** Keeps a row, or says what is wrong with it. */
  function read(fields: Readonly<Record<string, string>>): string | undefined {
    const { file = '', label = '', subject = '' } = fields;
    const [onset, duration] = [seconds(fields.onset), seconds(fields.duration)];
    if (!known.has(file)) return `there is no recording ${quoted(file)}`;
    if (onset === 'bad') return `onset is ${quoted(fields.onset as string)}, not a number of seconds`;
    if (duration === 'bad')
      return `duration is ${quoted(fields.duration as string)}, not a number of seconds`;
    if (label === '' && onset !== undefined) return 'an onset without a label';
    const earlier = subjects.get(file);
    if (subject !== '' && earlier !== undefined && earlier !== subject)
      return `${quoted(file)} is of ${quoted(earlier)} in an earlier line, of ${quoted(subject)} here`;
    if (subject !== '') subjects.set(file, subject);
    if (label === '') return undefined;
    const list = events.get(file) ?? [];
    list.push({
      label,
      ...(onset === undefined ? {} : { onset }),
      ...(duration === undefined ? {} : { duration }),
    });
    events.set(file, list);
    return undefined;
  }
}

/** A table of labels that fits the memory of whoever wrote it; a longer file is something else. */
const MAX_TABLE_BYTES = 2 ** 26;

const REQUIRED = ['file', 'label'];

/** Each row's fields by the header's names, or what is wrong with it. */
function readRows(path: string): { line: number; fields: Record<string, string> | string }[] {
  if (statSync(path).size > MAX_TABLE_BYTES)
    throw new UserError(`the table has more than ${MAX_TABLE_BYTES} bytes`, {
      where: path,
      remedy: 'split the folder',
    });
  let rows: { record: string[]; info: Info }[];
  try {
    rows = parse(readFileSync(path), {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: Info }[];
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`the file is no CSV: ${what}`, { where: path, remedy: 'mend that line', cause });
  }
  const names = rows[0]?.record ?? [];
  const missing = REQUIRED.filter((column) => !names.includes(column));
  if (missing.length > 0)
    throw new UserError(`the header lacks ${missing.join(', ')}`, {
      where: `${path}, line 1`,
      remedy: `it must name the columns ${REQUIRED.join(', ')}`,
    });
  return rows.slice(1).map(({ record, info }) => ({
    line: info.lines,
    fields:
      record.length === names.length
        ? Object.fromEntries(names.map((name, i) => [name, record[i] as string]))
        : `${record.length} columns, the header has ${names.length}`,
  }));
}

/** A time of day is not meant, nor a negative one. */
function seconds(text: string | undefined): number | 'bad' | undefined {
  if (text === undefined || text === '') return undefined;
  return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : 'bad';
}
