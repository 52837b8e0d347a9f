/** `labels.csv`: who was recorded in which file, and what happens when. */

import { csvSource } from '../csv_dataset.js';
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
export async function readLabelTable(path: string, fileNames: readonly string[]): Promise<LabelTable> {
  const known = new Set(fileNames);
  const malformed = new MalformedLines(path);
  const subjects = new Map<string, string>();
  const events = new Map<string, LabelledEvent[]>();
  for await (const row of csvSource(path, ['file', 'label']).rows()) {
    const line = Number(row.key.replace(/^line /, ''));
    const fault = 'malformed' in row ? row.malformed : read(row.fields);
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

/** A time of day is not meant, nor a negative one. */
function seconds(text: string | undefined): number | 'bad' | undefined {
  if (text === undefined || text === '') return undefined;
  return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : 'bad';
}
