/**
 * The header of EDF and BDF files and their plus variants, as pure functions over its bytes.
 * EDF: Kemp et al. 1992; EDF+: Kemp and Olivan 2003, https://www.edfplus.info/specs/edfplus.html;
 * BDF: https://www.biosemi.com/faq/file_format.htm.
 */

import { EdfError } from './edf_error.js';
import {
  isDate,
  type PatientIdentification,
  patientOf,
  type RecordingIdentification,
  recordingOf,
} from './edf_identification.js';
import type { RecordedSignal } from './recording.js';

/** Bytes of the header's first part, and of the part that each signal adds. */
export const HEADER_BYTES = 256;

/** An ordinary signal. */
export interface EdfSignal extends RecordedSignal {
  readonly transducer: string;
  readonly physicalMin: number;
  readonly physicalMax: number;
  readonly digitalMin: number;
  readonly digitalMax: number;
  readonly prefilter: string;
  readonly samplesPerRecord: number;
  readonly reserved: string;
  /** Its number in the file, annotation signals counted too; 0 for the first. */
  readonly position: number;
  /** Bytes of a data record before its samples. */
  readonly byteInRecord: number;
}

/** A signal that holds time-stamped annotations lists instead of samples. */
export interface EdfAnnotationSignal {
  readonly position: number;
  readonly byteInRecord: number;
  /** Bytes of it in a data record. */
  readonly bytes: number;
}

export interface EdfHeader {
  readonly version: 'EDF' | 'BDF';
  /** `plain` is EDF or BDF without plus; EDF+D and BDF+D are discontinuous. */
  readonly continuity: 'plain' | 'continuous' | 'discontinuous';
  /** The field as it is; `patientIdentification` has its parts. */
  readonly patient: string;
  readonly patientIdentification: PatientIdentification | undefined;
  /** The field as it is; `recordingIdentification` has its parts. */
  readonly recording: string;
  readonly recordingIdentification: RecordingIdentification | undefined;
  /** `2009-08-12`; undefined where the field is no date. Anonymised files often say 1985-01-01. */
  readonly startDate: string | undefined;
  /** `16:15:00`, local time; undefined where the field is no time. */
  readonly startTime: string | undefined;
  readonly headerBytes: number;
  /** Data records; −1 in the header where the recording was never finished. */
  readonly dataRecords: number;
  /** Seconds a data record; 0 where there are annotations only. */
  readonly recordSeconds: number;
  readonly recordBytes: number;
  /** 2 in EDF, 3 in BDF; little endian, two's complement. */
  readonly sampleBytes: 2 | 3;
  readonly signals: readonly EdfSignal[];
  readonly annotationSignals: readonly EdfAnnotationSignal[];
}

/**
 * Bytes of the whole header, from its first 256.
 * @throws EdfError where these are no EDF or BDF, or the number of signals is none.
 */
export function edfHeaderBytes(head: Uint8Array, file: string): number {
  versionOf(head, file);
  const signals = countField(new FieldReader(head, file, 252), 4, 'the number of signals', 1);
  return HEADER_BYTES * (signals + 1);
}

/**
 * Parses a header from all its bytes; the samples of its signals are counted by what the header says.
 * @throws EdfError naming the field and its offset.
 */
