/** The feature specification of an example: the one description from which encoder, parser, types and tables derive. */

import { UserError } from './errors.js';

/** How values are meant; `text` and `image` are stored as bytes. */
export type FeatureKind = 'bytes' | 'text' | 'int64' | 'float32' | 'image';

/**
 * Sizes of a feature's dimensions: `[]` is a single value, `[4]` four of them, `[null]` any number, `[19, 512]` a matrix
 * given flat, row by row. Only the first dimension may be null.
 */
export type Shape = readonly (number | null)[];

/**
 * How an image is stored: as a JPEG or PNG file, or `raw`: one byte a channel, 0 … 255, pixel after pixel and row after
 * row from the top left (TensorFlow's `decode_raw` to uint8, reshaped to height, width and channels).
 */
export type ImageEncoding = 'jpeg' | 'png' | 'raw';

export const IMAGE_ENCODINGS: readonly ImageEncoding[] = ['jpeg', 'png', 'raw'];

/** What the bytes of an image hold. Not checked when encoding: it is said to readers and in TFDS metadata. */
export interface ImageFormat {
  readonly encoding: ImageEncoding;
  /** Pixels; null where it differs from image to image, which raw images may not. */
  readonly height: number | null;
  readonly width: number | null;
  readonly channels: number | null;
}

/** One feature. Plain data; made by the functions below, which give it the type that values are inferred from. */
export interface Feature<
  Kind extends FeatureKind = FeatureKind,
  Of extends Shape = Shape,
  Optional extends boolean = boolean,
> {
  readonly kind: Kind;
  readonly shape: Of;
  /** True where an example may lack it. */
  readonly optional: Optional;
  /** Only for `image`. */
  readonly image?: ImageFormat;
}

export type Features = Readonly<Record<string, Feature>>;

/** Raw bytes: a `Uint8Array`, or a list of them. */
export function bytes<const Of extends Shape = readonly []>(shape?: Of): Feature<'bytes', Of, false> {
  return feature('bytes', shape);
}

/** Strings, stored as UTF-8. */
export function text<const Of extends Shape = readonly []>(shape?: Of): Feature<'text', Of, false> {
  return feature('text', shape);
}

/** Whole numbers from −2^63 to 2^63 − 1; those beyond ±(2^53 − 1) are given and got as BigInt. */
export function int64<const Of extends Shape = readonly []>(shape?: Of): Feature<'int64', Of, false> {
  return feature('int64', shape);
}

/** Numbers with 24 bits of precision. */
export function float32<const Of extends Shape = readonly []>(shape?: Of): Feature<'float32', Of, false> {
  return feature('float32', shape);
}

/**
 * An image, a JPEG file of any size where nothing else is said.
 * @throws UserError for a size that can't be, and for a raw image without all its sizes, which nobody could read.
 */
export function image(format: Partial<ImageFormat> = {}): Feature<'image', readonly [], false> {
  const { encoding = 'jpeg', height = null, width = null, channels = null } = format;
  for (const [name, size] of Object.entries({ height, width, channels }))
    if (size !== null && !isSize(size))
      throw new UserError(`image ${name} ${size} is not a whole number above 0`, {
        remedy: 'leave it out where images differ in it',
      });
  if (!isReadable({ encoding, height, width, channels }))
    throw new UserError('a raw image has no height, width or channels', {
      remedy: 'say all three, or store it as png',
    });
  return { kind: 'image', shape: [], optional: false, image: { encoding, height, width, channels } };
}

/** The same feature, which an example may lack: `optional(float32([3]))`. */
export function optional<Kind extends FeatureKind, Of extends Shape>(
  required: Feature<Kind, Of>,
): Feature<Kind, Of, true> {
  return { ...required, optional: true };
}

/** What an encoder takes: the values of one example, inferred from its features. */
export type ExampleValues<F extends Features> = Flat<
  { readonly [K in RequiredKeys<F>]: ValueOf<F[K], GivenScalars, GivenLists> } & {
    readonly [K in OptionalKeys<F>]?: ValueOf<F[K], GivenScalars, GivenLists> | undefined;
  }
>;

/** What a parser gives: an int64 is a number where that is exact and a BigInt elsewhere, floats come in a `Float32Array`. */
export type ParsedExample<F extends Features> = Flat<
  { [K in RequiredKeys<F>]: ValueOf<F[K], ParsedScalars, ParsedLists> } & {
    [K in OptionalKeys<F>]?: ValueOf<F[K], ParsedScalars, ParsedLists> | undefined;
  }
>;

/** A feature as it stands in a manifest. */
export interface FeatureJson {
  readonly kind: FeatureKind;
  readonly shape: readonly (number | null)[];
  readonly optional?: true;
  readonly image?: ImageFormat;
}

/** The features as plain data that JSON keeps, in the given order. */
export function featuresToJson(features: Features): Readonly<Record<string, FeatureJson>> {
  return Object.fromEntries(
    Object.entries(features).map(([name, { kind, shape, optional, image }]) => [
      name,
      { kind, shape: [...shape], ...(optional ? { optional } : {}), ...(image ? { image } : {}) },
    ]),
  );
}

