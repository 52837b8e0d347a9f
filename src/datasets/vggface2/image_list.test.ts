import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sharedData } from '../../../fixtures/shared_data.js';
import { readImageList } from './image_list.js';
import { pictureKey } from './picture_name.js';

const folder = mkdtempSync(join(tmpdir(), 'image-list-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  const path = join(folder, 'list.txt');
  writeFileSync(path, text);
  return readImageList(path);
}

const keysOf = (...names: string[]): number[] => names.map((name) => pictureKey(name) as number);

test('pictures come back sorted, each once, and repeats are counted', async () => {
  const { keys, repeated, malformed } = await read(
    'n000002/0003_01.jpg\nn000001/0001_01.jpg\nn000002/0003_01.jpg\nn000001/0001_02.jpg\n',
  );
  expect([...keys]).toEqual(keysOf('n000001/0001_01.jpg', 'n000001/0001_02.jpg', 'n000002/0003_01.jpg'));
  expect(repeated).toBe(1);
  expect(malformed.count).toBe(0);
});

test('CRLF, a byte-order mark, blanks, a folder ahead and a missing last line end are no trouble', async () => {
  const { keys, malformed } = await read(
    '\uFEFFn000001/0001_01.jpg\r\ntrain/n000002/0001_01.jpg\r\n ./n000003/0001_01.jpg \r\nn000004/0001_01.jpg',
  );
  expect(keys).toHaveLength(4);
  expect(malformed.count).toBe(0);
});

test('other lines are counted with line and reason', async () => {
  const { keys, malformed } = await read('n000001/0001_01.jpg\n\nn000001\nn000001/0001_01.png\n');
  expect(keys).toHaveLength(1);
  expect(malformed.first).toEqual([
    { line: 2, reason: 'an empty line' },
    { line: 3, reason: '"n000001" is no name like n000001/0001_01.jpg' },
    { line: 4, reason: '"n000001/0001_01.png" is no name like n000001/0001_01.jpg' },
  ]);
});

test('a line of many megabytes is one malformed line', async () => {
  const { keys, malformed } = await read(`${'x'.repeat(3 << 20)}\nn000001/0001_01.jpg\n`);
  expect(keys).toHaveLength(1);
  expect(malformed.first[0]?.line).toBe(1);
});

const real = sharedData('vggface2', 'test_list.txt');
test.skipIf(real === undefined)(
  'the published test list (skipped where shared data is absent) has 169,396 pictures',
  async () => {
    const { keys, repeated, malformed } = await readImageList(real as string);
    expect(keys).toHaveLength(169_396);
    expect(repeated).toBe(0);
    expect(malformed.count).toBe(0);
  },
);
