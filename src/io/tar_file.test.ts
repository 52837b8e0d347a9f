import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSamples } from './read_converted.test.helper.js';
import { TarFile } from './tar_file.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-tar-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function write(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const tar = TarFile.create(path);
  await tar.add('0.json', Buffer.from('{}'));
  await tar.add('0.empty', new Uint8Array(0));
  await tar.add(`0.${'long'.repeat(50)}.bin`, Buffer.from('long'));
  await tar.add('1.large', Buffer.alloc(3_000_000, 7));
  return tar.finish();
}

test('files are read back, also one whose name is too long for a header', async () => {
  const path = join(folder, 'one.tar');
  const written = await write(path);
  const samples = await readSamples(readFileSync(path));
  expect(
    [...samples].map(([name, files]) => [name, [...files].map(([ending, { length }]) => [ending, length])]),
  ).toEqual([
    [
      '0',
      [
        ['json', 2],
        ['empty', 0],
        [`${'long'.repeat(50)}.bin`, 4],
      ],
    ],
    ['1', [['large', 3_000_000]]],
  ]);
  const bytes = readFileSync(path);
  expect(written).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
});

test('the same files make the same bytes', async () => {
  const [one, two] = [join(folder, 'same-1.tar'), join(folder, 'same-2.tar')];
  await write(one);
  await write(two);
  expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
});

test('a tar that is given up is gone, and one that can not be written says so', async () => {
  const path = join(folder, 'gone.tar');
  const tar = TarFile.create(path);
  await tar.add('0.json', Buffer.from('{}'));
  tar.abort();
  tar.abort();
  expect(existsSync(path)).toBe(false);
  expect(() => TarFile.create(join(folder, 'no', 'such', 'folder.tar'))).toThrow(
    /can't be written \(ENOENT\)/,
  );
});
