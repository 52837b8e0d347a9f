/** From the bytes of a recording to windows of it: signal steps once over each stretch without gaps, then cut. */

import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { reconcileChannels } from '../datasets/chb_mit/montage.js';
import { canonicalChannel, pickChannels } from '../eeg/channel_names.js';
import { isChannelStep, windowCutter } from '../eeg/channel_steps.js';
import { MOST_LANES } from '../eeg/lanes.js';
import { readForLanes, readSignal, type StoredSignal } from '../eeg/read_signal.js';
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
import { eventWindows, type SampleWindow, stretchesOf } from '../eeg/windows.js';
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

/** The samples of a prepared window, channels × samples: a view of its bytes where they begin where a number may. */
export function windowSamples({ bytes }: PreparedInput): Float32Array {
  const { buffer, byteOffset, length } = byteOffsetIsWhole(bytes) ? bytes : Uint8Array.from(bytes);
  return new Float32Array(buffer, byteOffset, length / Float32Array.BYTES_PER_ELEMENT);
}

function byteOffsetIsWhole({ byteOffset }: Uint8Array): boolean {
  return byteOffset % Float32Array.BYTES_PER_ELEMENT === 0;
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
  /** The same for steps that look at each channel by itself, where that is cheaper. */
  readForLanes?(segment: Segment, channels: readonly number[]): Promise<StoredSignal>;
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
  // Up to the last step that takes all channels together; those that follow look at each by itself.
  const shared = steps.slice(0, steps.findLastIndex((step) => !isChannelStep(step)) + 1);
  const own = steps.slice(shared.length).filter(isChannelStep);
  const isOneByOne = signal.isOneByOne && shared.length === 0;
  const samples = Math.round(segment.records * segment.recordSeconds * signal.samplingRate);
  const atOnce = isOneByOne ? channelsAtOnce(samples, signal.channels) : signal.channels;
  if (samples * atOnce > MOST_SAMPLES)
    throw new UserError(`${samples} samples of ${atOnce} channels at once are more than memory should hold`);
  // What takes all channels of a window together gets all their digits; else they are kept as they will be written.
  const windowSteps = window.filter(isChannelStep).filter(({ step }) => step !== 'resample');
  const isOwn = windowSteps.length === window.length;
  const Samples = isOwn ? Float32Array : Float64Array;
  const plan = { steps: own, windows: cuts, windowSteps: isOwn ? windowSteps : [] };
  let cut: ReturnType<typeof windowCutter> | undefined;
  let held: ChannelSamples[] = [];
  const channels: string[] = [];
  for (let first = 0; first < signal.channels; first += atOnce) {
    const group = range(first, Math.min(first + atOnce, signal.channels));
    const read =
      isOneByOne && signal.readForLanes !== undefined
        ? await signal.readForLanes(segment, group)
        : applySteps(await signal.read(segment, isOneByOne ? group : undefined), shared);
    cut ??= windowCutter(plan, { samplingRate: read.samplingRate, length: read.data[0]?.length ?? 0 });
    const count = isOneByOne ? signal.channels : read.channels.length;
    if (held.length === 0) held = cuts.map((window) => new Samples(count * window.samples));
    for (let at = 0; at < read.channels.length; at += MOST_LANES) {
      const names = read.channels.slice(at, at + MOST_LANES);
      const some = { ...read, channels: names, data: read.data.slice(at, at + MOST_LANES) };
      cut(some, (i) =>
        rowsOf(held[i]!, { from: channels.length, end: channels.length + names.length, of: count }),
      );
      channels.push(...names);
    }
  }
  if (isOwn) return { channels, tensors: held.map(({ buffer }) => buffer) };
  const samplingRate = samplingRateAfter(steps, signal.samplingRate);
  const tensors = held.map((values) => {
    const data = channels.map((_, row) => rowsOf(values, { from: row, end: row + 1, of: channels.length }));
    return signalTensor(applySteps({ channels, samplingRate, data }, window)).buffer;
  });
  return { channels, tensors };
}

/** As many as are computed in the time of one, but for long recordings. */
function channelsAtOnce(samples: number, channels: number): number {
  const fitting = Math.max(2, Math.floor(MOST_SAMPLES_OF_SEVERAL / samples));
  return Math.min(MOST_LANES, fitting, Math.max(1, channels));
}

/** Of more than two channels: 128 MiB of 64-bit floats. */
const MOST_SAMPLES_OF_SEVERAL = 2 ** 24;

function range(from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, i) => from + i);
}

/** Rows `from` … `end − 1` of so many of equal length. */
function rowsOf(
  values: ChannelSamples,
  { from, end, of }: { readonly from: number; readonly end: number; readonly of: number },
): ChannelSamples {
  const length = values.length / of;
  return values.subarray(from * length, end * length);
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
  const some = (channels: readonly number[] | undefined) =>
    channels === undefined ? sources : channels.map((i) => sources[i] as ChannelSource);
  const read: ReadableSignal['read'] = async (segment, channels) => {
    const chosen = some(channels);
    const signal = await readSignal(recording, { ...options, channels: labelsOf(chosen) }, segment);
    const data = signal.data.values();
    return { ...signal, channels: namesOf(chosen), data: chosen.map((source) => difference(data, source)) };
  };
  return {
    samplingRate: checkedRate(oneRate(recording, labelsOf(sources)), spec),
    segments,
    channels: sources.length,
    isOneByOne: true,
    read,
    async readForLanes(segment, channels) {
      const chosen = some(channels);
      if (chosen.some(({ minus }) => minus !== undefined)) return read(segment, channels);
      const signal = await readForLanes(recording, { ...options, channels: labelsOf(chosen) }, segment);
      return { ...signal, channels: namesOf(chosen) };
    },
  };
}

/** The labels whose signals the channels are made of, channel after channel. */
function labelsOf(sources: readonly ChannelSource[]): string[] {
  return sources.flatMap(({ plus, minus }) => [plus, minus].flatMap((label) => label ?? []));
}

function namesOf(sources: readonly ChannelSource[]): string[] {
  return sources.map(({ name }) => canonicalChannel(name));
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

/** The channel, whose one or two signals come next. */
function difference(
  signals: Iterator<ChannelSamples>,
  { plus, minus }: Pick<ChannelSource, 'plus' | 'minus'>,
): ChannelSamples {
  const next = (): ChannelSamples => signals.next().value as ChannelSamples;
  const first = next();
  if (minus === undefined) return first;
  if (plus === undefined) return first.map((value) => -value);
  const second = next();
  return first.map((value, i) => value - (second[i] as number));
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
