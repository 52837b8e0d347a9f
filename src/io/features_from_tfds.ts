/** Features from what TensorFlow Datasets wrote of them: its `features.json`, as our features. */

import { UserError } from './errors.js';
import {
  bytes,
  checkFeatures,
  type Feature,
  type FeatureKind,
  type Features,
  float32,
  image,
  int64,
  optional,
  type Shape,
  text,
} from './features.js';

/** True for what looks like TFDS's `features.json`. */
export function isTfdsFeatures(json: unknown): boolean {
  return isObject(json) && typeof json.pythonClassName === 'string' && json.featuresDict !== undefined;
}

/**
 * The features as TFDS's serialiser stores them (tensorflow_datasets/core/proto/feature.proto as JSON, and
 * core/example_serializer.py): nested dictionaries joined by slashes, whole numbers and truth values as int64, all floats as
 * float32, a sequence as one more dimension.
 * @param where the file's name, for errors.
 * @throws UserError for a feature that has no shape of ours, e.g. a sequence of sequences of any length.
 */
export function featuresFromTfds(json: unknown, where: string): Features {
  const features = Object.fromEntries(flatten(json, [], [], where));
  checkFeatures(features);
  return features;
}

type Json = Readonly<Record<string, unknown>>;

function flatten(
  connector: unknown,
  path: readonly string[],
  outer: Shape,
  where: string,
): [string, Feature][] {
  const name = path.join('/');
  const unknown = (): UserError => unknownFeature(connector, name, where);
  if (!isObject(connector) || path.length + outer.length > MOST_LEVELS) throw unknown();
  const { featuresDict, sequence } = connector;
  if (isObject(featuresDict) && isObject(featuresDict.features))
    return Object.entries(featuresDict.features).flatMap(([key, inner]) =>
      flatten(inner, [...path, key], outer, where),
    );
  if (isObject(sequence)) return flatten(sequence.feature, path, [...outer, sizeOf(sequence.length)], where);
  return [[name, featureOf(connector, outer, unknown)]];
}

/** More than any features have: what nests without end must not use up the stack. */
const MOST_LEVELS = 64;

function featureOf(connector: Json, outer: Shape, unknown: () => UserError): Feature {
  const about = (member: string): Json | undefined => {
    const value = connector[member];
    return isObject(value) ? value : undefined;
  };
  const sized = (kind: FeatureKind, dimensions: Shape = []): Feature => {
    const sizes = [...outer, ...dimensions];
    if (sizes.slice(1).includes(null)) throw unknown();
    if (kind === 'int64') return int64(sizes);
    return kind === 'float32' ? float32(sizes) : bytes(sizes);
  };
  const tensor = about('tensor') ?? about('boundingBox');
  if (tensor !== undefined) {
    const feature =
      rawImage(tensor, outer) ??
      (isPlain(tensor) ? sized(kindOf(tensor), dimensionsOf(tensor)) : sized('bytes'));
    return tensor.optional === true ? optional(feature) : feature;
  }
  if (about('classLabel') !== undefined) return sized('int64');
  if (about('text') !== undefined) return outer.length === 0 ? text() : sized('bytes');
  const picture = about('image');
  if (picture !== undefined) return outer.length === 0 ? imageOf(picture) : sized('bytes');
  const audio = about('audio');
  if (audio !== undefined) return isPlain(audio) ? sized(kindOf(audio), dimensionsOf(audio)) : sized('bytes');
  const video = about('video');
  // The pictures one by one, encoded.
  if (video !== undefined) return sized('bytes', [dimensionsOf(video)[0] ?? null]);
  throw unknown();
}

/** Pixels that are kept as bytes, where TFDS's own reader decodes such. */
function rawImage(tensor: Json, outer: Shape): Feature | undefined {
  const [height, width, channels, ...more] = dimensionsOf(tensor);
  if (tensor.encoding !== 'bytes' || tensor.dtype !== 'uint8' || outer.length > 0 || more.length > 0)
    return undefined;
  return height && width && channels ? image({ encoding: 'raw', height, width, channels }) : undefined;
}

function imageOf(picture: Json): Feature {
  const [height = null, width = null, channels = null] = dimensionsOf(picture);
  // What nothing is said of TFDS encodes as PNG.
  return image({ encoding: picture.encodingFormat === 'jpeg' ? 'jpeg' : 'png', height, width, channels });
}

/** Whether the numbers are stored as numbers. */
function isPlain({ encoding }: Json): boolean {
  return typeof encoding !== 'string' || encoding.toLowerCase() === 'none';
}

function dimensionsOf({ shape }: Json): (number | null)[] {
  return isObject(shape) && Array.isArray(shape.dimensions) ? shape.dimensions.map(sizeOf) : [];
}

/** Null for -1, which stands for any size; int64 is a string in protobuf's JSON. */
function sizeOf(size: unknown): number | null {
  const number = typeof size === 'string' || typeof size === 'number' ? Number(size) : -1;
  return number > 0 ? number : null;
}

function kindOf({ dtype }: Json): FeatureKind {
  if (typeof dtype !== 'string') return 'bytes';
  if (/^(u?int\d+|bool)$/.test(dtype)) return 'int64';
  return /^b?float\d+$/.test(dtype) ? 'float32' : 'bytes';
}

function unknownFeature(connector: unknown, name: string, where: string): UserError {
  const { pythonClassName } = isObject(connector) ? connector : {};
  const className = typeof pythonClassName === 'string' ? pythonClassName.split('.').pop() : 'nameless thing';
  return new UserError(
    `feature ${JSON.stringify(name.slice(0, 100))}, a ${className}, has no shape that we know`,
    {
      where,
      remedy: 'write the features by hand, or begin with what --infer prints',
    },
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
