import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { arbitraryExample } from './arbitrary_example.test.helper.js';
import { createExampleEncoder } from './example.js';
import { createExampleParser } from './example_parser.js';
import { bytes, featuresToJson, float32, image, int64, optional, text } from './features.js';
import { ParquetFile } from './parquet.js';
import { parquetFooter, readParquet } from './read_converted.test.helper.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('examples are read back exactly, whatever their features are called and hold', async () => {
  const path = join(folder, 'any.parquet');
  // A file without columns can't say how many rows it has.
  const withColumns = arbitraryExample.filter(({ features }) => Object.keys(features).length > 0);
  await fc.assert(
    fc.asyncProperty(withColumns, fc.integer({ min: 1, max: 40 }), async ({ features, values }, rows) => {
      const parsed = createExampleParser(features).parse(
        createExampleEncoder(features).encode(values as never),
      );
      const file = ParquetFile.create(path, features, {});
      for (let i = 0; i < rows; i++) file.write(parsed as Record<string, unknown>);
      file.finish();
      const expected = Array.from({ length: rows }, () => ({ ...(parsed as object) }));
      expect(await readParquet(path, features)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

test('the footer says what the columns are, to us and to Hugging Face', () => {
  const path = join(folder, 'footer.parquet');
  const features = {
    'image/a': image({ height: 2, width: 2 }),
    raw: image({ encoding: 'raw', height: 1, width: 1, channels: 1 }),
    window: float32([2, 3]),
    label: int64(),
    words: optional(text([null])),
    blob: bytes(),
  };
  const file = ParquetFile.create(path, features, { more: 'said' });
  file.finish();
  const { key_value_metadata = [], num_rows } = parquetFooter(path);
  const metadata = Object.fromEntries(key_value_metadata.map(({ key, value }) => [key, value ?? '']));
  expect(num_rows).toBe(0n);
  expect(metadata.more).toBe('said');
  expect(JSON.parse(metadata['t2t-ts.features'] ?? '')).toEqual(featuresToJson(features));
  expect(JSON.parse(metadata.huggingface ?? '').info.features).toEqual({
    'image/a': { _type: 'Image' },
    raw: { dtype: 'binary', _type: 'Value' },
    window: { feature: { dtype: 'float32', _type: 'Value' }, _type: 'Sequence' },
    label: { dtype: 'int64', _type: 'Value' },
    words: { feature: { dtype: 'string', _type: 'Value' }, _type: 'Sequence' },
    blob: { dtype: 'binary', _type: 'Value' },
  });
});

test('row groups end before they grow large', () => {
  const path = join(folder, 'groups.parquet');
  const features = { picture: image(), window: float32([null]) };
  const file = ParquetFile.create(path, features, {});
  const values = { picture: Buffer.alloc(2 ** 20, 1), window: new Float32Array(2 ** 16) };
  for (let i = 0; i < 15; i++) file.write(values);
  file.finish();
  const { row_groups } = parquetFooter(path);
  expect(row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([6, 6, 3]);
});
