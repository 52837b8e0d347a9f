import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from './make_folder.js';

const root = mkdtempSync(join(tmpdir(), 't2t-make-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('a folder and those above it are made, and may be there already', () => {
  const path = join(root, 'a', 'b', 'c');
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test('a file in the way is an error', () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(file)).toThrow(/EEXIST/);
  expect(() => makeFolder(join(file, 'below'))).toThrow(/ENOTDIR|EEXIST/);
});

test.skipIf(!existsSync('/proc/self'))(
  'where the system makes no folders, that is an error and no wait',
  () => {
    expect(() => makeFolder('/proc/t2t-ts/data')).toThrow(/ENOENT|EACCES|EROFS/);
  },
);
