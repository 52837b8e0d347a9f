import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import { recordFiles } from './record_files.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-record-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NAMES = ['a-1', 'a-1.idx', 'a-2', 'b.gz', '[x]', '.hidden'];
for (const name of NAMES) writeFileSync(join(folder, name), name);
mkdirSync(join(folder, 'a-folder'));

const found = (...patterns: string[]): string[] =>
  recordFiles(patterns.map((pattern) => join(folder, pattern))).map(({ path }) => basename(path));

test('patterns stand for the files that a shell would find, without indexes beside their shards', () => {
  expect(found('*')).toEqual(['[x]', 'a-1', 'a-2', 'b.gz']);
  expect(found('a-?')).toEqual(['a-1', 'a-2']);
  expect(found('a-[!1]')).toEqual(['a-2']);
  expect(found('[a-b]*')).toEqual(['a-1', 'a-2', 'b.gz']);
  expect(found('b.gz', 'a-*')).toEqual(['b.gz', 'a-1', 'a-2']);
  expect(found('.h*')).toEqual(['.hidden']);
  expect(found('a-1', 'a-1.idx')).toEqual(['a-1']);
});

test('a file whose name looks like a pattern is itself', () => {
  expect(found('[x]')).toEqual(['[x]']);
});

test('a name that stands for nothing, a folder and a file that comes twice are refused', () => {
  for (const none of ['c*', 'c', 'none/*', 'a-[', '[z-a]'])
    expect(() => found(none)).toThrow(/there is no such file/);
  expect(() => found('a-folder')).toThrow(/no regular file/);
  expect(() => found('a-1', 'a-*')).toThrow(/given twice/);
});

test('records are named by their file, and by as little more of its path as tells two apart', () => {
  const other = join(folder, 'a-folder', 'a-1');
  writeFileSync(other, '');
  expect(recordFiles([join(folder, 'a-2')])[0]?.name).toBe('a-2');
  const files = recordFiles([join(folder, 'a-1'), other, join(folder, 'a-2')]);
  expect(files.map(({ name }) => name)).toEqual([`${basename(folder)}/a-1`, 'a-folder/a-1', 'a-2']);
});

test('a file under two spellings is refused', () => {
  expect(() => recordFiles([join(folder, 'a-1'), `${folder}/./a-1`])).toThrow(/given twice/);
  const link = join(folder, 'a-folder', 'link');
  symlinkSync(join(folder, 'a-2'), link);
  expect(() => recordFiles([link, join(folder, 'a-2')])).toThrow(/given twice/);
});

test('any pattern stands for files of the folder or is refused', () => {
  const part = fc.constantFrom('*', '?', '[', ']', '!', '^', '-', 'a', '\\', '.', '(', '+', '$', '1', '|');
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      try {
        for (const name of found(parts.join(''))) expect(NAMES).toContain(name);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
