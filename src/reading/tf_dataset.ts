/** Batches as a `tf.data.Dataset` of TensorFlow.js, for its own training loops. */

import { UserError } from '../io/errors.js';
import type { DecodedValue } from '../problems/decoded.js';
import { isTensor } from '../problems/decoded.js';
import type { Batch } from './collate.js';

/**
 * What of TensorFlow.js is used: `import * as tf from '@tensorflow/tfjs'`, or tfjs-node. It is given, so that a program
 * has one TensorFlow.js and not ours beside its own.
 */
export interface TensorFlowJs<TfTensor, Dataset> {
  tensor(
    values: Uint8Array | Int32Array | Float32Array | string[] | Uint8Array[],
    shape: number[],
    dtype: 'int32' | 'float32' | 'string',
  ): TfTensor;
  dispose(tensors: TfBatch<NoInfer<TfTensor>>): void;
  readonly data: { generator(make: () => AsyncIterator<TfBatch<NoInfer<TfTensor>>>): Dataset };
}

/** Features of a batch by name; a list, one tensor an example (undefined where it has none), where they are no one tensor. */
export type TfBatch<TfTensor> = { [feature: string]: TfTensor | (TfTensor | undefined)[] };

export interface TfDatasetOptions {
  /** Pictures as `float32` from 0 to 1, or as the bytes that they are, in `int32`. */
  readonly pictures?: 'float32' | 'int32';
  /** The features that are wanted; all where it is left out. */
  readonly features?: readonly string[];
}

/**
 * The dataset whose elements are the batches: uint8 pictures as `pictures` says, other uint8 and int64 as `int32`, float32
 * as such, texts and bytes as `string`. Tensors are made when a batch is asked for and belong to whoever asks: `fitDataset`,
 * `map` and `forEachAsync` of TensorFlow.js release them. Each iteration begins `batches` anew, and what it throws comes
 * out as it is. A consumer that stops early leaves `batches` where they are, as TensorFlow.js ends no iterator.
 * @example
 * asTfDataset(tf, batches).map((batch) => {
 *   const { image, targets } = batch as tf.TensorContainerObject;
 *   return { xs: image, ys: targets };
 * })
 * @throws UserError, while it is read, for an int64 that int32 does not hold.
 */
export function asTfDataset<TfTensor, Dataset>(
  tf: TensorFlowJs<TfTensor, Dataset>,
  batches: AsyncIterable<Batch>,
  options: TfDatasetOptions = {},
): Dataset {
  return tf.data.generator(async function* () {
    for await (const batch of batches) yield tensorsOf(tf, batch, options);
  });
}

function tensorsOf<TfTensor>(
  tf: TensorFlowJs<TfTensor, unknown>,
  batch: Batch,
  { pictures = 'float32', features = Object.keys(batch) }: TfDatasetOptions,
): TfBatch<TfTensor> {
  const tensors: TfBatch<TfTensor> = {};
  try {
    for (const name of features) {
      const value = batch[name];
      if (value === undefined)
        throw new UserError(`the batch has no feature ${JSON.stringify(name)}`, {
          remedy: `it has ${Object.keys(batch).join(', ')}`,
        });
      const convert = (each: DecodedValue, pictureDimensions: number): TfTensor | undefined =>
        tensorOf(tf, each, { name, pictures, pictureDimensions });
      if (isTensor(value)) tensors[name] = convert(value, 4) as TfTensor;
      else if (isTexts(value) || isBytes(value)) tensors[name] = strings(tf, value);
      else tensors[name] = value.map((each) => convert(each, 3));
    }
    return tensors;
  } catch (error) {
    tf.dispose(tensors);
    throw error;
  }
}

/** `pictureDimensions`: height, width, channels, and the batch where there is one. */
interface Conversion {
  readonly name: string;
  readonly pictures: 'float32' | 'int32';
  readonly pictureDimensions: number;
}

function tensorOf<TfTensor>(
  tf: TensorFlowJs<TfTensor, unknown>,
  value: DecodedValue,
  { name, pictures, pictureDimensions }: Conversion,
): TfTensor | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return tf.tensor([value], [], 'string');
  if (value instanceof Uint8Array) return tf.tensor([value], [], 'string');
  if (!isTensor(value)) return strings(tf, value);
  const { data, shape } = value;
  if (data instanceof Float32Array) return tf.tensor(data, [...shape], 'float32');
  if (data instanceof Float64Array) return tf.tensor(wholeNumbers(data, name), [...shape], 'int32');
  const isPicture = shape.length === pictureDimensions;
  return isPicture && pictures === 'float32'
    ? tf.tensor(unitRange(data), [...shape], 'float32')
    : tf.tensor(data, [...shape], 'int32');
}

/** Texts, or bytes as they are. */
function strings<TfTensor>(
  tf: TensorFlowJs<TfTensor, unknown>,
  values: readonly string[] | readonly Uint8Array[],
): TfTensor {
  return tf.tensor([...values] as string[] | Uint8Array[], [values.length], 'string');
}

function isTexts(values: readonly DecodedValue[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string');
}

function isBytes(values: readonly DecodedValue[]): values is readonly Uint8Array[] {
  return values.every((value) => value instanceof Uint8Array);
}

function unitRange(bytes: Uint8Array): Float32Array {
  const unit = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) unit[i] = (bytes[i] as number) / 255;
  return unit;
}

function wholeNumbers(values: Float64Array, name: string): Int32Array {
  const whole = Int32Array.from(values);
  for (let i = 0; i < values.length; i++)
    if (whole[i] !== values[i])
      throw new UserError(`${values[i]} of ${name} does not fit int32, the only integers of TensorFlow.js`, {
        remedy: 'leave the feature out: name those that are wanted in `features`',
      });
  return whole;
}
