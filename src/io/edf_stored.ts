/** Samples as they stand in an EDF file that is in memory: for who converts them into a form of their own, without a copy. */

import { endianness } from 'node:os';
import type { ByteSource } from './byte_source.js';
import type { EdfHeader, EdfSignal } from './edf_header.js';
import { calibrationOf } from './edf_samples.js';

/** A signal's samples in whole data records: `run` of them, from `first` on, and again every `stride` numbers. */
export interface StoredSamples {
  readonly digital: Int16Array;
  readonly first: number;
  readonly run: number;
  readonly stride: number;
  /** In all. */
  readonly length: number;
  /** A physical value is `gain * (shift + digital)`, as `readSignals` computes it. */
  readonly gain: number;
  readonly shift: number;
}

/** Where records have fewer samples, to find them takes longer than to convert them. */
const LEAST_RUN = 16;

/**
 * Views of some signals' samples in data records `fromRecord` … `fromRecord + records − 1`, which are read at once;
 * undefined where they can't be viewed: in BDF, where the bytes begin at an odd place, or sampling rates differ.
 * @throws EdfError where a signal has no physical values.
 */
export async function readStored(
  source: ByteSource,
  header: EdfHeader,
  signals: readonly EdfSignal[],
  { fromRecord, records }: { readonly fromRecord: number; readonly records: number },
): Promise<StoredSamples[] | undefined> {
  const { headerBytes, recordBytes, sampleBytes } = header;
  const run = signals[0]?.samplesPerRecord ?? 0;
  const isUsable = run >= LEAST_RUN && signals.every(({ samplesPerRecord }) => samplesPerRecord === run);
  if (sampleBytes !== 2 || endianness() !== 'LE' || !isUsable) return undefined;
  const bytes = await source.read(headerBytes + fromRecord * recordBytes, records * recordBytes);
  if (bytes.byteOffset % 2 !== 0) return undefined;
  const digital = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return signals.map((signal) => ({
    digital,
    first: signal.byteInRecord / 2,
    run,
    stride: recordBytes / 2,
    length: records * run,
    ...calibrationOf(header, signal, source.name),
  }));
}
