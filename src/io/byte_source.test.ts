import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bufferSource, openFileSource } from './byte_source.js';
import { UserError } from './errors.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-byte-source-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const content = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
const path = join(folder, 'file');
writeFileSync(path, content);

describe.each([
  ['a file', () => openFileSource(path)],
  ['memory', async () => bufferSource(content)],
])('%s', (_, open) => {
  test('gives any range of its bytes, with or without scratch', async () => {
    const source = await open();
    expect(source.size).toBe(5000);
    for (const [offset, length] of [
      [0, 5000],
      [4999, 1],
      [5000, 0],
      [123, 456],
    ] as const)
      for (const scratch of [undefined, new Uint8Array(10), new Uint8Array(8000)])
        expect([...(await source.read(offset, length, scratch))]).toEqual([
          ...content.subarray(offset, offset + length),
        ]);
    await source.close();
    await source.close();
  });

  test('refuses ranges that it does not have', async () => {
    const source = await open();
    for (const [offset, length] of [
      [-1, 2],
      [4999, 2],
      [0, -1],
      [Number.NaN, 1],
    ] as const)
      await expect(source.read(offset, length)).rejects.toThrow(RangeError);
    await source.close();
  });
});

test('a file that became shorter is an error, not an endless wait', async () => {
  const shrinking = join(folder, 'shrinking');
  writeFileSync(shrinking, content);
  const source = await openFileSource(shrinking);
  truncateSync(shrinking, 1000);
  await expect(source.read(500, 1000)).rejects.toThrow(/became shorter.*byte 1000/);
  await source.close();
});

test('what is no file is an error that names it', async () => {
  await expect(openFileSource(folder)).rejects.toThrow(UserError);
  await expect(openFileSource(join(folder, 'absent'))).rejects.toThrow(/ENOENT.*absent/);
});