export function parseEdfHeader(bytes: Uint8Array, file: string): EdfHeader {
  const version = versionOf(bytes, file);
  const reader = new FieldReader(bytes, file, 8);
  const patient = reader.text(80);
  const recording = reader.text(80);
  const date = reader.text(8);
  const time = reader.text(8);
  const headerBytes = countField(reader, 8, 'the size of the header', HEADER_BYTES);
  const reserved = reader.text(44);
  const dataRecords = countField(reader, 8, 'the number of data records', -1);
  const recordSeconds = reader.number(8, 'the duration of a data record');
  if (recordSeconds < 0) throw reader.fault('the duration of a data record is negative');
  const signalCount = countField(reader, 4, 'the number of signals', 1);
  if (headerBytes !== HEADER_BYTES * (signalCount + 1))
    throw new EdfError(
      'header',
      `the header says that it has ${headerBytes} bytes: with ${signalCount} signals it has ${HEADER_BYTES * (signalCount + 1)}`,
      { file, offset: 184 },
    );
  const continuity = /^[EB]DF\+D/.test(reserved)
    ? 'discontinuous'
    : /^[EB]DF\+C/.test(reserved)
      ? 'continuous'
      : 'plain';
  const recordingIdentification = recordingOf(recording);
  const fields = readSignalFields(reader, signalCount);
  return {
    version,
    continuity,
    patient,
    patientIdentification: continuity === 'plain' ? undefined : patientOf(patient),
    recording,
    recordingIdentification,
    startDate: dateOf(date, recordingIdentification?.startDate),
    startTime: timeOf(time),
    headerBytes,
    dataRecords,
    recordSeconds,
    sampleBytes: version === 'BDF' ? 3 : 2,
    ...layOut(fields, { file, recordSeconds, dataRecords, sampleBytes: version === 'BDF' ? 3 : 2 }),
  };
}

/** The header for as many data records as the file really has. */
export function withDataRecords(header: EdfHeader, dataRecords: number): EdfHeader {
  const signals = header.signals.map((signal) => ({
    ...signal,
    samples: signal.samplesPerRecord * dataRecords,
  }));
  return { ...header, dataRecords, signals };
}

function versionOf(head: Uint8Array, file: string): 'EDF' | 'BDF' {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(8, head.length)).toString('latin1');
  if (/^0 {7}$/.test(text)) return 'EDF';
  if (text === '\xffBIOSEMI') return 'BDF';
  const place = { file, offset: 0 };
  if (text.startsWith('\xef\xbf\xbdBIOS'))
    throw new EdfError('utf8-mangled', "BDF's first byte, FF, became EF BF BD", place);
  throw new EdfError('not-edf', 'the file begins neither as EDF nor as BDF do', place);
}

/** Takes fields of printable text one after the other. */
class FieldReader {
  private readonly bytes: Uint8Array;
  private readonly file: string;
  private next: number;
  private last = 0;

  constructor(bytes: Uint8Array, file: string, offset: number) {
    this.bytes = bytes;
    this.file = file;
    this.next = offset;
  }

  /** A field without the blanks and zero bytes around it. */
  text(width: number): string {
    this.last = this.next;
    this.next += width;
    const text = decodeText(this.bytes.subarray(this.last, this.next));
    const zero = text.indexOf('\0');
    return (zero < 0 ? text : text.slice(0, zero)).trim();
  }

  /** A field that is a number; some writers have a comma for its point. */
  number(width: number, name: string): number {
    const text = this.text(width);
    const isNumber = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?$/.test(text);
    const value = isNumber ? Number(text.replace(',', '.')) : Number.NaN;
    if (!Number.isFinite(value)) throw this.fault(`${name} is no number: ${JSON.stringify(text)}`);
    return value;
  }

  /** The fault of the field that was taken last. */
  fault(what: string): EdfError {
    return new EdfError('header', what, { file: this.file, offset: this.last });
  }
}

