/** From the bytes of a recording to windows of it: signal steps once over each stretch without gaps, then cut. */

import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { reconcileChannels } from '../datasets/chb_mit/montage.js';
import { canonicalChannel, pickChannels } from '../eeg/channel_names.js';
import { readSignal } from '../eeg/read_signal.js';
import { type ChannelSamples, type Signal, signalTensor } from '../eeg/signal.js';
import { SignalError, type SignalFault } from '../eeg/signal_error.js';
import {
  applySteps,
  channelsToRead,
  type SignalStep,
  samplingRateAfter,
  splitSteps,
  stepsId,
} from '../eeg/steps.js';
import { cutWindow, eventWindows, type SampleWindow, stretchesOf } from '../eeg/windows.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { EdfError } from '../io/edf_error.js';
import { UserError } from '../io/errors.js';
import { readMuseCsv } from '../io/muse_csv.js';
import { openRecording } from '../io/open_recording.js';
import { type Recording, type Segment, voltsPerUnit } from '../io/recording.js';
import type { InputHint, Preparation, PreparationOutcome, PreparedInput } from './problem.js';
import type { RejectionReason } from './rejection.js';

export interface EegPreparationSpec {
  /** As `EegSettings.steps`. */
  readonly steps: readonly SignalStep[];
  /** In Hz; recordings of another rate are rejected. Any rate where absent. */
  readonly samplingRate?: number;
  /**
   * How channels are found: by `name`, or as the `bipolar` differences that recordings have under either name or as two
   * electrodes (see `reconcileChannels`).
   */
  readonly find: 'name' | 'bipolar';
  /** What a channel without a unit is in; such are refused where absent. */
  readonly blankUnit?: string;
}

/** What is known of a window beside its samples. */
export interface WindowFacts {
  /** By their canonical names. */
  readonly channels: readonly string[];
  /** In Hz. */
  readonly samplingRate: number;
  /** Seconds from the start of the recording to the first sample. */
  readonly onset: number;
}

/** Raised when the same steps give other bytes. */
const PREPARATION_VERSION = 1;

/**
 * Prepares windows of recordings: the bytes are channels × samples as 32-bit floats, little endian, channel after channel.
 * As MNE does, the steps are applied to the continuous signal and windows are cut from the result; only from the first
 * standardisation on, steps see the window alone.
 */
export function eegPreparation(spec: EegPreparationSpec): Preparation {
  const words = [PREPARATION_VERSION, stepsId(spec.steps), spec.samplingRate, spec.find, spec.blankUnit];
  return {
    id: preparationId('eeg', words),
    async prepare(raw, wanted) {
      try {
        const recording = await open(raw, wanted[0]?.path);
        try {
          return await cutWindows(await readable(recording, spec), afterReading(spec.steps), wanted);
        } finally {
          await recording.close();
        }
      } catch (error) {
        const failure = failureOf(error);
        return wanted.map(() => failure);
      }
    },
  };
}

/** A name for a way of preparing that is short enough for a folder's. */
export function preparationId(kind: string, words: readonly unknown[]): string {
  return `${kind}-${createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16)}`;
}

/** The samples of a prepared window, channels × samples. */
export function windowSamples(input: PreparedInput): Float32Array {
  // A copy: the bytes may begin anywhere.
  return new Float32Array(Uint8Array.from(input.bytes).buffer);
}

/** What `prepare` found out of a window. */
export function windowFacts(input: PreparedInput): WindowFacts {
  return input.facts as unknown as WindowFacts;
}

/** A signal that can be read in parts. */
export interface ReadableSignal {
  /** In Hz. */
  readonly samplingRate: number;
  /** As `Recording.segments` gives them. */
  readonly segments: readonly Segment[];
  readonly channels: number;
  /** Whether channels can be read one at a time. */
  readonly isOneByOne: boolean;
  /** A stretch of some channels, by their numbers; of all where undefined. */
  read(segment: Segment, channels: readonly number[] | undefined): Promise<Signal>;
}

/** Samples that are held at once, of all channels that a step needs together: 1 GiB of 64-bit floats. */
const MOST_SAMPLES = 2 ** 27;

/**
 * Windows of a signal, each wholly inside a segment.
 * @param steps all, without the pick that reading was
 */
