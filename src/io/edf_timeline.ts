/** When the data records of an EDF+ or BDF+ file were recorded, and what is annotated in them. */

import type { ByteSource } from './byte_source.js';
import { parseTals, recordOnset, type Tal } from './edf_annotations.js';
import { EdfError } from './edf_error.js';
import type { EdfAnnotationSignal, EdfHeader } from './edf_header.js';
import { areRecordsReadWhole, PIECE_BYTES } from './edf_samples.js';
import type { Annotation, Segment } from './recording.js';

export interface EdfTimeline {
  readonly annotations: readonly Annotation[];
  readonly segments: readonly Segment[];
}

/** More annotations or segments than any recording has (one a second for eleven days), so that no file exhausts memory. */
const MOST_ENTRIES = 1_000_000;

/** More than any data record has of annotations: the specification advises against records above 61,440 bytes. */
const MOST_TAL_BYTES = 1 << 24;

/** TALs of one annotation signal in one data record. @throws EdfError where their grammar is broken. */
export async function readTals(
  source: ByteSource,
  header: EdfHeader,
  signal: EdfAnnotationSignal,
  record: number,
): Promise<Tal[]> {
  const offset = header.headerBytes + record * header.recordBytes + signal.byteInRecord;
  const place = { file: source.name, offset };
  if (signal.bytes > MOST_TAL_BYTES)
    throw new EdfError('too-much', `a data record has ${signal.bytes} bytes of annotations`, place);
  return parseTals(await source.read(offset, signal.bytes), 0, signal.bytes, place);
}

/**
 * Reads all annotation signals. `start` is the onset of the first data record: times are counted from it, as the first
 * sample's time is what windows are made by.
 * @throws EdfError where a TAL's grammar is broken, or records of a discontinuous file have no start times or overlap.
 */
export async function readTimeline(
  source: ByteSource,
  header: EdfHeader,
  start: number,
): Promise<EdfTimeline> {
  const annotations: Annotation[] = [];
  const track = new SegmentTrack(source.name, header);
  const [timekeeper] = header.annotationSignals;
  const toTime = (onset: number): number => secondsBetween(start, onset);
  await forEachTals(source, header, (tals, signal, record, offset) => {
    const onset = signal === timekeeper ? recordOnset(tals) : undefined;
    if (signal === timekeeper) track.add(record, onset === undefined ? undefined : toTime(onset), offset);
    tals.forEach((tal, i) => {
      const texts = i === 0 && onset !== undefined ? tal.texts.slice(1) : tal.texts;
      for (const text of texts)
        if (text !== '')
          annotations.push({
            onset: toTime(tal.onset),
            ...(tal.duration === undefined ? {} : { duration: tal.duration }),
            text,
          });
    });
    if (annotations.length > MOST_ENTRIES || track.segments.length > MOST_ENTRIES)
      throw new EdfError('too-much', `there are more than ${MOST_ENTRIES} annotations or gaps`, {
        file: source.name,
        offset,
      });
  });
  // The order of the file is kept among equal onsets: sorting is stable.
  annotations.sort((a, b) => a.onset - b.onset);
  return { annotations, segments: track.finish() };
}

/** Without annotation signals nothing is known but that there are no gaps. */
export function gaplessTimeline(header: EdfHeader): EdfTimeline {
  const { dataRecords: records, recordSeconds } = header;
  const isEmpty = records === 0 || header.signals.length === 0;
  const segment = { onset: 0, duration: records * recordSeconds, fromRecord: 0, records, recordSeconds };
  return { annotations: [], segments: isEmpty ? [] : [segment] };
}

/** Without the noise that subtracting decimals leaves: onsets have seven digits after the point at most. */
function secondsBetween(start: number, onset: number): number {
  if (start === 0) return onset;
  return Math.abs(onset) < 1e6 ? Math.round((onset - start) * 1e9) / 1e9 : onset - start;
}

async function forEachTals(
  source: ByteSource,
  header: EdfHeader,
  take: (tals: Tal[], signal: EdfAnnotationSignal, record: number, offset: number) => void,
): Promise<void> {
  const { annotationSignals, recordBytes, headerBytes, dataRecords } = header;
  const bytesARecord = annotationSignals.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!areRecordsReadWhole(header, bytesARecord, annotationSignals.length)) {
    for (let record = 0; record < dataRecords; record++)
      for (const signal of annotationSignals)
        take(
          await readTals(source, header, signal, record),
          signal,
          record,
          headerBytes + record * recordBytes + signal.byteInRecord,
        );
    return;
  }
  const atOnce = Math.max(1, Math.floor(PIECE_BYTES / recordBytes));
  const scratch = new Uint8Array(Math.min(atOnce, dataRecords) * recordBytes);
  for (let first = 0; first < dataRecords; first += atOnce) {
    const records = Math.min(atOnce, dataRecords - first);
    const pieceOffset = headerBytes + first * recordBytes;
    const piece = await source.read(pieceOffset, records * recordBytes, scratch);
    for (let i = 0; i < records; i++)
      for (const signal of annotationSignals) {
        const start = i * recordBytes + signal.byteInRecord;
        const offset = pieceOffset + start;
        const tals = parseTals(piece, start, start + signal.bytes, { file: source.name, offset });
        take(tals, signal, first + i, offset);
      }
  }
}

/** Joins data records to segments as their start times come in. */
class SegmentTrack {
  readonly segments: Segment[] = [];
  private readonly file: string;
  private readonly header: EdfHeader;
  private readonly toleranceSeconds: number;
  private onset = 0;
  private fromRecord = 0;
  private records = 0;
  private previousOnset = 0;

  constructor(file: string, header: EdfHeader) {
    this.file = file;
    this.header = header;
    const fastest = header.signals.reduce((most, { samplingRate }) => Math.max(most, samplingRate), 0);
    const halfSample = fastest > 0 ? 0.5 / fastest : header.recordSeconds / 2;
    // A continuous file's start times are often rounded; that it has a gap all the same takes more to believe.
    this.toleranceSeconds =
      header.continuity === 'discontinuous' ? halfSample : Math.max(halfSample, header.recordSeconds / 2);
  }

  /** `onset` in seconds; undefined where the data record has no start time. `offset` is that of its annotations. */
  add(record: number, onset: number | undefined, offset: number): void {
    const { continuity, recordSeconds } = this.header;
    const expected = record === 0 ? 0 : this.previousOnset + recordSeconds;
    const fault = (what: string): EdfError => new EdfError('timekeeping', what, { file: this.file, offset });
    if (continuity === 'discontinuous') {
      if (onset === undefined)
        throw fault(`data record ${record + 1} of a discontinuous file has no start time`);
      if (onset < expected - this.toleranceSeconds)
        throw fault(
          `data record ${record + 1} starts ${onset} s after the first, before the one ahead of it ends (${expected} s)`,
        );
    }
    const isGap = onset !== undefined && onset > expected + this.toleranceSeconds && record > 0;
    if (isGap) {
      this.close();
      this.onset = onset;
      this.fromRecord = record;
    }
    this.records++;
    this.previousOnset = isGap || continuity === 'discontinuous' ? (onset ?? expected) : expected;
  }

  finish(): readonly Segment[] {
    this.close();
    return this.header.signals.length === 0 ? [] : this.segments;
  }

  private close(): void {
    const { recordSeconds } = this.header;
    const { onset, fromRecord, records } = this;
    if (records > 0)
      this.segments.push({ onset, duration: records * recordSeconds, fromRecord, records, recordSeconds });
    this.records = 0;
  }
}
