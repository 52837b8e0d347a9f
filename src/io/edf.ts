/** Reads EDF, EDF+, BDF and BDF+ recordings, by byte ranges: samples as digital or physical values, annotations, gaps. */

import { type ByteSource, openFileSource } from './byte_source.js';
import { recordOnset, type Tal } from './edf_annotations.js';
import { findDamage, isHeaderMangled } from './edf_damage.js';
import { EdfError, type EdfFault } from './edf_error.js';
import {
  type EdfHeader,
  type EdfSignal,
  edfHeaderBytes,
  HEADER_BYTES,
  parseEdfHeader,
  withDataRecords,
} from './edf_header.js';
import { calibrationOf, readSamples, type Samples } from './edf_samples.js';
import { readStored, type StoredSamples } from './edf_stored.js';
import { readAnnotations, readSegments, readTals } from './edf_timeline.js';
import {
  type Annotation,
  type Recording,
  resolveRange,
  type SampleRange,
  type Segment,
  type SignalRange,
} from './recording.js';

export interface OpenEdfOptions {
  /**
   * What to do where the file does not hold the data records that its header promises: 'refuse' it, unless said
   * otherwise, or read the 'whole-records' that are there.
   */
  readonly wrongSize?: 'refuse' | 'whole-records';
}

/** An open EDF or BDF file. Times are in seconds after its first sample. */
export interface EdfRecording extends Recording {
  readonly header: EdfHeader;
  /** The ordinary signals: annotation signals are not among them. */
  readonly signals: readonly EdfSignal[];
  /** As `readSignals`, rounded to what shards keep: half the memory, and half the time. */
  readSignalsFloat32(ranges: readonly SignalRange[]): Promise<Float32Array[]>;
  /** See `edf_stored.ts`; `signals` are indices. For files in memory: all of the data records are read at once. */
  readStored(
    signals: readonly number[],
    records: { readonly fromRecord: number; readonly records: number },
  ): Promise<readonly StoredSamples[] | undefined>;
  /** Samples as the file has them, before the calibration. @throws RangeError where there are no such samples. */
  readDigital(index: number, range?: SampleRange): Promise<Int32Array>;
}

