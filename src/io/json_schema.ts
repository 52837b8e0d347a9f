/** Features as a JSON Schema, for programs that pass examples on as JSON. */

import type { FeatureMeanings } from './feature_table.js';
import { type Feature, type Features, fixedCount, type Shape } from './features.js';

/**
 * A JSON Schema (draft 2020-12, https://json-schema.org/draft/2020-12) of one parsed example written as JSON: bytes and
 * images in base64; whole numbers beyond ±(2^53 − 1), which JSON readers round, as decimal strings; null for numbers that
 * JSON lacks (not a number, infinities); arrays flat, row by row, as they stand in a record. `x-shape` and `x-dtype` say
 * what a validator can't check.
 * @param meanings what features mean, by name.
 */
export function exampleSchema(
  name: string,
  features: Features,
  meanings: FeatureMeanings = new Map(),
): object {
  const entries = Object.entries(features);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: name,
    description: `An example of the Problem ${name}`,
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([key, feature]) => [key, { ...described(meanings.get(key)), ...valueSchema(feature) }]),
    ),
    required: entries.flatMap(([key, { optional }]) => (optional ? [] : [key])),
    additionalProperties: false,
  };
}

function described(description: string | undefined): object {
  return description === undefined ? {} : { description };
}

function valueSchema(feature: Feature): object {
  const { kind, shape, image } = feature;
  const sizes = image === undefined ? shape : [image.height, image.width, image.channels];
  const hints = {
    'x-dtype': kind === 'image' ? 'uint8' : kind,
    ...(sizes.length > 0 ? { 'x-shape': sizes } : {}),
  };
  const item = itemSchema(feature);
  return shape.length === 0
    ? { ...item, ...hints }
    : { type: 'array', items: item, ...lengths(shape), ...hints };
}

/** That a list of any number of rows is a multiple of the row can't be said. */
function lengths(shape: Shape): object {
  const count = fixedCount(shape);
  return shape.includes(null) ? {} : { minItems: count, maxItems: count };
}

function itemSchema({ kind, image }: Feature): object {
  switch (kind) {
    case 'text':
      return { type: 'string' };
    case 'float32':
      return { type: ['number', 'null'] };
    case 'int64':
      return {
        anyOf: [
          { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
          { type: 'string', pattern: '^-?[0-9]{16,19}$' },
        ],
      };
    default: {
      const mediaType =
        image === undefined || image.encoding === 'raw'
          ? 'application/octet-stream'
          : `image/${image.encoding}`;
      return { type: 'string', contentEncoding: 'base64', contentMediaType: mediaType };
    }
  }
}
