/** A Dataset out of one CSV file with a header line, for corpora that are a table of URLs and labels. */

import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Info, parse } from 'csv-parse';
import { UserError } from '../io/errors.js';
import type { Dataset, Resource } from './dataset.js';

/** One line of the table: its fields by the header's names. */
export interface CsvRow {
  /** `line 17`, the header being line 1. */
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A line with another number of columns than the header. */
export interface MalformedCsvRow {
  readonly key: string;
  readonly malformed: string;
}

export interface CsvSource {
  readonly path: string;
  /** @throws UserError where the header lacks a column, or the file is no CSV. */
  rows(): AsyncIterable<CsvRow | MalformedCsvRow>;
}

export interface CsvDatasetOptions
  extends Pick<Dataset, 'name' | 'title' | 'description' | 'homepage' | 'citation' | 'licence'> {
  /** The file's name in `--manual-dir`; where `url` is given it is fetched if there is no such folder. */
  readonly file: string;
  readonly url?: string;
  readonly sha256?: string;
  /** Columns that must be there. */
  readonly columns: readonly string[];
  /** Columns that hold URLs, for `t2t-ts download`. */
  readonly urlColumns: readonly string[];
}

/** Describes such a dataset. */
export function csvDataset(options: CsvDatasetOptions): Dataset<CsvSource> {
  const { name, title, description, homepage, citation, licence, file, url, sha256, columns, urlColumns } =
    options;
  const resources: Resource[] =
    url === undefined ? [] : [{ name: file, url, ...(sha256 === undefined ? {} : { sha256 }) }];
  return {
    name,
    title,
    description,
    homepage,
    citation,
    licence,
    resources,
    async obtain(context) {
      await context.agree();
      if (context.manualDir === undefined && resources[0] !== undefined)
        return csvSource(await context.fetch(resources[0]), columns);
      const path = join(context.manualDir ?? '', file);
      if (context.manualDir === undefined || !existsSync(path))
        throw new UserError(`${name} needs the file ${file}`, {
          where: context.manualDir ?? 'no --manual-dir is given',
          remedy: `put ${file} into a folder and give that with --manual-dir`,
          exitCode: 2,
        });
      return csvSource(path, columns);
    },
    async *rowUrls(source) {
      for await (const row of source.rows())
        if (!('malformed' in row)) for (const column of urlColumns) yield row.fields[column] as string;
    },
  };
}

function csvSource(path: string, columns: readonly string[]): CsvSource {
  return { path, rows: () => readCsv(path, columns) };
}

/** A quote that is never closed must not read the whole file into memory. */
const MAX_RECORD_CHARACTERS = 1 << 20;

async function* readCsv(path: string, columns: readonly string[]): AsyncGenerator<CsvRow | MalformedCsvRow> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    info: true,
    max_record_size: MAX_RECORD_CHARACTERS,
  });
  const file = createReadStream(path);
  file.on('error', (error) => parser.destroy(error));
  file.pipe(parser);
  let header: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (header === undefined) {
        header = record;
        const missing = columns.filter((column) => !record.includes(column));
        if (missing.length > 0)
          throw new UserError(`the header lacks ${missing.join(', ')}`, {
            where: `${path}, line 1`,
            remedy: `it must name the columns ${columns.join(', ')}`,
          });
        continue;
      }
      const key = `line ${info.lines}`;
      const names = header;
      if (record.length !== names.length)
        yield { key, malformed: `${record.length} columns, the header has ${names.length}` };
      else yield { key, fields: Object.fromEntries(names.map((name, i) => [name, record[i] as string])) };
    }
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    throw new UserError(`the file is no CSV: ${error.message}`, { where: path, remedy: 'mend that line' });
  }
}
