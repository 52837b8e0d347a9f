/** Features as TensorFlow Datasets describes them, so that its readers decode our records. */

import type { FeatureMeanings } from './feature_table.js';
import type { Feature, Features, ImageFormat, Shape } from './features.js';

/**
 * The content of `features.json`: tensorflow_datasets/core/proto/feature.proto (`Feature`) as protobuf's JSON, which TFDS
 * reads since 4.5.
 *
 * - An image is an `Image`, decoded by TFDS; a raw one a `Tensor` of uint8 that is kept as bytes.
 * - A feature that may be missing is an optional `Tensor`, for which TFDS gives the smallest number of the type or an empty
 *   text. Where that can't be said (images, and lists of any length) it is a sequence of one or none.
 * @param meanings what features mean, by name; shown by TFDS.
 */
export function tfdsFeatures(features: Features, meanings: FeatureMeanings = new Map()): object {
  return {
    pythonClassName: className('features_dict.FeaturesDict'),
    featuresDict: {
      features: Object.fromEntries(
        Object.entries(features).map(([name, feature]) => {
          const description = meanings.get(name);
          return [name, { ...connector(feature), ...(description === undefined ? {} : { description }) }];
        }),
      ),
    },
  };
}

/** Version numbers that TFDS takes: three whole numbers. */
export function tfdsVersion(version: string): string {
  const [, ...numbers] = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(version) ?? [];
  return numbers.length === 0 ? '1.0.0' : numbers.map((number) => Number(number ?? 0)).join('.');
}

function connector(feature: Feature): object {
  const { kind, shape, optional, image } = feature;
  if (image !== undefined) return optional ? sequenceOf(imageConnector(image)) : imageConnector(image);
  if (kind === 'text' && shape.length === 0 && !optional)
    return { pythonClassName: className('text_feature.Text'), text: {} };
  // A list of any length has none where it is missing: TFDS can't know a default for it.
  const mayBeMissing = optional && !shape.includes(null);
  const dtype = kind === 'int64' || kind === 'float32' ? kind : 'string';
  return tensor({ shape, dtype, encoding: 'none', ...(mayBeMissing ? { optional: true } : {}) });
}

function imageConnector({ encoding, height, width, channels }: ImageFormat): object {
  // As TFDS itself has it: 3 channels where nothing else is said.
  const shape: Shape = [height, width, channels ?? 3];
  if (encoding === 'raw') return tensor({ shape, dtype: 'uint8', encoding: 'bytes' });
  return {
    pythonClassName: className('image_feature.Image'),
    image: { shape: shapeJson(shape), dtype: 'uint8', encodingFormat: encoding },
  };
}

function tensor({
  shape,
  ...rest
}: {
  readonly shape: Shape;
  readonly dtype: string;
  readonly encoding: string;
}) {
  return {
    pythonClassName: className('tensor_feature.Tensor'),
    tensor: { shape: shapeJson(shape), ...rest },
  };
}

function sequenceOf(feature: object): object {
  return { pythonClassName: className('sequence_feature.Sequence'), sequence: { feature, length: '-1' } };
}

/** int64 is a string in protobuf's JSON, -1 stands for any size, and a single value has no dimensions. */
function shapeJson(shape: Shape): { readonly dimensions?: readonly string[] } {
  return shape.length === 0 ? {} : { dimensions: shape.map((size) => String(size ?? -1)) };
}

function className(name: string): string {
  return `tensorflow_datasets.core.features.${name}`;
}
