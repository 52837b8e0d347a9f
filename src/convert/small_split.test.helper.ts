/** Small finished splits for tests, made as anyone would make them: records in a file, imported. */

import { join } from 'node:path';
import { createExampleEncoder } from '../io/example.js';
import { bytes, type Features, float32, image, int64, optional, text } from '../io/features.js';
import { RecordWriter } from '../io/tfrecord.js';
import type { Split } from '../problems/problem.js';
import { importRecords } from './import_records.js';

export const SMALL_FEATURES = {
  key: text(),
  'image/a': image(),
  window: float32([2, 40]),
  box: optional(float32([4])),
  votes: int64([null]),
  label: int64(),
  parts: bytes([null]),
} satisfies Features;

/** Keys that would be trouble as names of files. */
export const HOSTILE_KEYS = [
  '../../etc/passwd',
  'nul\0byte',
  'x'.repeat(3000),
  'a.b.c',
  'a/b',
  'a_b',
  'a b',
  '',
  'Ünïcode/☃',
  'a_b',
];

export function smallValues(i: number): Record<string, unknown> {
  return {
    key: HOSTILE_KEYS[i % HOSTILE_KEYS.length] as string,
    'image/a': Uint8Array.from({ length: 100 + i }, (_, k) => (k * 7 + i) % 256),
    window: Float32Array.from({ length: 80 }, (_, k) =>
      k === i % 80 ? Number.NaN : Math.fround(k / (i + 1)),
    ),
    ...(i % 3 === 0 ? {} : { box: Float32Array.of(0, -0, 1.5, i) }),
    votes: Array.from({ length: i % 4 }, (_, k) => (k === 0 ? 2n ** 62n : k)),
    label: i % 2,
    parts: Array.from({ length: i % 3 }, (_, k) => Uint8Array.of(k, i % 256)),
  };
}

/** Writes a TFRecord file of such examples. */
export function writeSmallFile(path: string, count: number, first = 0): void {
  const writer = RecordWriter.create(path, { sync: 'none' });
  const encoder = createExampleEncoder(SMALL_FEATURES);
  for (let i = first; i < first + count; i++) writer.writeExample(encoder, smallValues(i) as never);
  writer.finish();
}

/** A split `small` of so many examples in a data folder. */
export async function makeSmallSplit(
  folder: string,
  {
    count,
    shards,
    split = 'train',
  }: { readonly count: number; readonly shards: number; readonly split?: Split },
): Promise<string> {
  const path = join(folder, `small-${split}.tfrecord`);
  const dataDir = join(folder, 'data');
  writeSmallFile(path, count);
  await importRecords({ files: [path], name: 'small', features: SMALL_FEATURES, dataDir, split, shards });
  return dataDir;
}
