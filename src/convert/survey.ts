/** Looks through the files that are to be imported before anything is written: what is damaged, and what does not fit. */

import type { OnEvent } from '../datagen/events.js';
import type { VerifyError } from '../datagen/verify.js';
import { UserError } from '../io/errors.js';
import { createExampleParser, type ExampleParser } from '../io/example_parser.js';
import type { Features } from '../io/features.js';
import { sha256OfFile } from '../io/file_hash.js';
import { RecordError, readRecordBatches } from '../io/tfrecord_reader.js';
import type { RecordFile } from './record_files.js';
import { UnknownFeatures } from './unknown_features.js';

/** A file that was read through. */
export interface SurveyedFile extends RecordFile {
  readonly records: number;
  /** Of the records without their framing. */
  readonly payloadBytes: number;
  readonly sha256: string;
}

export interface Survey {
  readonly files: readonly SurveyedFile[];
  /** Damage, and, where that was asked for, records that do not fit; the first thousand. */
  readonly errors: readonly VerifyError[];
  /** Of features that the records have and the specification has not. */
  readonly notes: readonly string[];
}

const MAX_ERRORS = 1000;

/**
 * Reads every record of every file. A damaged file is read up to its damage, and the others to their ends: one look tells
 * everything that is wrong.
 * @param onMismatch whether a record that is none of these features is an error.
 */
export async function surveyFiles(
  files: readonly RecordFile[],
  features: Features,
  options: {
    readonly onMismatch: 'error' | 'reject';
    readonly signal?: AbortSignal;
    readonly onEvent?: OnEvent;
  },
): Promise<Survey> {
  const parser = createExampleParser(features);
  const unknown = new UnknownFeatures(features);
  const errors: VerifyError[] = [];
  const report = (error: VerifyError): void => {
    if (errors.length < MAX_ERRORS) errors.push(error);
  };
  const surveyed: SurveyedFile[] = [];
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  for (const file of files) {
    let records = 0;
    let payloadBytes = 0;
    try {
      for await (const batch of readRecordBatches(file.path)) {
        options.signal?.throwIfAborted();
        for (const { index, offset, data } of batch) {
          const error = options.onMismatch === 'error' ? misfit(parser, data) : undefined;
          if (error !== undefined) report({ file: file.path, record: index, offset, error });
          unknown.add(data);
          records += 1;
          payloadBytes += data.length;
        }
      }
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      report({ file: file.path, record: error.record, offset: error.offset, error: error.what });
    }
    surveyed.push({ ...file, records, payloadBytes, sha256: await sha256OfFile(file.path) });
    bytes += file.bytes;
    options.onEvent?.({ type: 'resource', activity: 'reading', name: file.name, bytes, totalBytes });
  }
  return { files: surveyed, errors, notes: unknown.notes() };
}

/** Why a record is no example of the features; undefined where it is one. */
export function misfit(parser: ExampleParser<Features>, data: Uint8Array): string | undefined {
  try {
    parser.parse(data);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.what;
  }
}
