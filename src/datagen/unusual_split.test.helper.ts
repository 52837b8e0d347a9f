/** A finished split with every kind of feature that there is, also those that no Problem of ours has. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createExampleEncoder } from '../io/example.js';
import { bytes, featuresToJson, float32, image, int64, optional, text } from '../io/features.js';
import { formatIndex, RecordWriter } from '../io/tfrecord.js';
import type { Split } from '../problems/problem.js';
import { indexName, shardName } from './data_files.js';
import { type Manifest, type ManifestShard, writeManifest } from './manifest.js';
import { writeTfdsMetadata } from './tfds_metadata.js';

export const UNUSUAL_FEATURES = {
  key: text(),
  'picture/png': image({ encoding: 'png', height: 1, width: 1, channels: 3 }),
  'picture/raw': image({ encoding: 'raw', height: 2, width: 3, channels: 1 }),
  'picture/any': optional(image({ encoding: 'png' })),
  'picture/raw or none': optional(image({ encoding: 'raw', height: 1, width: 2, channels: 3 })),
  'bytes/one': bytes(),
  'bytes/any number': bytes([null]),
  'text/two': text([2]),
  'text/two or none': optional(text([2])),
  'text/"quoted" \\ and not ASCII: ä': text(),
  'int64/large': int64(),
  'int64/pairs': int64([null, 2]),
  'int64/one or none': optional(int64()),
  'int64/some or none': optional(int64([null])),
  'float32/matrix or none': optional(float32([2, 2])),
} as const;

/** A PNG of one red pixel. */
const RED_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

export interface UnusualSplit {
  readonly split?: Split;
  readonly version?: string;
  /** Records of each shard; three, none and one unless said otherwise. */
  readonly shards?: readonly number[];
  readonly isComplete?: boolean;
}

/** Writes shards, indexes and the manifest; every other example lacks all that it may lack. */
export function makeUnusualSplit(dataDir: string, name: string, of: UnusualSplit = {}): Manifest {
  const { split = 'train', version = '2', shards = [3, 0, 1], isComplete = true } = of;
  mkdirSync(dataDir, { recursive: true });
  const encoder = createExampleEncoder(UNUSUAL_FEATURES);
  let number = 0;
  const made = shards.map((records, i): ManifestShard => {
    const file = shardName(name, split, i, shards.length);
    const writer = RecordWriter.create(join(dataDir, file));
    for (let record = 0; record < records; record++) writer.writeExample(encoder, values(number++));
    const written = writer.finish();
    writeFileSync(join(dataDir, indexName(file)), formatIndex(written.index));
    return {
      file,
      planned: records,
      records,
      rejected: {},
      bytes: written.bytes,
      sha256: '',
      indexSha256: '',
    };
  });
  const manifest: Manifest = {
    format: 't2t-ts manifest 1',
    complete: isComplete,
    settings: {
      problem: name,
      version,
      split,
      seed: 0,
      limit: null,
      shards: shards.length,
      options: {},
      preparation: 'none',
    },
    planned: number,
    written: isComplete ? number : 0,
    rejected: {},
    bytes: isComplete ? made.reduce((sum, shard) => sum + shard.bytes, 0) : 0,
    shards: isComplete ? made : [],
    features: featuresToJson(UNUSUAL_FEATURES),
    dataset: {
      name: 'unusual',
      title: 'Unusual',
      homepage: '',
      citation: 'Made for a test.',
      licence: { name: 'CC0 1.0', url: 'https://creativecommons.org/publicdomain/zero/1.0/' },
    },
    notes: [],
    versions: {},
  };
  writeManifest(dataDir, manifest);
  writeTfdsMetadata(dataDir);
  return manifest;
}

function values(number: number) {
  const pixels = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => 40 * number + i);
  return {
    key: `unusual:${number}`,
    'picture/png': RED_PNG,
    'picture/raw': pixels(6),
    'bytes/one': Uint8Array.of(0, number, 255, 0),
    'bytes/any number': Array.from({ length: number }, (_, i) => Uint8Array.of(i, 200)),
    'text/two': ['', `två ${number}`],
    'text/"quoted" \\ and not ASCII: ä': `"${number}"`,
    'int64/large': (2n ** 60n + BigInt(number)) * (number % 2 === 0 ? 1n : -1n),
    'int64/pairs': Array.from({ length: 2 * number }, (_, i) => i - 1),
    ...(number % 2 === 0 && {
      'picture/any': RED_PNG,
      'picture/raw or none': pixels(6),
      'text/two or none': ['a', 'b'],
      'int64/one or none': number,
      'int64/some or none': [number, -1],
      'float32/matrix or none': [0.5, -1, 1e30, number],
    }),
  };
}