/** UTF-8 where the bytes are that, else Latin-1: the standard wants ASCII, and writers put µ and names there. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function countField(reader: FieldReader, width: number, name: string, least: number): number {
  const value = reader.number(width, name);
  if (!Number.isInteger(value) || value < least)
    throw reader.fault(`${name} is ${value}, where a whole number of at least ${least} must be`);
  return value;
}

interface SignalFields {
  readonly label: string;
  readonly transducer: string;
  readonly unit: string;
  readonly physicalMin: number;
  readonly physicalMax: number;
  readonly digitalMin: number;
  readonly digitalMax: number;
  readonly prefilter: string;
  readonly samplesPerRecord: number;
  readonly reserved: string;
}

/** The header has each field for all signals, before the next field. */
function readSignalFields(reader: FieldReader, count: number): SignalFields[] {
  const each = <T>(take: (signal: string) => T): T[] =>
    Array.from({ length: count }, (_, i) => take(`of signal ${i + 1}`));
  const label = each(() => reader.text(16));
  const transducer = each(() => reader.text(80));
  const unit = each(() => reader.text(8));
  const physicalMin = each((signal) => reader.number(8, `the physical minimum ${signal}`));
  const physicalMax = each((signal) => reader.number(8, `the physical maximum ${signal}`));
  const digitalMin = each((signal) => reader.number(8, `the digital minimum ${signal}`));
  const digitalMax = each((signal) => reader.number(8, `the digital maximum ${signal}`));
  const prefilter = each(() => reader.text(80));
  const samplesPerRecord = each((signal) => countField(reader, 8, `the samples a data record ${signal}`, 1));
  const reserved = each(() => reader.text(32));
  return label.map((name, i) => ({
    label: name,
    transducer: transducer[i]!,
    unit: unit[i]!,
    physicalMin: physicalMin[i]!,
    physicalMax: physicalMax[i]!,
    digitalMin: digitalMin[i]!,
    digitalMax: digitalMax[i]!,
    prefilter: prefilter[i]!,
    samplesPerRecord: samplesPerRecord[i]!,
    reserved: reserved[i]!,
  }));
}

/** Where each signal stands in a data record. Annotation signals are told by their label, whatever the header claims to be. */
function layOut(
  fields: readonly SignalFields[],
  file: {
    readonly file: string;
    readonly recordSeconds: number;
    readonly dataRecords: number;
    readonly sampleBytes: number;
  },
): Pick<EdfHeader, 'signals' | 'annotationSignals' | 'recordBytes'> {
  const signals: EdfSignal[] = [];
  const annotationSignals: EdfAnnotationSignal[] = [];
  let recordBytes = 0;
  fields.forEach((signal, position) => {
    const bytes = signal.samplesPerRecord * file.sampleBytes;
    const place = { position, byteInRecord: recordBytes };
    if (/^[EB]DF Annotations$/i.test(signal.label)) annotationSignals.push({ ...place, bytes });
    else {
      const samplingRate = signal.samplesPerRecord / file.recordSeconds;
      signals.push({
        ...signal,
        ...place,
        samplingRate,
        samples: signal.samplesPerRecord * Math.max(0, file.dataRecords),
      });
    }
    recordBytes += bytes;
  });
  if (signals.length > 0 && file.recordSeconds === 0)
    throw new EdfError(
      'header',
      `a data record lasts 0 seconds, though ${signals[0]!.label || 'a signal'} has samples in it`,
      { file: file.file, offset: 244 },
    );
  return { signals, annotationSignals, recordBytes };
}

/** From `dd.mm.yy`, whose yy is 1985 to 2084, or `yy` in letters where only the recording's own start date has the year. */
function dateOf(field: string, fromRecording: string | undefined): string | undefined {
  const [, day, month, year] = /^(\d\d)[^\d](\d\d)[^\d](\d\d|yy)$/.exec(field) ?? [];
  if (day === undefined || month === undefined || year === undefined) return fromRecording;
  const tail = `-${month}-${day}`;
  if (fromRecording?.endsWith(year === 'yy' ? tail : `${year}${tail}`)) return fromRecording;
  if (year === 'yy') return undefined;
  const date = `${Number(year) >= 85 ? 19 : 20}${year}${tail}`;
  return isDate(date) ? date : fromRecording;
}

/** From `hh.mm.ss`; some writers put a colon or a blank for a leading zero. */
function timeOf(field: string): string | undefined {
  const [, hour, minute, second] = /^([\d ]?\d)[.:]([\d ]\d)[.:]([\d ]\d)$/.exec(field) ?? [];
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  return [hour, minute, second].map((part) => part.trim().padStart(2, '0')).join(':');
}
