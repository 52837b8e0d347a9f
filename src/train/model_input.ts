/** What a network gets of an example: pictures as numbers from −1 to 1 in its own size, windows of EEG as they are. */

import type { RgbImage } from '../faces/face.js';
import { resize, squareNumbers } from '../faces/resize.js';
import { UserError } from '../io/errors.js';
import { type ExampleShape, product } from '../models/network.js';
import type { Tensor } from '../problems/decoded.js';
import { isTensor } from '../problems/decoded.js';
import type { Batch, BatchValue } from '../reading/collate.js';

/**
 * One feature of some rows of a batch, one behind the other: rows × shape numbers. A picture is brought to height and width
 * of `shape`, which are equal, each pixel the mean of what it covers; a grey one becomes three equal channels.
 * @param shape of one example as the network takes it, see `ModelInputs`.
 * @throws UserError where the feature is missing, or a window has another shape.
 */
export function inputNumbers(batch: Batch, feature: string, shape: ExampleShape): Float32Array {
  const rows = tensorRows(batch, feature);
  const size = product(shape);
  const numbers = new Float32Array(rows.length * size);
  for (const [row, tensor] of rows.entries()) numbers.set(numbersOf(tensor, feature, shape), row * size);
  return numbers;
}

/** The rows of a feature, each a tensor. @throws UserError where a row has none. */
export function tensorRows(batch: Batch, feature: string): Tensor[] {
  const value = batch[feature];
  if (value !== undefined && isTensor(value)) {
    const [count = 0, ...shape] = value.shape;
    const size = product(shape);
    return Array.from({ length: count }, (_, row) => ({
      data: value.data.subarray(row * size, (row + 1) * size),
      shape,
    }));
  }
  return (value ?? []).map((each) => {
    if (each !== undefined && isTensor(each)) return each;
    throw new UserError(`an example has no numbers as ${feature}`, { remedy: 'make the data again' });
  });
}

/** A feature of one number an example, by row. @throws UserError where there is another. */
export function numberRows(batch: Batch, feature: string): Float64Array {
  return Float64Array.from(tensorRows(batch, feature), ({ data, shape }) => {
    if (data.length === 1) return data[0]!;
    throw new UserError(`${feature} has the shape [${shape}], where one number is wanted`);
  });
}

/** A feature that is a text, by row; empty where an example has none. */
export function textRows(batch: Batch, feature: string): string[] {
  const value: BatchValue | undefined = batch[feature];
  if (value === undefined || isTensor(value)) return [];
  return value.map((each) => (typeof each === 'string' ? each : ''));
}

function numbersOf({ data, shape }: Tensor, feature: string, wanted: ExampleShape): Float32Array {
  if (data instanceof Uint8Array) {
    const [side = 0] = wanted;
    return squareNumbers(resize(rgbImage({ data, shape }), side, side), 0, 0, side);
  }
  const [channels, samples] = shape;
  if (channels === wanted[0] && samples === wanted[1]) return Float32Array.from(data);
  throw new UserError(
    `${feature} is of ${shape.join(' × ')}, but the model takes ${wanted.slice(0, 2).join(' × ')}`,
    {
      remedy: 'make the data with the channels, sampling rate and length that it was trained with',
    },
  );
}

function rgbImage({ data, shape }: Tensor<Uint8Array>): RgbImage {
  const [height = 0, width = 0, channels] = shape;
  if (channels === 3) return { data, width, height };
  const rgb = new Uint8Array(data.length * 3);
  for (const [i, value] of data.entries()) rgb.fill(value, 3 * i, 3 * i + 3);
  return { data: rgb, width, height };
}