/**
 * The inverse of `featuresToJson`, for anything that was read from a file.
 * @throws UserError where it is not a feature description, naming the feature; `where` is the file it came from.
 */
export function featuresFromJson(json: unknown, where: string): Features {
  if (!isRecord(json)) throw notFeatures('the features are not an object', where);
  const features = Object.entries(json).map(([name, value]) => [name, featureFromJson(value, name, where)]);
  const result = Object.fromEntries(features) as Features;
  checkFeatures(result);
  return result;
}

/**
 * Refuses features that no example could have: an impossible shape, or the one name that is no plain JavaScript property.
 * @throws UserError naming the feature.
 */
export function checkFeatures(features: Features): void {
  for (const [name, { kind, shape }] of Object.entries(features)) {
    if (name === '__proto__')
      throw new UserError('a feature can not be named __proto__', { remedy: 'rename it' });
    if (!KINDS.includes(kind))
      throw new UserError(`feature ${JSON.stringify(name)} is of unknown kind ${kind}`);
    checkShape(shape, `feature ${JSON.stringify(name)}`);
  }
}

/** Values in one row of the first dimension, e.g. 3 for `[null, 3]`; for a shape without null, values in all. */
export function fixedCount(shape: Shape): number {
  return shape.reduce<number>((product, size) => product * (size ?? 1), 1);
}

type Flat<T> = { [K in keyof T]: T[K] };

type OptionalKeys<F extends Features> = {
  [K in keyof F]: F[K]['optional'] extends false ? never : K;
}[keyof F];
type RequiredKeys<F extends Features> = {
  [K in keyof F]: F[K]['optional'] extends false ? K : never;
}[keyof F];

type ByKind = Record<FeatureKind, unknown>;

/** Where a shape's rank is not known to the compiler (features read from a file), either form may come. */
type ValueOf<
  F extends Feature,
  Scalars extends ByKind,
  Lists extends ByKind,
> = number extends F['shape']['length']
  ? Scalars[F['kind']] | Lists[F['kind']]
  : F['shape']['length'] extends 0
    ? Scalars[F['kind']]
    : Lists[F['kind']];

/** Typed arrays that hold whole numbers. */
export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface GivenScalars extends ByKind {
  bytes: Uint8Array;
  image: Uint8Array;
  text: string;
  int64: number | bigint;
  float32: number;
}

interface GivenLists extends ByKind {
  bytes: readonly Uint8Array[];
  image: readonly Uint8Array[];
  text: readonly string[];
  int64: readonly (number | bigint)[] | IntegerArray;
  float32: readonly number[] | Float32Array | Float64Array;
}

interface ParsedScalars extends ByKind {
  bytes: Uint8Array;
  image: Uint8Array;
  text: string;
  int64: number | bigint;
  float32: number;
}

interface ParsedLists extends ByKind {
  bytes: Uint8Array[];
  image: Uint8Array[];
  text: string[];
  int64: (number | bigint)[];
  float32: Float32Array;
}

const KINDS: readonly FeatureKind[] = ['bytes', 'text', 'int64', 'float32', 'image'];

function feature<Kind extends FeatureKind, Of extends Shape>(
  kind: Kind,
  shape: Of | undefined,
): Feature<Kind, Of, false> {
  const known = (shape ?? []) as Shape as Of;
  checkShape(known, `${kind} feature`);
  return { kind, shape: known, optional: false };
}

function checkShape(shape: Shape, what: string): void {
  const wrong = shape.findIndex((size, dimension) => !(isSize(size) || (size === null && dimension === 0)));
  if (wrong === -1 && Number.isSafeInteger(fixedCount(shape))) return;
  throw new UserError(`${what} has the impossible shape [${shape.map(String).join(', ')}]`, {
    remedy: 'sizes are whole numbers above 0; only the first may be null, for any number',
  });
}

function isSize(size: unknown): boolean {
  return Number.isSafeInteger(size) && (size as number) > 0;
}

function featureFromJson(value: unknown, name: string, where: string): Feature {
  const { kind, shape, optional = false, image } = isRecord(value) ? value : {};
  if (!KINDS.includes(kind as FeatureKind) || !Array.isArray(shape) || typeof optional !== 'boolean')
    throw notFeatures(`${JSON.stringify(name)} is not described as a feature`, where);
  if ((kind === 'image') !== isImageFormat(image))
    throw notFeatures(`${JSON.stringify(name)} is not described as an image feature should be`, where);
  const plain = { kind: kind as FeatureKind, shape: shape as Shape, optional };
  return isImageFormat(image) ? { ...plain, image } : plain;
}

function isImageFormat(value: unknown): value is ImageFormat {
  if (!isRecord(value) || !IMAGE_ENCODINGS.includes(value.encoding as ImageEncoding)) return false;
  const sizes = [value.height, value.width, value.channels];
  return sizes.every((size) => size === null || isSize(size)) && isReadable(value as unknown as ImageFormat);
}

/** Files say how large they are; raw pixels do not. */
function isReadable({ encoding, height, width, channels }: ImageFormat): boolean {
  return encoding !== 'raw' || ![height, width, channels].includes(null);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notFeatures(what: string, where: string): UserError {
  return new UserError(what, { where, remedy: 'make the data set again, or restore the file' });
}
