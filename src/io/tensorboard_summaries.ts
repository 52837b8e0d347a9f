/** What TensorBoard shows at a step: scalars, images, histograms, texts and hyper-parameters, as protobuf messages. */

import {
  bytesField,
  doubleField,
  doublesField,
  floatField,
  integerField,
  message,
  textField,
} from './protobuf_message.js';

/**
 * A `Summary.Value` (tensorflow/core/framework/summary.proto). Scalars, images and histograms are in the form that PyTorch
 * writes: TensorBoard's `EventAccumulator` gives them by their kind, and its dashboards turn them into tensors themselves.
 */
export type SummaryValue = Uint8Array;

/** Tags are paths like `loss/train`: what comes before the slash is a card's title. Kept as a 32-bit float. */
export function scalarSummary(tag: string, value: number): SummaryValue {
  return message(textField(1, tag), floatField(2, value));
}

/** A picture that is encoded already. */
export interface EncodedImage {
  /** PNG or JPEG. */
  readonly bytes: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 3 | 4;
}

export function imageSummary(tag: string, { bytes, width, height, channels }: EncodedImage): SummaryValue {
  const image = message(
    integerField(1, height),
    integerField(2, width),
    integerField(3, channels),
    bytesField(4, bytes),
  );
  return message(textField(1, tag), bytesField(4, image));
}

/** A `HistogramProto` (tensorflow/core/framework/histogram.proto). */
export interface Histogram {
  readonly least: number;
  readonly most: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Upper ends, rising: bucket i has the values from the end of the one before up to below its own, the last one up to its own. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/**
 * In `buckets` of equal width (30, TensorBoard's own default); values that are not finite are not counted. Undefined where
 * none is finite.
 */
export function histogramOf(values: ArrayLike<number>, buckets = 30): Histogram | undefined {
  const finite = Float64Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  let [least, most, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of finite) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
    sumOfSquares += value * value;
  }
  // One value only: buckets around it.
  const [from, to] = least < most ? [least, most] : [least - 0.5, most + 0.5];
  const width = to / buckets - from / buckets;
  const limits = Array.from({ length: buckets }, (_, bucket) => Math.min(to, from + (bucket + 1) * width));
  limits[buckets - 1] = to;
  const counts = new Array<number>(buckets).fill(0);
  for (const value of finite) counts[bucketOf(value, limits)]! += 1;
  return { least, most, count: finite.length, sum, sumOfSquares, limits, counts };
}

/** The first bucket whose end is above the value; the last one has its own end too. */
function bucketOf(value: number, limits: readonly number[]): number {
  let low = 0;
  let high = limits.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value < limits[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function histogramSummary(tag: string, histogram: Histogram): SummaryValue {
  const proto = message(
    doubleField(1, histogram.least),
    doubleField(2, histogram.most),
    doubleField(3, histogram.count),
    doubleField(4, histogram.sum),
    doubleField(5, histogram.sumOfSquares),
    doublesField(6, histogram.limits),
    doublesField(7, histogram.counts),
  );
  return message(textField(1, tag), bytesField(5, proto));
}

/** Markdown, shown by the text dashboard. */
export function textSummary(tag: string, markdown: string): SummaryValue {
  const shape = bytesField(2, message(bytesField(2, integerField(1, 1))));
  const tensor = message(integerField(1, DT_STRING), shape, textField(8, markdown));
  return message(textField(1, tag), bytesField(8, tensor), metadata('text'));
}

/** `DataType` in tensorflow/core/framework/types.proto. */
const DT_FLOAT = 1;
const DT_STRING = 7;

export type HparamValue = number | string | boolean;

/** What the hparams dashboard has as columns. */
export interface HparamsExperiment {
  /** By name any value that it can have: it says whether the column has numbers, texts or yes and no. */
  readonly hparams: Readonly<Record<string, HparamValue>>;
  /** Tags of scalars that are shown as results. */
  readonly metrics: readonly string[];
  /** Seconds since 1970. */
  readonly createdSeconds: number;
}

/**
 * Names the columns; once for a folder of runs, at its top or in every run (tensorboard/plugins/hparams/api.proto:
 * `Experiment`). Without it the dashboard makes columns of whatever runs have.
 */
export function hparamsExperimentSummary(experiment: HparamsExperiment): SummaryValue {
  const columns = Object.entries(experiment.hparams).map(([name, value]) =>
    bytesField(4, message(textField(1, name), integerField(4, hparamType(value)))),
  );
  const metrics = experiment.metrics.map((tag) => bytesField(5, bytesField(1, textField(2, tag))));
  const proto = message(doubleField(3, experiment.createdSeconds), ...columns, ...metrics);
  return hparamsSummary('_hparams_/experiment', 2, proto);
}

/** `DataType` in tensorboard/plugins/hparams/api.proto. */
function hparamType(value: HparamValue): number {
  return typeof value === 'number' ? 3 : typeof value === 'string' ? 1 : 2;
}

/** A run's values, written when it begins. Runs of one `group` (seeds of one setting) are shown as one. */
export function hparamsStartSummary(start: {
  readonly hparams: Readonly<Record<string, HparamValue>>;
  readonly group?: string;
  readonly startedSeconds: number;
}): SummaryValue {
  const values = Object.entries(start.hparams).map(([name, value]) =>
    bytesField(1, message(textField(1, name), bytesField(2, jsonValue(value)))),
  );
  const group = start.group === undefined ? undefined : textField(4, start.group);
  const proto = message(...values, group, doubleField(5, start.startedSeconds));
  return hparamsSummary('_hparams_/session_start_info', 3, proto);
}

/** Written when a run ends. */
export function hparamsEndSummary(end: {
  readonly status: 'success' | 'failure';
  readonly endedSeconds: number;
}): SummaryValue {
  const status = integerField(1, end.status === 'success' ? 1 : 2);
  return hparamsSummary('_hparams_/session_end_info', 4, message(status, doubleField(2, end.endedSeconds)));
}

/** A `HParamsPluginData` in the metadata of a tensor without content. */
function hparamsSummary(tag: string, field: number, proto: Uint8Array): SummaryValue {
  // One dimension of size 0.
  const shape = bytesField(2, bytesField(2, new Uint8Array()));
  const tensor = message(integerField(1, DT_FLOAT), shape);
  const data = bytesField(field, proto);
  return message(textField(1, tag), bytesField(8, tensor), metadata('hparams', data));
}

/** A `google.protobuf.Value`. */
function jsonValue(value: HparamValue): Uint8Array {
  if (typeof value === 'number') return doubleField(2, value);
  return typeof value === 'string' ? textField(3, value) : integerField(4, value ? 1 : 0);
}

/** `SummaryMetadata`: which dashboard the value is for, and what the dashboard knows of it. */
function metadata(plugin: string, content?: Uint8Array): Uint8Array {
  const data = content === undefined ? undefined : bytesField(2, content);
  return bytesField(9, bytesField(1, message(textField(1, plugin), data)));
}
