import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { lockFile } from './file_lock.js';
import { processTag } from './process_tag.js';

const root = mkdtempSync(join(tmpdir(), 't2t-lock-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('a lock names its owner, keeps others out, and leaves nothing behind', () => {
  const path = join(root, 'plain');
  const release = lockFile(path);
  expect(readFileSync(`${path}.lock`, 'utf8')).toBe(processTag());
  expect(() => lockFile(path, 'indexing this archive')).toThrow('another process is indexing this archive');
  release();
  expect(readdirSync(root)).toEqual([]);
});

test('the lock of a process that has ended is taken over', () => {
  const path = join(root, 'ended');
  writeFileSync(`${path}.lock`, `${hostname()}~999999999~x`);
  lockFile(path)();
  expect(readdirSync(root)).toEqual([]);
});

test('a lock that is still empty, or another machine’s, is somebody’s', () => {
  const path = join(root, 'empty');
  for (const owner of ['', 'another-machine~999999999~x']) {
    writeFileSync(`${path}.lock`, owner);
    expect(() => lockFile(path)).toThrow('another process');
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe(owner);
  }
  rmSync(`${path}.lock`);
});

test('whoever takes off its lock leaves that of another owner alone', () => {
  const path = join(root, 'others');
  const release = lockFile(path);
  writeFileSync(`${path}.lock`, 'another-machine~1~x');
  release();
  expect(existsSync(`${path}.lock`)).toBe(true);
  rmSync(`${path}.lock`);
});

test('processes that want one lock at the same time have it one after the other', async () => {
  const child = fileURLToPath(new URL('./file_lock.test.child.js', import.meta.url));
  const path = join(root, 'wanted');
  const runs = await Promise.all(
    [1, 2, 3].map(() => promisify(execFile)(process.execPath, [child, path, '400'])),
  );
  const told = runs.map(({ stdout }) => JSON.parse(stdout) as { taken: number; clashes: number });
  expect(told.reduce((sum, { taken }) => sum + taken, 0)).toBeGreaterThan(0);
  expect(told.map(({ clashes }) => clashes)).toEqual([0, 0, 0]);
}, 30_000);
