/** Puts examples together into a batch, and takes a batch apart again. */

import type { DecodedExample, DecodedValue, Tensor, TensorData } from '../problems/decoded.js';
import { isTensor } from '../problems/decoded.js';

/**
 * A feature of a batch: one tensor with the batch as its first dimension where all examples have tensors of one shape; a
 * list, one value an example, for texts, bytes, tensors of differing shapes and what some examples lack.
 */
export type BatchValue = Tensor | readonly DecodedValue[];

export type Batch = Readonly<Record<string, BatchValue>>;

/**
 * The batch of some examples, features in the order of the first. Nothing is copied where tensors lie side by side in
 * one buffer already, as those of one job do: the batch is then a view of it.
 */
export function collate(examples: readonly DecodedExample[]): Batch {
  const names = new Set(examples.flatMap((example) => Object.keys(example)));
  const batch: Record<string, BatchValue> = {};
  for (const name of names) {
    const values = examples.map((example) => example[name]);
    batch[name] = stack(values) ?? values;
  }
  return batch;
}

/** The inverse of `collate`: `count` examples, their tensors views of the batch's. */
export function separate(batch: Batch, count: number): DecodedExample[] {
  const examples = Array.from({ length: count }, (): Record<string, DecodedValue> => ({}));
  for (const [name, value] of Object.entries(batch)) {
    if (isTensor(value)) {
      const size = value.data.length / count;
      const shape = value.shape.slice(1);
      for (let i = 0; i < count; i++)
        examples[i]![name] = { data: value.data.subarray(i * size, (i + 1) * size), shape };
    } else for (let i = 0; i < count; i++) examples[i]![name] = value[i];
  }
  return examples;
}

/** One tensor of all, or undefined where they are no tensors of one shape and type. */
function stack(values: readonly DecodedValue[]): Tensor | undefined {
  const first = values[0];
  if (!isTensor(first)) return undefined;
  const Data = first.data.constructor as DataType;
  const shape = [values.length, ...first.shape];
  let areNeighbours = true;
  let end = first.data.byteOffset;
  for (const value of values) {
    if (!isTensor(value) || value.data.constructor !== Data) return undefined;
    if (value.shape.length !== first.shape.length) return undefined;
    for (let i = 0; i < first.shape.length; i++) if (value.shape[i] !== first.shape[i]) return undefined;
    areNeighbours &&= value.data.buffer === first.data.buffer && value.data.byteOffset === end;
    end += value.data.byteLength;
  }
  const size = first.data.length;
  if (areNeighbours && values.length > 1)
    return { data: new Data(first.data.buffer, first.data.byteOffset, size * values.length), shape };
  const data = new Data(size * values.length);
  for (let i = 0; i < values.length; i++) data.set((values[i] as Tensor).data, i * size);
  return { data, shape };
}

type DataType = new (from: number | ArrayBufferLike, start?: number, length?: number) => TensorData;
