/** When the data records of an EDF+ or BDF+ file were recorded, and what is annotated in them. */

import type { ByteSource } from './byte_source.js';
import { parseFirstTal, parseTals, recordOnset, type Tal } from './edf_annotations.js';
import { EdfError } from './edf_error.js';
import type { EdfAnnotationSignal, EdfHeader } from './edf_header.js';
import { areRecordsReadWhole, PIECE_BYTES } from './edf_samples.js';
import type { Annotation, Segment } from './recording.js';

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
  const bytes = await readStretch(source, signal, offset);
  return parseTals(bytes, 0, signal.bytes, { file: source.name, offset });
}

/**
 * All annotations, ordered by onset. `start` is the onset of the first data record: times are counted from it, as the
 * first sample's time is what windows are made by. @throws EdfError where a TAL's grammar is broken.
 */
export async function readAnnotations(
  source: ByteSource,
  header: EdfHeader,
  start: number,
): Promise<Annotation[]> {
  const annotations: Annotation[] = [];
  const [timekeeper] = header.annotationSignals;
  await forEachStretch(source, header, header.annotationSignals, (bytes, { at, signal, offset }) => {
    const tals = parseTals(bytes, at, at + signal.bytes, { file: source.name, offset });
    const isTimed = signal === timekeeper && recordOnset(tals[0]) !== undefined;
    for (const [i, { onset, duration, texts }] of tals.entries())
      for (const text of i === 0 && isTimed ? texts.slice(1) : texts)
        if (text !== '')
          annotations.push({
            onset: secondsBetween(start, onset),
            ...(duration === undefined ? {} : { duration }),
            text,
          });
    if (annotations.length > MOST_ENTRIES) throw tooMany('annotations', source, offset);
  });
  // The order of the file is kept among equal onsets: sorting is stable.
  return annotations.sort((a, b) => a.onset - b.onset);
}

/**
 * Contiguous stretches, by the start times of all data records where the file has them; `start` as above.
 * @throws EdfError where records of a discontinuous file have no start times or overlap.
 */
export async function readSegments(
  source: ByteSource,
  header: EdfHeader,
  start: number,
): Promise<readonly Segment[]> {
  const [timekeeper] = header.annotationSignals;
  if (header.signals.length === 0) return [];
  if (timekeeper === undefined || header.continuity === 'plain') return withoutGaps(header);
  const track = new SegmentTrack(source.name, header);
  await forEachStretch(source, header, [timekeeper], (bytes, { at, signal, record, offset }) => {
    const onset = recordOnset(parseFirstTal(bytes, at, at + signal.bytes));
    track.add(record, onset === undefined ? undefined : secondsBetween(start, onset), offset);
    if (track.segments.length > MOST_ENTRIES) throw tooMany('gaps', source, offset);
  });
  return track.finish();
}

function withoutGaps({ dataRecords: records, recordSeconds }: EdfHeader): Segment[] {
  if (records === 0) return [];
  return [{ onset: 0, duration: records * recordSeconds, fromRecord: 0, records, recordSeconds }];
}

function tooMany(what: string, source: ByteSource, offset: number): EdfError {
  return new EdfError('too-much', `there are more than ${MOST_ENTRIES} ${what}`, {
    file: source.name,
    offset,
  });
}

/** Without the noise that subtracting decimals leaves: onsets have seven digits after the point at most. */
function secondsBetween(start: number, onset: number): number {
  if (start === 0) return onset;
  return Math.abs(onset) < 1e6 ? Math.round((onset - start) * 1e9) / 1e9 : onset - start;
}

/** An annotation signal's bytes in one data record: where they are in what was read, and in the file. */
interface Stretch {
  readonly at: number;
  readonly signal: EdfAnnotationSignal;
  readonly record: number;
  readonly offset: number;
}

async function forEachStretch(
  source: ByteSource,
  header: EdfHeader,
  signals: readonly EdfAnnotationSignal[],
  take: (bytes: Uint8Array, stretch: Stretch) => void,
): Promise<void> {
  const { recordBytes, headerBytes, dataRecords } = header;
  const bytesARecord = signals.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!areRecordsReadWhole(header, bytesARecord, signals.length)) {
    for (let record = 0; record < dataRecords; record++)
      for (const signal of signals) {
        const offset = headerBytes + record * recordBytes + signal.byteInRecord;
        take(await readStretch(source, signal, offset), { at: 0, signal, record, offset });
      }
    return;
  }
  const atOnce = Math.max(1, Math.floor(PIECE_BYTES / recordBytes));
  const scratch = new Uint8Array(Math.min(atOnce, dataRecords) * recordBytes);
  for (let first = 0; first < dataRecords; first += atOnce) {
    const records = Math.min(atOnce, dataRecords - first);
    const pieceOffset = headerBytes + first * recordBytes;
    const piece = await source.read(pieceOffset, records * recordBytes, scratch);
    for (let i = 0; i < records; i++)
      for (const signal of signals) {
        const at = i * recordBytes + signal.byteInRecord;
        take(piece, { at, signal, record: first + i, offset: pieceOffset + at });
      }
  }
}

async function readStretch(
  source: ByteSource,
  signal: EdfAnnotationSignal,
  offset: number,
): Promise<Uint8Array> {
  if (signal.bytes > MOST_TAL_BYTES)
    throw new EdfError('too-much', `a data record has ${signal.bytes} bytes of annotations`, {
      file: source.name,
      offset,
    });
  return source.read(offset, signal.bytes);
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
    return this.segments;
  }

  private close(): void {
    const { recordSeconds } = this.header;
    const { onset, fromRecord, records } = this;
    if (records > 0)
      this.segments.push({ onset, duration: records * recordSeconds, fromRecord, records, recordSeconds });
    this.records = 0;
  }
}
