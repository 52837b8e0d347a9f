/** From data records to numbers: which bytes of an EDF or BDF file to read for some samples, and what they mean. */

import { endianness } from 'node:os';
import type { ByteSource } from './byte_source.js';
import { EdfError } from './edf_error.js';
import type { EdfHeader, EdfSignal } from './edf_header.js';

/** Whole data records are read in pieces of this size; larger ones are no faster (measured). */
export const PIECE_BYTES = 1 << 20;

/** A read of its own costs about as much as copying this many bytes more (measured), so smaller gaps are read along. */
const GAP_BYTES = 1 << 15;

/** What values are read into. */
export type Samples = Float64Array | Float32Array | Int32Array;

/** Samples of a signal, and where they go. */
export interface SampleRequest {
  readonly signal: EdfSignal;
  readonly fromSample: number;
  readonly samples: number;
  readonly target: Samples;
  /** A value is `gain * (shift + digital)`: 1 and 0 leave the digital one. */
  readonly gain: number;
  readonly shift: number;
}

/**
 * The `gain` and `shift` that give a signal's physical values, as EDFlib computes them: results are equal to the last bit.
 * @throws EdfError where its ranges are empty.
 */
export function calibrationOf(
  header: EdfHeader,
  signal: EdfSignal,
  file: string,
): { readonly gain: number; readonly shift: number } {
  const { physicalMin, physicalMax, digitalMin, digitalMax } = signal;
  const gain = (physicalMax - physicalMin) / (digitalMax - digitalMin);
  const shift = physicalMax / gain - digitalMax;
  if (Number.isFinite(gain) && Number.isFinite(shift) && gain !== 0) return { gain, shift };
  const isDigital = digitalMin === digitalMax;
  const signals = header.headerBytes / 256 - 1;
  // Bytes a signal of the fields before: label, transducer and unit, then both physical limits.
  const before = 256 + signals * (isDigital ? 104 + 16 : 104) + 8 * signal.position;
  const [least, most] = isDigital ? [digitalMin, digitalMax] : [physicalMin, physicalMax];
  throw new EdfError(
    'calibration',
    `signal ${signal.label} has no physical values: its ${isDigital ? 'digital' : 'physical'} range is ${least} to ${most}`,
    { file, offset: before },
  );
}

/** Reads all requests in one pass over the data records that hold them. */
export async function readSamples(
  source: ByteSource,
  header: EdfHeader,
  requests: readonly SampleRequest[],
): Promise<void> {
  const asked = requests.filter(({ samples }) => samples > 0);
  const bytesARecord = asked.reduce(
    (sum, { signal }) => sum + signal.samplesPerRecord * header.sampleBytes,
    0,
  );
  if (areRecordsReadWhole(header, bytesARecord, asked.length)) await readWhole(source, header, asked);
  else for (const request of asked) await readAlone(source, header, request);
}

/** Whether reading all of each data record is cheaper than `stretches` reads in each, which want `bytes` of it. */
export function areRecordsReadWhole(header: EdfHeader, bytes: number, stretches: number): boolean {
  return header.recordBytes <= PIECE_BYTES && header.recordBytes - bytes <= stretches * GAP_BYTES;
}

async function readWhole(
  source: ByteSource,
  header: EdfHeader,
  requests: readonly SampleRequest[],
): Promise<void> {
  const { recordBytes, sampleBytes } = header;
  const firstRecord = Math.min(...requests.map(firstRecordOf));
  const endRecord = Math.max(...requests.map(endRecordOf));
  const atOnce = Math.floor(PIECE_BYTES / recordBytes);
  const scratch = new Uint8Array(Math.min(atOnce, endRecord - firstRecord) * recordBytes);
  for (let record = firstRecord; record < endRecord; record += atOnce) {
    const records = Math.min(atOnce, endRecord - record);
    const offset = header.headerBytes + record * recordBytes;
    const piece = samplesIn(await source.read(offset, records * recordBytes, scratch), sampleBytes);
    for (const request of requests) {
      const from = Math.max(record, firstRecordOf(request));
      const to = Math.min(record + records, endRecordOf(request));
      for (let r = from; r < to; ) r += decodeRecords(piece, r, { first: record, to, recordBytes }, request);
    }
  }
}

/** Decodes what a request wants of data record `r`, and of all that follow if it wants them whole. Gives their number. */
function decodeRecords(
  piece: Piece,
  r: number,
  records: { readonly first: number; readonly to: number; readonly recordBytes: number },
  request: SampleRequest,
): number {
  const { signal, fromSample, samples } = request;
  const perRecord = signal.samplesPerRecord;
  const first = Math.max(fromSample, r * perRecord);
  const end = Math.min(fromSample + samples, (r + 1) * perRecord);
  const isWhole = end - first === perRecord;
  const repeats = isWhole ? Math.min(records.to, Math.floor((fromSample + samples) / perRecord)) - r : 1;
  const inRecord = signal.byteInRecord + (first - r * perRecord) * piece.sampleBytes;
  const start = (r - records.first) * records.recordBytes + inRecord;
  decode(piece, request, {
    start,
    count: end - first,
    repeats,
    stride: records.recordBytes,
    at: first - fromSample,
  });
  return repeats;
}

