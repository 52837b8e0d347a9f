/** Turns stored records into decoded examples: parsed, pictures as pixels, numbers in typed arrays. */

import { UserError } from '../io/errors.js';
import { createExampleParser, type ExampleParser, type FloatRoom } from '../io/example_parser.js';
import { type Feature, type Features, fixedCount, type ImageFormat, type Shape } from '../io/features.js';
import type { DecodedExample, DecodedValue, Tensor, TensorData } from '../problems/decoded.js';
import type { ImageDecoder } from './image_decoder.js';
import { whenThere } from './stages.js';

/**
 * Decodes records together: tensors whose shape the features tell lie side by side in one buffer a feature, so that the
 * batch of them needs no copy.
 */
export class ExampleDecoder {
  private readonly features: readonly [name: string, feature: Feature][];
  private readonly parser: ExampleParser<Features>;
  private readonly images: ImageDecoder;

  constructor(features: Features, images: ImageDecoder) {
    this.features = Object.entries(features);
    this.parser = createExampleParser(features);
    this.images = images;
  }

  /** Room for so many examples, to be filled by `decode`. */
  room(examples: number): ExampleRoom {
    const slabs = this.features.map(([name, feature]) => ({ name, slab: slabOf(feature, examples) }));
    return Array.from({ length: examples }, (_, i) => {
      const tensors = new Map<string, TensorData>();
      for (const { name, slab } of slabs) {
        const size = slab === undefined ? 0 : slab.length / examples;
        if (slab !== undefined) tensors.set(name, slab.subarray(i * size, (i + 1) * size));
      }
      return tensors;
    });
  }

  /**
   * Decodes one record into `room`. The example holds no part of `record`. A promise only where sharp decodes a picture.
   * @throws UserError where it is no such example; `where` is what it calls the record.
   */
  decode(
    record: Uint8Array,
    room: ReadonlyMap<string, TensorData>,
    where: string,
  ): DecodedExample | Promise<DecodedExample> {
    const refuse = (error: unknown): never => {
      throw error instanceof UserError ? placed(error, where) : error;
    };
    try {
      const parsed = this.parser.parse(record, room as FloatRoom) as Readonly<Record<string, unknown>>;
      const example: Record<string, DecodedValue> = {};
      const waiting: Promise<void>[] = [];
      for (const [name, feature] of this.features) {
        const value = parsed[name];
        const decoded = value === undefined ? undefined : this.value(name, feature, value, room.get(name));
        if (decoded instanceof Promise) {
          // Its place among the features is kept.
          example[name] = undefined;
          waiting.push(
            decoded.then((picture) => {
              example[name] = picture;
            }),
          );
        } else example[name] = decoded;
      }
      return waiting.length === 0 ? example : Promise.all(waiting).then(() => example, refuse);
    } catch (error) {
      return refuse(error);
    }
  }

  private value(
    name: string,
    { kind, shape, image }: Feature,
    value: unknown,
    into: TensorData | undefined,
  ): DecodedValue | Promise<DecodedValue> {
    switch (kind) {
      case 'float32':
        return floats(value as number | Float32Array, shape, into as Float32Array | undefined);
      case 'int64':
        return int64s(name, value, shape, into as Float64Array | undefined);
      case 'text':
        return value as string | string[];
      case 'bytes':
        // What the parser gives are views of the record, which would keep it alive and can't go to another thread alone.
        return Array.isArray(value) ? value.map(copyOf) : copyOf(value as Uint8Array);
      case 'image':
        if (image === undefined) throw new UserError(`feature ${JSON.stringify(name)} has no image format`);
        return whenThere(
          this.images.decode(value as Uint8Array, image, into as Uint8Array | undefined),
          (picture) => ofItsSize(name, picture, image),
        );
    }
  }
}

/** The picture, where it is what the feature promises. */
function ofItsSize(name: string, picture: Tensor, { height, width, channels }: ImageFormat): Tensor {
  const wanted = [height, width, channels];
  if (wanted.every((size, i) => size === null || size === picture.shape[i])) return picture;
  const sizes = wanted.map((size) => size ?? 'any').join(' × ');
  throw new UserError(
    `feature ${JSON.stringify(name)} holds a picture of ${picture.shape.join(' × ')} where ${sizes} is wanted`,
  );
}

/** Room for a feature of so many examples, where its size is known. */
function slabOf({ kind, shape, image }: Feature, examples: number): TensorData | undefined {
  if (kind === 'image') {
    const { height = null, width = null, channels } = image ?? {};
    // Where nothing is said of channels there are three, and room that is not used costs nothing.
    if (height === null || width === null) return undefined;
    return new Uint8Array(examples * height * width * (channels ?? 3));
  }
  if (shape[0] === null || (kind !== 'float32' && kind !== 'int64')) return undefined;
  const count = examples * fixedCount(shape);
  return kind === 'float32' ? new Float32Array(count) : new Float64Array(count);
}

/** Where the tensors of each example go, by feature. */
export type ExampleRoom = readonly ReadonlyMap<string, TensorData>[];

function floats(value: number | Float32Array, shape: Shape, into: Float32Array | undefined): DecodedValue {
  const list = typeof value === 'number' ? Float32Array.of(value) : value;
  // The parser has put a list there already.
  if (list !== into) into?.set(list);
  return { data: into ?? list, shape: shapeOf(shape, list.length) };
}

function int64s(name: string, value: unknown, shape: Shape, into: Float64Array | undefined): DecodedValue {
  const list = (Array.isArray(value) ? value : [value]) as readonly (number | bigint)[];
  const data = into ?? new Float64Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const number = list[i]!;
    if (typeof number === 'bigint')
      throw new UserError(
        `feature ${JSON.stringify(name)} holds ${number}, which no double can hold exactly`,
      );
    data[i] = number;
  }
  return { data, shape: shapeOf(shape, list.length) };
}

function shapeOf(shape: Shape, length: number): readonly number[] {
  return shape[0] === null
    ? [length / fixedCount(shape), ...(shape.slice(1) as number[])]
    : (shape as number[]);
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function placed(error: UserError, where: string): UserError {
  return new UserError(error.what, { where, remedy: REMEDY, cause: error });
}

const REMEDY = 'see with `t2t-ts verify` what is damaged, and make those shards anew';
