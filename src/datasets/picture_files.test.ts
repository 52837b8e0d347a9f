import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeTarFiles } from '../../fixtures/tar_files.js';
import { indexTar } from '../io/tar_index.js';
import { PictureFiles } from './picture_files.js';
import { MAX_PICTURE_BYTES } from './picture_folder.js';

const root = mkdtempSync(join(tmpdir(), 'picture-files-'));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = join(root, `folder-${made++}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function archiveWith(
  files: Readonly<Record<string, string>>,
): Promise<{ path: string; indexPath: string }> {
  const path = join(root, `archive-${made++}.tar.gz`);
  await writeTarFiles(
    path,
    Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
  );
  const indexPath = `${path}.index`;
  await indexTar(path, indexPath);
  return { path, indexPath };
}

const openFolder = (path: string): PictureFiles => PictureFiles.open({ folders: [{ path }], archives: [] });

async function textOf(files: PictureFiles, name: string): Promise<string | undefined> {
  const bytes = await files.read(name);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

test('pictures of folders and archives have one name each, sorted; folders win over archives', async () => {
  const folder = folderWith({
    'n000002/0001_01.jpg': 'folder',
    'n000001/0003_01.png': 'png',
    'n000001/notes.txt': '',
  });
  const archive = await archiveWith({
    'train/n000002/0001_01.jpg': 'archive',
    'train/n000001/0001_01.jpg': 'one',
    'train/list.txt': '',
    'test/n000009/0001_01.jpg': 'nine',
  });
  const files = PictureFiles.open({
    folders: [{ path: folder }],
    archives: [
      { ...archive, prefix: 'train/' },
      { ...archive, prefix: 'test/' },
    ],
  });
  const names = ['n000001/0001_01.jpg', 'n000001/0003_01.png', 'n000002/0001_01.jpg', 'n000009/0001_01.jpg'];
  expect([...files.names()]).toEqual(names);
  const texts = await Promise.all(names.map((name) => textOf(files, name)));
  expect(texts).toEqual(['one', 'png', 'folder', 'nine']);
  for (const name of names) expect(files.stamp(name)).toMatch(/./);
  for (const absent of [
    'n000001/0009_01.jpg',
    'train/n000001/0001_01.jpg',
    'list.txt',
    'n000001/notes.txt',
  ]) {
    expect(files.stamp(absent)).toBeUndefined();
    expect(await files.read(absent)).toBeUndefined();
  }
  files.close();
});

test('asked for very many pictures, an archive still has the same ones', async () => {
  const archive = await archiveWith({ 'train/a.jpg': 'a', 'train/b.jpg': 'b', 'test/c.jpg': 'c' });
  const files = PictureFiles.open({ folders: [], archives: [{ ...archive, prefix: 'train/' }] });
  const answers = new Set<string>();
  for (let i = 0; i < 25_000; i++)
    answers.add(['a.jpg', 'b.jpg', 'c.jpg', 'a.txt'].map((name) => files.stamp(name) !== undefined).join());
  expect([...answers]).toEqual(['true,true,false,false']);
  files.close();
});

test('names come in the order of their code units, also where a folder’s name begins another’s', () => {
  const folder = folderWith({ 'a/z.jpg': '', 'a.jpg': '', 'a-b/c.jpg': '', 'B.jpg': '', 'a/y/x.jpg': '' });
  const names = [...openFolder(folder).names()];
  expect(names).toEqual(['B.jpg', 'a-b/c.jpg', 'a.jpg', 'a/y/x.jpg', 'a/z.jpg']);
  expect(names).toEqual([...names].sort());
});

test('a stamp changes with the size and with the time of a file', () => {
  const folder = folderWith({ 'a.jpg': 'x' });
  const path = join(folder, 'a.jpg');
  utimesSync(path, 1000, 1000);
  const stamps = [openFolder(folder).stamp('a.jpg')];
  writeFileSync(path, 'xy');
  utimesSync(path, 1000, 1000);
  stamps.push(openFolder(folder).stamp('a.jpg'));
  utimesSync(path, 1000, 2000);
  stamps.push(openFolder(folder).stamp('a.jpg'));
  expect(new Set(stamps).size).toBe(3);
});

test('links that lead out of the folder, hidden files and odd names are neither listed nor read', async () => {
  const secret = folderWith({ 'secret.jpg': 'secret', 'people/n.jpg': 'secret' });
  const folder = folderWith({ 'n000001/0001_01.jpg': 'in', '.hidden.jpg': '' });
  symlinkSync(join(secret, 'secret.jpg'), join(folder, 'out.jpg'));
  symlinkSync(join(secret, 'people'), join(folder, 'people'));
  symlinkSync('..', join(folder, 'n000001', 'up'));
  symlinkSync(join(folder, 'nowhere.jpg'), join(folder, 'broken.jpg'));
  symlinkSync('ring.jpg', join(folder, 'ring.jpg'));
  symlinkSync('n000001/0001_01.jpg', join(folder, 'inside.jpg'));
  const files = openFolder(folder);
  expect([...files.names()]).toEqual(['inside.jpg', 'n000001/0001_01.jpg']);
  expect(await textOf(files, 'inside.jpg')).toBe('in');
  for (const name of [
    'out.jpg',
    'people/n.jpg',
    `../${secret.split('/').at(-1)}/secret.jpg`,
    join(secret, 'secret.jpg'),
    'n000001/../../x.jpg',
    'n000001//0001_01.jpg',
    './n000001/0001_01.jpg',
    'n000001\\0001_01.jpg',
    'n000001/0001_01.jpg\0.jpg',
    'broken.jpg',
    'ring.jpg',
    '',
  ]) {
    expect(files.stamp(name)).toBeUndefined();
    expect(await files.read(name)).toBeUndefined();
  }
});

test.skipIf(process.platform === 'win32')(
  'a pipe named like a picture is no picture and holds nobody up',
  async () => {
    const folder = folderWith({ 'a.jpg': 'x' });
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    const files = openFolder(folder);
    expect([...files.names()]).toEqual(['a.jpg']);
    expect(await files.read('pipe.jpg')).toBeUndefined();
  },
);

test('a file beyond any photograph’s size is not read into memory', async () => {
  const folder = folderWith({ 'large.jpg': '' });
  truncateSync(join(folder, 'large.jpg'), MAX_PICTURE_BYTES + 1);
  expect(await openFolder(folder).read('large.jpg')).toBeUndefined();
});