async function readAlone(source: ByteSource, header: EdfHeader, request: SampleRequest): Promise<void> {
  const { recordBytes, sampleBytes, headerBytes } = header;
  const { signal, fromSample, samples } = request;
  const perRecord = signal.samplesPerRecord;
  const atOnce = Math.floor(PIECE_BYTES / sampleBytes);
  const scratch = new Uint8Array(Math.min(atOnce, samples, perRecord) * sampleBytes);
  for (let first = fromSample; first < fromSample + samples; ) {
    const record = Math.floor(first / perRecord);
    const end = Math.min(fromSample + samples, (record + 1) * perRecord, first + atOnce);
    const inRecord = signal.byteInRecord + (first - record * perRecord) * sampleBytes;
    const offset = headerBytes + record * recordBytes + inRecord;
    const bytes = await source.read(offset, (end - first) * sampleBytes, scratch);
    const run = { start: 0, count: end - first, repeats: 1, stride: 0, at: first - fromSample };
    decode(samplesIn(bytes, sampleBytes), request, run);
    first = end;
  }
}

function firstRecordOf({ signal, fromSample }: SampleRequest): number {
  return Math.floor(fromSample / signal.samplesPerRecord);
}

function endRecordOf({ signal, fromSample, samples }: SampleRequest): number {
  return Math.ceil((fromSample + samples) / signal.samplesPerRecord);
}

/** A view of 16-bit samples where the machine and the alignment allow one, else the bytes. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly sampleBytes: 2 | 3;
  readonly int16: Int16Array | undefined;
}

function samplesIn(bytes: Uint8Array, sampleBytes: 2 | 3): Piece {
  const isView = sampleBytes === 2 && bytes.byteOffset % 2 === 0 && endianness() === 'LE';
  const int16 = isView ? new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1) : undefined;
  return { bytes, sampleBytes, int16 };
}

/** Samples that follow each other, and again in the data records that follow: in bytes of the piece, but `at` in samples. */
interface Run {
  readonly start: number;
  readonly count: number;
  readonly repeats: number;
  readonly stride: number;
  /** Index into the target. */
  readonly at: number;
}

function decode(piece: Piece, request: SampleRequest, run: Run): void {
  const { target } = request;
  if (piece.int16 !== undefined) {
    const scale =
      target instanceof Float64Array
        ? scaleToFloat64
        : target instanceof Float32Array
          ? scaleToFloat32
          : scaleToInt32;
    scale(piece.int16, request, { ...run, start: run.start >> 1, stride: run.stride >> 1 });
  } else if (piece.sampleBytes === 2) scaleBytes16(piece.bytes, request, run);
  else scaleBytes24(piece.bytes, request, run);
}

type Scale<From> = (from: From, request: SampleRequest, run: Run) => void;

/** One function for each kind of target: V8 compiles each for the one kind that it meets (a third faster, measured). */
const scaleToFloat64 = makeScale16();
const scaleToFloat32 = makeScale16();
const scaleToInt32 = makeScale16();

function makeScale16(): Scale<Int16Array> {
  return (from, { target: to, gain, shift }, { start, count, repeats, stride, at }) => {
    let o = at;
    for (let repeat = 0; repeat < repeats; repeat++) {
      let i = start + repeat * stride;
      const end = i + count;
      // Four at a time: a third faster (measured).
      for (; i + 3 < end; i += 4, o += 4) {
        const a = from[i]!;
        const b = from[i + 1]!;
        const c = from[i + 2]!;
        const d = from[i + 3]!;
        to[o] = gain * (shift + a);
        to[o + 1] = gain * (shift + b);
        to[o + 2] = gain * (shift + c);
        to[o + 3] = gain * (shift + d);
      }
      for (; i < end; i++, o++) to[o] = gain * (shift + from[i]!);
    }
  };
}

const scaleBytes16: Scale<Uint8Array> = (from, { target: to, gain, shift }, run) => {
  let o = run.at;
  for (let repeat = 0; repeat < run.repeats; repeat++) {
    let b = run.start + repeat * run.stride;
    for (const end = b + 2 * run.count; b < end; b += 2, o++)
      to[o] = gain * (shift + (((from[b]! << 16) | (from[b + 1]! << 24)) >> 16));
  }
};

const scaleBytes24: Scale<Uint8Array> = (from, { target: to, gain, shift }, run) => {
  let o = run.at;
  for (let repeat = 0; repeat < run.repeats; repeat++) {
    let b = run.start + repeat * run.stride;
    for (const end = b + 3 * run.count; b < end; b += 3, o++)
      to[o] = gain * (shift + (((from[b]! << 8) | (from[b + 1]! << 16) | (from[b + 2]! << 24)) >> 8));
  }
};
