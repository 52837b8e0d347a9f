/** What every recording of signals over time is, whatever its file format: signals, annotations and contiguous stretches. */

/** One channel. Each has its own sampling rate. */
export interface RecordedSignal {
  /** As the file has it, without the blanks at its ends, e.g. `EEG Fpz-Cz`. */
  readonly label: string;
  /** Physical unit as the file has it, e.g. `uV`; empty where it has none. */
  readonly unit: string;
  /** In Hz. */
  readonly samplingRate: number;
  /** In the whole recording. */
  readonly samples: number;
}

/** Something that happened, or was the case for a while. */
export interface Annotation {
  /** Seconds after the first sample of the recording; may be negative or past its end. */
  readonly onset: number;
  /** Seconds; absent where the file gives none, which is not the same as 0. */
  readonly duration?: number;
  readonly text: string;
}

/** A stretch without gaps. Between two segments time has passed of which there are no samples. */
export interface Segment {
  /** Seconds after the first sample of the recording. */
  readonly onset: number;
  /** Seconds. */
  readonly duration: number;
  /** The share of the recording's samples that come before it: the same for every signal, see `samplesOfWindow`. */
  readonly fromRecord: number;
  readonly records: number;
  /** Seconds a record: records are the file's data records in EDF and BDF, single samples elsewhere. */
  readonly recordSeconds: number;
}

/** Samples of one signal. */
export interface SampleRange {
  /** 0 for the first of the recording; 0 where not said. */
  readonly fromSample?: number;
  /** All that follow where not said. */
  readonly samples?: number;
}

/** Samples of one signal among several. */
export interface SignalRange extends SampleRange {
  /** Index into `signals`. */
  readonly signal: number;
}

/** An open recording. */
export interface Recording {
  /** The path, or what else errors call it. */
  readonly name: string;
  readonly signals: readonly RecordedSignal[];
  /** Local time of the first sample as far as the file tells it, `2009-08-12T16:15:00`; without a zone, files have none. */
  readonly start: string | undefined;
  /** What is odd about the file but does no harm, a sentence each. */
  readonly warnings: readonly string[];
  /** Physical values, in the signal's unit. @throws RangeError where there are no such samples. */
  readSignal(index: number, range?: SampleRange): Promise<Float64Array>;
  /** The same for several at once, in one pass over the file: what a window of many channels needs. */
  readSignals(ranges: readonly SignalRange[]): Promise<Float64Array[]>;
  /** All annotations, ordered by onset. */
  annotations(): Promise<readonly Annotation[]>;
  /** In order of time. One where the recording has no gaps, none where it has no samples. */
  segments(): Promise<readonly Segment[]>;
  close(): Promise<void>;
}

/**
 * The samples of a signal that a window holds, the first one nearest to its onset; undefined where the window is not
 * wholly inside one segment. `onset` and `duration` are in seconds. The same duration always has the same number of samples.
 */
export function samplesOfWindow(
  segments: readonly Segment[],
  signal: RecordedSignal,
  window: { readonly onset: number; readonly duration: number },
): { readonly fromSample: number; readonly samples: number } | undefined {
  const { samplingRate } = signal;
  const samples = Math.round(window.duration * samplingRate);
  for (const segment of segments) {
    const perRecord = samplingRate * segment.recordSeconds;
    const first = Math.round((window.onset - segment.onset) * samplingRate);
    if (first < 0 || first + samples > Math.round(segment.records * perRecord)) continue;
    return { fromSample: Math.round(segment.fromRecord * perRecord) + first, samples };
  }
  return undefined;
}

/** SI prefixes that physical units of electrophysiology have; µ is U+00B5 or U+03BC, and `u` in EDF. */
const PREFIXES: Readonly<Record<string, number>> = { n: 1e-9, u: 1e-6, µ: 1e-6, μ: 1e-6, m: 1e-3, '': 1 };

/** Volts that 1 of a unit is, e.g. 1e-6 for `uV` and `µV`; undefined where it is no voltage. */
export function voltsPerUnit(unit: string): number | undefined {
  const [, prefix] = /^([nuµμm]?)V$/i.exec(unit.trim()) ?? [];
  // `MV` is no megavolt in any recording of a body, nor `UV` anything but a microvolt.
  return prefix === undefined ? undefined : PREFIXES[prefix.toLowerCase()];
}

/** The range with its defaults filled in. @throws RangeError where the signal has no such samples. */
export function resolveRange(
  signals: readonly RecordedSignal[],
  range: SignalRange,
): { readonly fromSample: number; readonly samples: number } {
  const signal = signals[range.signal];
  if (signal === undefined) throw new RangeError(`signal ${range.signal} of ${signals.length}`);
  const { fromSample = 0, samples = signal.samples - fromSample } = range;
  const isRange =
    Number.isInteger(fromSample) &&
    Number.isInteger(samples) &&
    fromSample >= 0 &&
    samples >= 0 &&
    fromSample + samples <= signal.samples;
  if (!isRange)
    throw new RangeError(
      `samples ${fromSample} to ${fromSample + samples} of ${signal.samples} of signal ${signal.label}`,
    );
  return { fromSample, samples };
}
