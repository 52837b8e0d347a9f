/** Reads BrainVision recordings, `.vhdr` with `.eeg` and `.vmrk`, by byte ranges. */

import { basename, dirname, join } from 'node:path';
import {
  type BrainVisionHeader,
  type BrainVisionMarker,
  parseBrainVisionHeader,
  parseBrainVisionMarkers,
} from './brainvision_header.js';
import { type ByteSource, openFileSource } from './byte_source.js';
import { UserError } from './errors.js';
import {
  type Annotation,
  type RecordedSignal,
  type Recording,
  resolveRange,
  type Segment,
  type SignalRange,
} from './recording.js';

/** Headers and markers are text of some kilobytes, markers of long recordings of some megabytes. */
const MOST_TEXT_BYTES = 2 ** 28;

/** Samples are read in pieces of this size. */
const PIECE_BYTES = 1 << 20;

export interface BrainVisionRecording extends Recording {
  readonly header: BrainVisionHeader;
}

/**
 * Opens the recording of a `.vhdr` file. An annotation's text is `Type/Description`, e.g. `Stimulus/S  1`; new segments are no
 * annotations but segments, as far apart as their dates tell. @throws UserError naming the file and the line that is wrong.
 */
export async function openBrainVisionFile(path: string): Promise<BrainVisionRecording> {
  const header = parseBrainVisionHeader(await readText(path), path);
  const beside = (name: string): string => join(dirname(path), name);
  const markers =
    header.markerFile === undefined
      ? []
      : parseBrainVisionMarkers(await readText(beside(header.markerFile)), beside(header.markerFile));
  const source = await openFileSource(beside(header.dataFile));
  try {
    return recordingOf(path, header, markers, source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function recordingOf(
  path: string,
  header: BrainVisionHeader,
  markers: readonly BrainVisionMarker[],
  source: ByteSource,
): BrainVisionRecording {
  const samples = samplesIn(header, source);
  const signals = header.channels.map(
    ({ label, unit }): RecordedSignal => ({ label, unit, samplingRate: header.samplingRate, samples }),
  );
  const segments = segmentsOf(header, markers, samples);
  const annotations = annotationsOf(markers, segments);
  const read = (ranges: readonly SignalRange[]): Promise<Float64Array[]> =>
    readSamples(
      source,
      header,
      samples,
      ranges.map((range) => ({ ...range, ...resolveRange(signals, range) })),
    );
  return {
    name: path,
    header,
    signals,
    start: markers.find(isNewSegment)?.date?.replace(/\.000$/, ''),
    warnings: [],
    readSignals: read,
    readSignal: async (signal, range = {}) => (await read([{ ...range, signal }]))[0]!,
    annotations: async () => annotations,
    segments: async () => segments,
    close: () => source.close(),
  };
}

async function readText(path: string): Promise<Uint8Array> {
  const source = await openFileSource(path);
  try {
    if (source.size > MOST_TEXT_BYTES)
      throw new UserError(`${source.size} bytes are no header or markers`, {
        where: path,
        remedy: 'give it the .vhdr file of a BrainVision recording',
      });
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function samplesIn(header: BrainVisionHeader, { size, name }: ByteSource): number {
  const frameBytes = header.channels.length * sampleBytesOf(header);
  const samples = Math.floor(size / frameBytes);
  const promised = header.dataPoints ?? samples;
  if (size % frameBytes === 0 && promised === samples) return samples;
  const expected = header.dataPoints === undefined ? `a multiple of ${frameBytes}` : promised * frameBytes;
  throw new UserError(`the samples have ${size} bytes, not ${expected} as the header promises`, {
    where: name,
    remedy: 'fetch the file again, in binary mode',
  });
}

function sampleBytesOf({ sampleFormat }: BrainVisionHeader): number {
  return sampleFormat === 'INT_16' ? 2 : 4;
}

interface Range {
  readonly signal: number;
  readonly fromSample: number;
  readonly samples: number;
}

async function readSamples(
  source: ByteSource,
  header: BrainVisionHeader,
  total: number,
  ranges: readonly Range[],
): Promise<Float64Array[]> {
  const targets = ranges.map(({ samples }) => new Float64Array(samples));
  const bytes = sampleBytesOf(header);
  // A multiplexed file is read once for all, a vectorised one once for each: it has each channel in one piece.
  if (header.orientation === 'VECTORIZED') {
    for (const [i, range] of ranges.entries())
      await readFrames(
        source,
        { ...range, base: range.signal * total * bytes, frameBytes: bytes },
        (frames, from) =>
          decode(frames, header, { range, target: targets[i]!, from, offset: 0, frameBytes: bytes }),
      );
    return targets;
  }
  const frameBytes = header.channels.length * bytes;
  const asked = ranges.filter(({ samples }) => samples > 0);
  if (asked.length === 0) return targets;
  const fromSample = Math.min(...asked.map((range) => range.fromSample));
  const samples = Math.max(...asked.map((range) => range.fromSample + range.samples)) - fromSample;
  await readFrames(source, { fromSample, samples, base: 0, frameBytes }, (frames, from) => {
    for (const [i, range] of ranges.entries())
      decode(frames, header, { range, target: targets[i]!, from, offset: range.signal * bytes, frameBytes });
  });
  return targets;
}

/** Gives pieces of whole frames, each with the number of its first sample. */
async function readFrames(
  source: ByteSource,
  wanted: {
    readonly fromSample: number;
    readonly samples: number;
    readonly base: number;
    readonly frameBytes: number;
  },
  take: (frames: DataView, from: number) => void,
): Promise<void> {
  const { base, frameBytes } = wanted;
  const atOnce = Math.max(1, Math.floor(PIECE_BYTES / frameBytes));
  const end = wanted.fromSample + wanted.samples;
  const scratch = new Uint8Array(Math.max(0, Math.min(atOnce, wanted.samples)) * frameBytes);
  for (let from = wanted.fromSample; from < end; from += atOnce) {
    const frames = Math.min(atOnce, end - from);
    const bytes = await source.read(base + from * frameBytes, frames * frameBytes, scratch);
    take(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), from);
  }
}

function decode(
  frames: DataView,
  header: BrainVisionHeader,
  place: {
    readonly range: Range;
    readonly target: Float64Array;
    readonly from: number;
    readonly offset: number;
    readonly frameBytes: number;
  },
): void {
  const { range, target, from, offset, frameBytes } = place;
  const { resolution } = header.channels[range.signal]!;
  const isLittle = header.byteOrder === 'little';
  const first = Math.max(from, range.fromSample);
  const end = Math.min(from + Math.floor(frames.byteLength / frameBytes), range.fromSample + range.samples);
  const { sampleFormat } = header;
  for (let sample = first; sample < end; sample++) {
    const at = (sample - from) * frameBytes + offset;
    const stored =
      sampleFormat === 'INT_16'
        ? frames.getInt16(at, isLittle)
        : sampleFormat === 'INT_32'
          ? frames.getInt32(at, isLittle)
          : frames.getFloat32(at, isLittle);
    target[sample - range.fromSample] = stored * resolution;
  }
}

function isNewSegment({ type }: BrainVisionMarker): boolean {
  return type.toLowerCase() === 'new segment';
}

function segmentsOf(
  header: BrainVisionHeader,
  markers: readonly BrainVisionMarker[],
  samples: number,
): Segment[] {
  const recordSeconds = 1 / header.samplingRate;
  const starts = markers
    .filter((marker) => isNewSegment(marker) && marker.position < samples)
    .toSorted((a, b) => a.position - b.position);
  const dates = new Map(starts.map(({ position, date }) => [position, date]));
  const firstDate = dates.get(0);
  const positions = [...new Set([0, ...dates.keys()])];
  const segments: Segment[] = [];
  for (const [i, fromRecord] of positions.entries()) {
    const records = (positions[i + 1] ?? samples) - fromRecord;
    if (records === 0) continue;
    const previous = segments.at(-1);
    const ended = previous === undefined ? 0 : previous.onset + previous.duration;
    const date = dates.get(fromRecord);
    // Without a date, how long the pause was is not known: no time is the least that it can be.
    const passed = date === undefined || firstDate === undefined ? ended : secondsBetween(firstDate, date);
    const onset = Math.max(ended, passed);
    segments.push({ onset, duration: records * recordSeconds, fromRecord, records, recordSeconds });
  }
  return segments;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / 1000;
}

function annotationsOf(markers: readonly BrainVisionMarker[], segments: readonly Segment[]): Annotation[] {
  let at = 0;
  return markers
    .filter((marker) => !isNewSegment(marker))
    .toSorted((a, b) => a.position - b.position)
    .map(({ type, description, position, size }) => {
      while (at + 1 < segments.length && segments[at + 1]!.fromRecord <= position) at++;
      const { onset, fromRecord, recordSeconds } = segments[at] ?? {
        onset: 0,
        fromRecord: 0,
        recordSeconds: 0,
      };
      const duration = size > 1 ? { duration: size * recordSeconds } : {};
      return {
        onset: onset + (position - fromRecord) * recordSeconds,
        ...duration,
        text: `${type}/${description}`,
      };
    });
}

/** Whether a path is one of the two files that a header leads to, and which header that would be. */
export function headerBeside(path: string): string | undefined {
  return /\.(eeg|vmrk)$/i.test(path)
    ? join(dirname(path), basename(path).replace(/\.[^.]*$/, '.vhdr'))
    : undefined;
}