/** Opens a file; `close()` gives it back. @throws EdfError as `openEdf`, UserError where it can't be read. */
export async function openEdfFile(path: string, options: OpenEdfOptions = {}): Promise<EdfRecording> {
  const source = await openFileSource(path);
  try {
    return await openEdf(source, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Opens a recording by its header, its size, and the annotations of its first and last data record.
 * @throws EdfError where it is no EDF or BDF, or damaged; the source stays open.
 */
export async function openEdf(source: ByteSource, options: OpenEdfOptions = {}): Promise<EdfRecording> {
  const warnings: string[] = [];
  const promised = await readHeader(source);
  const header = await fitToSize(source, promised, options, warnings);
  const start = await checkTimekeeping(source, header, warnings);
  let annotations: Promise<readonly Annotation[]> | undefined;
  let segments: Promise<readonly Segment[]> | undefined;
  const read = async <A extends Samples>(
    ranges: readonly SignalRange[],
    make: (samples: number) => A,
    scale: (signal: EdfSignal) => { readonly gain: number; readonly shift: number },
  ): Promise<A[]> => {
    const requests = ranges.map((range) => {
      const { fromSample, samples } = resolveRange(header.signals, range);
      const signal = header.signals[range.signal]!;
      return { signal, fromSample, samples, ...scale(signal), target: make(samples) };
    });
    await readSamples(source, header, requests);
    return requests.map(({ target }) => target);
  };
  const calibrated = (signal: EdfSignal) => calibrationOf(header, signal, source.name);
  const physical = (ranges: readonly SignalRange[]): Promise<Float64Array[]> =>
    read(ranges, (samples) => new Float64Array(unfilled(8 * samples)), calibrated);
  return {
    name: source.name,
    header,
    signals: header.signals,
    start: startOf(header, start),
    warnings,
    readSignals: physical,
    readSignalsFloat32: (ranges) =>
      read(ranges, (samples) => new Float32Array(unfilled(4 * samples)), calibrated),
    readSignal: async (index, range = {}) => (await physical([{ ...range, signal: index }]))[0]!,
    readStored: (signals, records) =>
      readStored(
        source,
        header,
        signals.map((i) => header.signals[i] as EdfSignal),
        records,
      ),
    readDigital: async (index, range = {}) =>
      (
        await read(
          [{ ...range, signal: index }],
          (samples) => new Int32Array(unfilled(4 * samples)),
          () => ({ gain: 1, shift: 0 }),
        )
      )[0]!,
    annotations: () => (annotations ??= readAnnotations(source, header, start)),
    segments: () => (segments ??= readSegments(source, header, start)),
    close: () => source.close(),
  };
}

/** Memory that is not zeroed: every sample is written, or the array is given to nobody. A fifth of the time (measured). */
function unfilled(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer;
}

async function readHeader(source: ByteSource): Promise<EdfHeader> {
  const { name: file, size } = source;
  const truncated = (needed: number): EdfError =>
    new EdfError('truncated', `the file has ${size} bytes, its header alone has ${needed}`, {
      file,
      offset: size,
    });
  if (size < HEADER_BYTES) throw truncated(HEADER_BYTES);
  let bytes = await source.read(0, HEADER_BYTES);
  try {
    const headerBytes = edfHeaderBytes(bytes, file);
    if (size < headerBytes) throw truncated(headerBytes);
    bytes = await source.read(0, headerBytes);
    return parseEdfHeader(bytes, file);
  } catch (error) {
    if (!(error instanceof EdfError) || error.fault !== 'header' || !isHeaderMangled(bytes)) throw error;
    throw new EdfError('utf8-mangled', 'the header holds EF BF BD, so that its fields are out of place', {
      file,
      offset: Buffer.from(bytes).indexOf('\ufffd', 0, 'utf8'),
    });
  }
}

/** The header with the number of data records that can be read. @throws EdfError where that is not what it promises. */
async function fitToSize(
  source: ByteSource,
  header: EdfHeader,
  { wrongSize = 'refuse' }: OpenEdfOptions,
  warnings: string[],
): Promise<EdfHeader> {
  const { headerBytes, recordBytes, dataRecords } = header;
  const bodyBytes = source.size - headerBytes;
  const whole = Math.floor(bodyBytes / recordBytes);
  const rest = bodyBytes - whole * recordBytes;
  if (dataRecords === whole && rest === 0) return header;
  if (dataRecords === -1) {
    warnings.push(
      `The recording was not finished: its ${whole} data records are counted by the size of the file.`,
    );
    return withDataRecords(header, whole);
  }
  if (dataRecords === whole) {
    // Harmless, if nothing was put in between.
    const damage = await findDamage(source, header);
    if (damage !== undefined) throw errorAt(damage, source, headerBytes);
    warnings.push(`${rest} bytes follow the last data record.`);
    return header;
  }
  const damage = await findDamage(source, header);
  if (damage !== undefined) throw errorAt(damage, source, headerBytes);
  if (wrongSize === 'whole-records') {
    warnings.push(`The header promises ${dataRecords} data records, the file holds ${whole} whole ones.`);
    return withDataRecords(header, whole);
  }
  if (whole < dataRecords)
    throw new EdfError(
      'truncated',
      `the file ends in data record ${whole + 1} of ${dataRecords}, ${headerBytes + dataRecords * recordBytes - source.size} bytes early`,
      { file: source.name, offset: source.size },
    );
  throw new EdfError(
    'record-count',
    `the header promises ${dataRecords} data records, the file holds ${whole} of that size`,
    { file: source.name, offset: 236 },
  );
}

/**
 * The first data record's start time in seconds after the header's, which is below 1 in a faithful file. Where the first
 * or the last data record has no annotations in the place for them, the file is not what its header says.
 */
async function checkTimekeeping(source: ByteSource, header: EdfHeader, warnings: string[]): Promise<number> {
  const { dataRecords, continuity, annotationSignals, headerBytes } = header;
  const [timekeeper] = annotationSignals;
  if (dataRecords === 0) return 0;
  if (timekeeper === undefined) {
    const damage = await findDamage(source, header);
    if (damage !== undefined) throw errorAt(damage, source, headerBytes);
    if (continuity === 'discontinuous')
      throw new EdfError('timekeeping', 'a discontinuous file has no annotation signal to tell its gaps', {
        file: source.name,
        offset: 192,
      });
    if (continuity === 'continuous')
      warnings.push(`The header says ${header.version}+, but there is no annotation signal.`);
    return 0;
  }
  const talsOf = async (record: number): Promise<Tal[]> => {
    try {
      return await readTals(source, header, timekeeper, record);
    } catch (error) {
      if (!(error instanceof EdfError) || error.fault !== 'annotation') throw error;
      const damage = await findDamage(source, header);
      if (damage !== undefined) throw errorAt(damage, source, headerBytes);
      // Nothing but an onset can be at the start of a record: other bytes there are samples out of place.
      if (continuity === 'plain' || error.offset !== placeOf(record)) return [];
      throw new EdfError(
        'shifted',
        `data record ${record + 1} has other bytes where its start time must be`,
        error,
      );
    }
  };
  const placeOf = (record: number): number =>
    headerBytes + record * header.recordBytes + timekeeper.byteInRecord;
  const first = await talsOf(0);
  if (dataRecords > 1) await talsOf(dataRecords - 1);
  return recordOnset(first[0]) ?? 0;
}

function errorAt(
  damage: { readonly fault: EdfFault; readonly what: string },
  source: ByteSource,
  offset: number,
): EdfError {
  return new EdfError(damage.fault, damage.what, { file: source.name, offset });
}

/** The header's date and time, moved to the first sample; fractions of a second to the millisecond. */
function startOf({ startDate, startTime }: EdfHeader, firstOnset: number): string | undefined {
  if (startDate === undefined || startTime === undefined) return undefined;
  const time = Date.parse(`${startDate}T${startTime}Z`) + Math.round(firstOnset * 1000);
  if (!(Math.abs(time) < 8.64e15)) return undefined;
  return new Date(time).toISOString().replace(/(\.000)?Z$/, '');
}