export async function cutWindows(
  signal: ReadableSignal,
  steps: readonly SignalStep[],
  wanted: readonly InputHint[],
): Promise<PreparationOutcome[]> {
  const { recording, window } = splitSteps(steps);
  const { segments } = signal;
  const rate = samplingRateAfter(recording, signal.samplingRate);
  const stretches = stretchesOf(segments, rate);
  const cuts = wanted.map(({ window: span }) => {
    if (span === undefined) throw new Error('an input of a recording needs a window');
    return eventWindows(stretches, rate, [span], { seconds: span.duration })[0]?.window;
  });
  const outcomes: PreparationOutcome[] = wanted.map(({ window: span }) => outside(span, segments));
  for (const [number, segment] of segments.entries()) {
    const here = cuts.flatMap((cut, i) => (cut?.stretch === number ? [{ cut, i }] : []));
    if (here.length === 0) continue;
    try {
      const cutHere = here.map(({ cut }) => cut);
      const parts = await cutSegment({ signal, segment, steps: recording, cuts: cutHere, window });
      for (const [at, bytes] of parts.tensors.entries()) {
        const { cut, i } = here[at] as (typeof here)[number];
        const facts = { channels: parts.channels, samplingRate: rate, onset: cut.onset };
        outcomes[i] = { ok: true, bytes: new Uint8Array(bytes), facts };
      }
    } catch (error) {
      const failure = failureOf(error);
      for (const { i } of here) outcomes[i] = failure;
    }
  }
  return outcomes;
}

/** Channels at once: resampling computes four in the time of one, and more would only take memory. */
const CHANNELS_AT_ONCE = 4;

/** Tensors of windows of one segment, whose steps for whole recordings see a few channels after the others where they can. */
async function cutSegment(options: {
  readonly signal: ReadableSignal;
  readonly segment: Segment;
  readonly steps: readonly SignalStep[];
  readonly cuts: readonly SampleWindow[];
  /** The steps for windows. */
  readonly window: readonly SignalStep[];
}): Promise<{ readonly channels: readonly string[]; readonly tensors: readonly ArrayBufferLike[] }> {
  const { signal, segment, steps, cuts, window } = options;
  const isOneByOne =
    signal.isOneByOne && steps.every(({ step }) => step !== 'rereference' && step !== 'pick');
  const groups = isOneByOne
    ? Array.from({ length: Math.ceil(signal.channels / CHANNELS_AT_ONCE) }, (_, group) =>
        Array.from(
          { length: Math.min(CHANNELS_AT_ONCE, signal.channels - group * CHANNELS_AT_ONCE) },
          (__, i) => group * CHANNELS_AT_ONCE + i,
        ),
      )
    : [undefined];
  const samples = Math.round(segment.records * segment.recordSeconds * signal.samplingRate);
  const together = isOneByOne ? Math.min(CHANNELS_AT_ONCE, signal.channels) : signal.channels;
  if (samples * together > MOST_SAMPLES)
    throw new UserError(
      `${samples} samples of ${together} channels at once are more than memory should hold`,
    );
  // Steps for windows get all the digits; without them windows are kept as they will be written, in half the memory.
  const Samples = window.length === 0 ? Float32Array : Float64Array;
  let held: ChannelSamples[] = [];
  const channels: string[] = [];
  for (const group of groups) {
    const whole = applySteps(await signal.read(segment, group), steps);
    const count = isOneByOne ? signal.channels : whole.channels.length;
    if (held.length === 0) held = cuts.map((cut) => new Samples(count * cut.samples));
    for (const [i, cut] of cuts.entries())
      for (const [row, data] of cutWindow(whole, cut).data.entries())
        held[i]?.set(data, (channels.length + row) * cut.samples);
    channels.push(...whole.channels);
  }
  if (window.length === 0) return { channels, tensors: held.map(({ buffer }) => buffer) };
  const tensors = held.map((values) => {
    const length = values.length / channels.length;
    const data = channels.map((_, row) => values.subarray(row * length, (row + 1) * length));
    const cut: Signal = { channels, samplingRate: samplingRateAfter(steps, signal.samplingRate), data };
    return signalTensor(applySteps(cut, window)).buffer;
  });
  return { channels, tensors };
}

function joined(parts: readonly Signal[]): Signal {
  const [first] = parts;
  return {
    channels: parts.flatMap(({ channels }) => channels),
    samplingRate: first?.samplingRate ?? 0,
    data: parts.flatMap(({ data }) => data),
  };
}

function outside(span: InputHint['window'], segments: readonly Segment[]): PreparationOutcome {
  const end = segments.reduce((latest, { onset, duration }) => Math.max(latest, onset + duration), 0);
  const gaps = segments.length > 1 ? ` in ${segments.length} parts with gaps between` : '';
  const from = span?.onset ?? 0;
  return {
    ok: false,
    reason: 'outside-recording',
    detail: `${shown(from)} s to ${shown(from + (span?.duration ?? 0))} s of ${shown(end)} s${gaps}`,
  };
}

function shown(seconds: number): string {
  return String(Number(seconds.toFixed(3)));
}

/** The formats by the end of the name; without one it is EDF or BDF, which are told by their first bytes. */
async function open(raw: Uint8Array, path: string | undefined): Promise<Recording> {
  const name = basename(path ?? 'recording');
  const ending = extname(name).toLowerCase();
  if (ending === '.csv') return readMuseCsv(bufferSource(raw, name));
  // Of these the bytes are only the header: the samples are in the file beside it.
  if (ending === '.vhdr' && path !== undefined) return openRecording(path);
  return openEdf(bufferSource(raw, name));
}

