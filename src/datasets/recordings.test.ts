import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../io/errors.js';
import { listFiles, openRecordingFiles } from './recordings.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function tree(): string {
  const root = mkdtempSync(join(tmpdir(), 't2t-recordings-'));
  folders.push(root);
  mkdirSync(join(root, 'in', 'b'), { recursive: true });
  mkdirSync(join(root, 'in', 'a.x'));
  writeFileSync(join(root, 'secret.edf'), 'secret');
  writeFileSync(join(root, 'in', 'b', '2.edf'), 'two');
  writeFileSync(join(root, 'in', 'a.x', '1.edf'), 'one');
  writeFileSync(join(root, 'in', '.hidden.edf'), 'x');
  symlinkSync(join(root, 'secret.edf'), join(root, 'in', 'out.edf'));
  symlinkSync(root, join(root, 'in', 'up'));
  symlinkSync('b/2.edf', join(root, 'in', 'link.edf'));
  symlinkSync('nowhere', join(root, 'in', 'broken.edf'));
  return join(root, 'in');
}

describe('listFiles', () => {
  it('lists files below a folder by name, without hidden ones and links that lead out', () => {
    expect(listFiles(tree(), (name) => name.endsWith('.edf'))).toEqual(['a.x/1.edf', 'b/2.edf', 'link.edf']);
  });

  it('refuses a folder that is none', () => {
    expect(() => listFiles(join(tree(), 'b', '2.edf'), () => true)).toThrow(UserError);
    expect(() => listFiles('/nowhere/at/all', () => true)).toThrow(UserError);
  });
});

describe('openRecordingFiles', () => {
  it('reads files of the folder and nothing else', async () => {
    const files = openRecordingFiles(tree());
    expect(Buffer.from((await files.read('b/2.edf'))?.bytes ?? []).toString()).toBe('two');
    for (const name of [
      '../secret.edf',
      'out.edf',
      'up/secret.edf',
      'b/../b/2.edf',
      '/etc/passwd',
      'b',
      '',
      'broken.edf',
    ]) {
      expect(await files.read(name)).toBeUndefined();
      expect(files.stamp(name)).toBeUndefined();
      expect(files.path(name)).toBeUndefined();
    }
  });

  it('gives another stamp when the file may be another', () => {
    const root = tree();
    const files = openRecordingFiles(root);
    const before = files.stamp('b/2.edf');
    utimesSync(join(root, 'b', '2.edf'), 1, 1);
    expect(files.stamp('b/2.edf')).not.toBe(before);
  });
});
