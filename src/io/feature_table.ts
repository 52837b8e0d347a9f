/** Features as a markdown table, for documentation and dataset cards. */

import type { Feature, Features } from './features.js';

/** What features mean, by name: a map, since a feature may be called as what every object has. */
export type FeatureMeanings = ReadonlyMap<string, string>;

/**
 * A row a feature: name, kind, shape and element type of the decoded value, meaning.
 * @param meanings what features mean, by name.
 */
export function featureTable(features: Features, meanings: FeatureMeanings = new Map()): string {
  const rows = Object.entries(features).map(([name, feature]) => [
    `\`${cell(name)}\``,
    describeKind(feature),
    describeShape(feature),
    describeType(feature),
    cell(meanings.get(name) ?? ''),
  ]);
  const head = ['name', 'kind', 'shape', 'type', 'meaning'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function describeKind({ kind, optional, image }: Feature): string {
  const stored = image === undefined ? kind : `image (${image.encoding})`;
  return optional ? `${stored}, may be missing` : stored;
}

/** Sizes with crosses between, `any` where it differs from example to example; a single value has none. */
function describeShape({ shape, image }: Feature): string {
  const sizes = image === undefined ? shape : [image.height, image.width, image.channels];
  return sizes.length === 0 ? 'single' : sizes.map((size) => size ?? 'any').join(' × ');
}

function describeType({ kind }: Feature): string {
  const types = {
    image: 'uint8',
    text: 'string',
    bytes: 'bytes',
    int64: 'int64',
    float32: 'float32',
  } as const;
  return types[kind];
}

/** What would end a table's cell or row. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').replaceAll('`', "'");
}