/** Without the pick that `readable` has done. */
function afterReading(steps: readonly SignalStep[]): readonly SignalStep[] {
  return channelsToRead(steps) === undefined ? steps : steps.slice(1);
}

async function readable(recording: Recording, spec: EegPreparationSpec): Promise<ReadableSignal> {
  const options = spec.blankUnit === undefined ? {} : { blankUnit: spec.blankUnit };
  const segments = await recording.segments();
  const wanted = channelsToRead(spec.steps);
  if (wanted === undefined) {
    const voltages = recording.signals.filter(
      ({ unit }) => voltsPerUnit(unit || (spec.blankUnit ?? '')) !== undefined,
    );
    return {
      samplingRate: checkedRate(voltages[0]?.samplingRate ?? 0, spec),
      segments,
      channels: voltages.length,
      isOneByOne: false,
      read: (segment) => readSignal(recording, options, segment),
    };
  }
  const sources = sourcesOf(recording, wanted, spec.find);
  const labels = sources.flatMap(({ plus, minus }) => [plus, minus].flatMap((label) => label ?? []));
  return {
    samplingRate: checkedRate(oneRate(recording, labels), spec),
    segments,
    channels: sources.length,
    isOneByOne: true,
    async read(segment, channels) {
      const chosen = channels === undefined ? sources : channels.map((i) => sources[i] as ChannelSource);
      const signals: Signal[] = [];
      for (const { name, plus, minus } of chosen) {
        const read = [plus, minus].flatMap((label) => label ?? []);
        const signal = await readSignal(recording, { ...options, channels: read }, segment);
        signals.push({
          ...signal,
          channels: [canonicalChannel(name)],
          data: [difference(signal, { plus, minus })],
        });
      }
      return joined(signals);
    },
  };
}

/** A channel as the labels whose difference it is. */
interface ChannelSource {
  readonly name: string;
  readonly plus: string | undefined;
  readonly minus: string | undefined;
}

function sourcesOf(
  recording: Recording,
  wanted: readonly string[],
  find: EegPreparationSpec['find'],
): ChannelSource[] {
  const labels = recording.signals.map(({ label }) => label);
  if (find === 'name')
    return pickChannels(labels, wanted).map((i, at) => ({
      name: wanted[at] as string,
      plus: labels[i],
      minus: undefined,
    }));
  const found = reconcileChannels(labels, wanted);
  if (!found.ok) throw new SignalError('missing-channels', `no channels ${found.missing.join(', ')}`);
  return found.channels.map(({ name, plus, minus }) => ({
    name,
    plus: plus === undefined ? undefined : labels[plus],
    minus: minus === undefined ? undefined : labels[minus],
  }));
}

function difference({ data }: Signal, { plus, minus }: Pick<ChannelSource, 'plus' | 'minus'>) {
  const [first, second] = data as [Signal['data'][number], Signal['data'][number]?];
  if (minus === undefined) return first;
  if (plus === undefined) return first.map((value) => -value);
  return first.map((value, i) => value - (second?.[i] as number));
}

/** Channels are read one by one: that they have one rate is seen here. */
function oneRate(recording: Recording, labels: readonly string[]): number {
  const rates = new Map(
    recording.signals.map(({ label, samplingRate }) => [label, samplingRate] as const).reverse(),
  );
  const [first] = labels;
  const rate = rates.get(first ?? '') ?? 0;
  const other = labels.find((label) => rates.get(label) !== rate);
  if (other === undefined) return rate;
  throw new SignalError('sampling-rates', `${first} has ${rate} Hz, ${other} has ${rates.get(other)} Hz`);
}

function checkedRate(rate: number, { samplingRate }: EegPreparationSpec): number {
  if (rate === 0) throw new SignalError('missing-channels', 'there are no voltages');
  if (samplingRate === undefined || rate === samplingRate) return rate;
  throw new SignalError('sampling-rates', `${rate} Hz instead of ${samplingRate} Hz`);
}

const REASONS: Readonly<Record<SignalFault, RejectionReason>> = {
  'missing-channels': 'missing-channels',
  'sampling-rates': 'wrong-sampling-rate',
  frequency: 'wrong-sampling-rate',
  unit: 'missing-channels',
  'not-finite': 'unreadable-recording',
  'no-samples': 'outside-recording',
};

/** Names no folder, so that it is the same on every machine. @throws what is no fault of the recording. */
function failureOf(error: unknown): PreparationOutcome {
  if (error instanceof SignalError) return { ok: false, reason: REASONS[error.fault], detail: error.what };
  if (error instanceof EdfError)
    return { ok: false, reason: 'unreadable-recording', detail: `${error.what} (byte ${error.offset})` };
  if (error instanceof UserError) return { ok: false, reason: 'unreadable-recording', detail: error.what };
  throw error;
}
