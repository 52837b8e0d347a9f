import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTarFiles } from '../../../fixtures/tar_files.js';
import { makeVggFace2Tree, type TreeIdentity } from '../../../fixtures/vggface2_tree.js';
import { landmarkNumbers } from '../../faces/face.js';
import type { DatasetFiles } from '../dataset.js';
import { vggface2TinyDataset } from '../vggface2_tiny/vggface2_tiny.js';
import { type VggFace2Source, vggface2Dataset } from './vggface2.js';

const root = mkdtempSync(join(tmpdir(), 'vggface2-'));
afterAll(() => rmSync(root, { recursive: true }));
const unpacked = join(root, 'unpacked');
const packed = join(root, 'packed');
let tree: readonly TreeIdentity[] = [];

beforeAll(async () => {
  tree = await makeVggFace2Tree({ folder: unpacked });
  await makeVggFace2Tree({ folder: packed, form: 'archives' });
});

let made = 0;

function copyOf(folder: string): string {
  const copy = join(root, `copy-${made++}`);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

interface Opened {
  readonly source: VggFace2Source;
  readonly files: DatasetFiles;
  readonly notes: string[];
  readonly rawDir: string;
}

async function open(manualDir: string, rawDir = join(root, `raw-${made++}`)): Promise<Opened> {
  mkdirSync(rawDir, { recursive: true });
  const notes: string[] = [];
  let agreed = false;
  const source = await vggface2Dataset.obtain({
    rawDir,
    manualDir,
    say: () => undefined,
    progress: () => undefined,
    agree: async () => {
      agreed = true;
    },
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    note: (text) => notes.push(text),
  });
  expect(agreed).toBe(true);
  const files = await vggface2Dataset.openFiles?.({ rawDir, manualDir });
  return { source, files: files as DatasetFiles, notes, rawDir };
}

function shapeOf(source: VggFace2Source): unknown {
  return (['train', 'test'] as const).flatMap((part) =>
    source.identities(part).map(({ id, name, gender, images }) => ({
      id,
      name,
      gender,
      part,
      pictures: Array.from({ length: images.length }, (_, i) => images.name(i)).sort(),
    })),
  );
}

function wanted(part?: 'train' | 'test'): unknown {
  return (['train', 'test'] as const)
    .filter((one) => part === undefined || one === part)
    .flatMap((one) => tree.filter((identity) => identity.part === one))
    .map(({ pictures, ...rest }) => ({ ...rest, pictures: pictures.map(({ name }) => name).sort() }));
}

async function expectEveryPicture(
  { files }: Opened,
  parts: readonly string[] = ['train', 'test'],
): Promise<void> {
  for (const { part, pictures } of tree.filter((identity) => parts.includes(identity.part)))
    for (const { name, box, landmarks } of pictures) {
      const read = await files.read(name);
      expect(Buffer.from(read?.bytes ?? []).equals(readFileSync(join(unpacked, part, name)))).toBe(true);
      const [left, top, width, height] = box;
      expect(read?.box).toEqual({ left, top, width, height });
      expect(read?.landmarks && landmarkNumbers(read.landmarks)).toEqual(landmarks?.map(Math.fround));
    }
}

test.each([
  ['unpacked folders', () => unpacked],
  ['the archives as published', () => packed],
])('%s give every identity, picture, box and landmark, without a note', async (_, folder) => {
  const opened = await open(folder());
  expect(shapeOf(opened.source)).toEqual(wanted());
  expect(opened.notes).toEqual([]);
  await expectEveryPicture(opened);
  expect(await opened.files.read('n999999/0001_01.jpg')).toBeUndefined();
  expect(opened.files.stamp('n999999/0001_01.jpg')).toBeUndefined();
  opened.files.close();
});

test.each<[string, (folder: string) => void]>([
  [
    'below data/',
    (folder) => {
      mkdirSync(join(folder, 'data'));
      for (const part of ['train', 'test']) renameSync(join(folder, part), join(folder, 'data', part));
    },
  ],
  [
    'in folders named like the archives',
    (folder) => {
      for (const part of ['train', 'test']) {
        mkdirSync(join(folder, `vggface2_${part}`));
        renameSync(join(folder, part), join(folder, `vggface2_${part}`, part));
      }
    },
  ],
  [
    'all identities in one folder, told apart by the meta file',
    (folder) => {
      for (const part of ['train', 'test'])
        for (const id of readdirSync(join(folder, part)))
          renameSync(join(folder, part, id), join(folder, id));
      for (const part of ['train', 'test']) rmSync(join(folder, part), { recursive: true });
    },
  ],
  [
    'with the text files in a folder of their own',
    (folder) => {
      mkdirSync(join(folder, 'meta'));
      for (const name of ['identity_meta.csv', 'train_list.txt', 'test_list.txt'])
        renameSync(join(folder, name), join(folder, 'meta', name));
    },
  ],
])('pictures %s are found', async (_, rearrange) => {
  const folder = copyOf(unpacked);
  rearrange(folder);
  const opened = await open(folder);
  expect(shapeOf(opened.source)).toEqual(wanted());
  expect(opened.notes).toEqual([]);
  await expectEveryPicture(opened);
  opened.files.close();
});

test('one archive with both parts, prefixes and macOS’s own files is read like the two', async () => {
  const folder = join(root, `one-${made++}`);
  mkdirSync(folder);
  const pictures = tree.flatMap(({ part, pictures: own }) =>
    own.map(({ name }) => ({
      name: `./VGG-Face2/data/${part}/${name}`,
      bytes: readFileSync(join(unpacked, part, name)),
    })),
  );
  const junk = { name: `VGG-Face2/data/train/n000002/._0001_01.jpg`, bytes: Buffer.from('resource fork') };
  await writeTarFiles(join(folder, 'VGG-Face2.tar'), [
    junk,
    { name: 'VGG-Face2/samples/cover.jpg', bytes: Buffer.from('cover') },
    ...pictures,
  ]);
  cpSync(join(unpacked, 'bb_landmark'), join(folder, 'bb_landmark'), { recursive: true });
  const opened = await open(folder);
  expect(opened.notes.slice(0, 2)).toEqual([
    expect.stringContaining('identity_meta.csv is not there'),
    expect.stringContaining('train_list.txt is not there'),
  ]);
  expect(opened.notes.at(-1)).toBe(
    '1 pictures of VGG-Face2.tar lie outside the folders of identities (n000001/…): they are passed over',
  );
  expect(opened.source.identities('train').map(({ id }) => id)).toEqual(
    tree.filter(({ part }) => part === 'train').map(({ id }) => id),
  );
  expect(opened.source.identities('test').map(({ id }) => id)).toEqual(
    tree.filter(({ part }) => part === 'test').map(({ id }) => id),
  );
  await expectEveryPicture(opened);
  opened.files.close();
});

test('a set in part works as far as it goes, and what is missing is said', async () => {
  const folder = copyOf(packed);
  for (const name of ['vggface2_train.tar.gz', 'bb_landmark.tar.gz', 'train_list.txt', 'test_list.txt'])
    rmSync(join(folder, name));
  const opened = await open(folder);
  expect(shapeOf(opened.source)).toEqual(wanted('test'));
  expect(opened.notes).toEqual([
    'there is neither vggface2_train.tar.gz nor a folder train: the set is used without that part',
    'train_list.txt is not there: whether train is complete is not checked',
    'test_list.txt is not there: whether test is complete is not checked',
    'loose_bb_train.csv is not there: faces of train are found by detection where they have no boxes',
    'loose_bb_test.csv is not there: faces of test are found by detection where they have no boxes',
    'loose_landmark_train.csv is not there: faces of train are found by detection where they have no landmarks',
    'loose_landmark_test.csv is not there: faces of test are found by detection where they have no landmarks',
    'of 10 of the 14 identities of identity_meta.csv no picture is there',
  ]);
  const name = opened.source.identities('test')[0]?.images.name(0) as string;
  expect(await opened.files.read(name)).toEqual({ bytes: expect.anything() });
  opened.files.close();
});

test('an archive whose download was stopped is used as far as it goes, and taken up again when more of it has come', async () => {
  const folder = copyOf(packed);
  const path = join(folder, 'vggface2_train.tar.gz');
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length / 2));
  const cut = await open(folder);
  const again = await open(folder, cut.rawDir);
  const people = cut.source.identities('train');
  expect(people.length).toBeGreaterThan(2);
  expect(people.length).toBeLessThan(10);
  expect(cut.notes[0]).toMatch(/^vggface2_train.tar.gz is not whole and is used as far as it goes: /);
  expect(cut.notes.join()).toMatch(/\d+ of the \d+ pictures of train_list.txt are not there/);
  expect(again.notes).toEqual(cut.notes);
  expect(await cut.files.read(people[0]!.images.name(0))).toBeDefined();
  cut.files.close();
  again.files.close();
  writeFileSync(path, whole);
  const complete = await open(folder, cut.rawDir);
  expect(complete.notes).toEqual([]);
  expect(shapeOf(complete.source)).toEqual(wanted());
  complete.files.close();
});

test('a second opening makes nothing anew and says the same', async () => {
  const folder = copyOf(packed);
  writeFileSync(join(folder, 'extra.tar'), 'not one of ours');
  const first = await open(folder);
  const before = readdirSync(first.rawDir, { recursive: true }).map(String).sort();
  const marks = new Map(before.map((name) => [name, readFileStamp(join(first.rawDir, name))]));
  const second = await open(folder, first.rawDir);
  expect(second.notes).toEqual(first.notes);
  expect(first.notes).toEqual(['extra.tar has no name of VGGFace2’s archives: it is passed over']);
  expect(readdirSync(first.rawDir, { recursive: true }).map(String).sort()).toEqual(before);
  for (const name of before.filter((one) => /table$|csv$/.test(one)))
    expect(readFileStamp(join(first.rawDir, name))).toBe(marks.get(name));
  first.files.close();
  second.files.close();
});

/** The inode tells a file that was written again under its name. */
function readFileStamp(path: string): string {
  const { ino, mtimeMs } = statSync(path);
  return `${ino} ${mtimeMs}`;
}

test('what a killed run left half-written is removed, and what a running one writes is not', async () => {
  const rawDir = join(root, 'leftovers');
  mkdirSync(rawDir);
  const killed = spawnSync(process.execPath, ['-e', '']).pid;
  const [dead, alive] = [killed, process.ppid].map((pid) => `faces.table.part-${hostname()}~${pid}~abc`) as [
    string,
    string,
  ];
  for (const name of [dead, alive]) writeFileSync(join(rawDir, name), 'half');
  const { files } = await open(unpacked, rawDir);
  files.close();
  expect(readdirSync(rawDir)).toContain(alive);
  expect(readdirSync(rawDir)).not.toContain(dead);
});

test('other boxes give pictures another stamp, the same boxes in a touched file do not', async () => {
  const folder = copyOf(unpacked);
  const path = join(folder, 'bb_landmark', 'loose_bb_train.csv');
  const name = tree.find(({ part }) => part === 'train')?.pictures[0]?.name as string;
  const first = await open(folder);
  utimesSync(path, 1000, 1000);
  const touched = await open(folder, first.rawDir);
  writeFileSync(path, `${readFileSync(path, 'utf8')}"${name.slice(0, -4)}",1,2,3,4\n`);
  const changed = await open(folder, first.rawDir);
  expect(touched.files.stamp(name)).toBe(first.files.stamp(name));
  expect(changed.files.stamp(name)).not.toBe(first.files.stamp(name));
  expect(changed.notes).toEqual([
    '1 lines of the files of boxes are of a picture that a later line is of: that one is used',
  ]);
  expect((await changed.files.read(name))?.box).toEqual({ left: 1, top: 2, width: 3, height: 4 });
  for (const { files } of [first, touched, changed]) files.close();
});

test('malformed lines of every file are said with file, line and reason, also when nothing is read anew', async () => {
  const folder = copyOf(unpacked);
  for (const name of ['identity_meta.csv', 'train_list.txt', 'bb_landmark/loose_bb_test.csv'])
    writeFileSync(join(folder, name), `${readFileSync(join(folder, name), 'utf8')}nonsense\n`);
  const first = await open(folder);
  const second = await open(folder, first.rawDir);
  for (const { notes, files } of [first, second]) {
    expect(notes).toHaveLength(3);
    for (const name of ['identity_meta.csv', 'train_list.txt', 'loose_bb_test.csv'])
      expect(notes.join('\n')).toMatch(
        new RegExp(`a line of .*${name} is malformed and not used: line \\d+: `),
      );
    files.close();
  }
});

test('nothing usable is one error that lists what was looked for; so is no folder at all', async () => {
  const empty = join(root, 'empty');
  mkdirSync(empty);
  writeFileSync(join(empty, 'identity_meta.csv'), readFileSync(join(unpacked, 'identity_meta.csv')));
  await expect(open(empty)).rejects.toMatchObject({
    name: 'UserError',
    exitCode: 2,
    message: expect.stringMatching(/no pictures of VGGFace2.*vggface2_train\.tar\.gz.*bb_landmark\.tar\.gz/),
  });
  await expect(open(join(root, 'nowhere'))).rejects.toMatchObject({ name: 'UserError', exitCode: 2 });
  await expect(
    vggface2Dataset.obtain({
      rawDir: root,
      say: () => undefined,
      progress: () => undefined,
      agree: async () => {},
      fetch: () => Promise.reject(new Error('nothing is fetched')),
      note: () => {},
    }),
  ).rejects.toThrow(/no longer published.*--manual-dir/);
});

test('an archive’s links are no pictures, and an archive with a path that leads out is refused', async () => {
  const folder = copyOf(unpacked);
  rmSync(join(folder, 'train'), { recursive: true });
  writeFileSync(join(folder, 'secret.jpg'), 'secret');
  await writeTarFiles(join(folder, 'vggface2_train.tar.gz'), [
    { name: 'train/n000002/0009_01.jpg', linkTo: join(folder, 'secret.jpg') },
    { name: 'train/n000002/0001_01.jpg', bytes: Buffer.from('honest') },
  ]);
  const { source, files } = await open(folder);
  expect(source.identities('train').map(({ id, images }) => [id, images.length])).toEqual([['n000002', 1]]);
  expect(await files.read('n000002/0009_01.jpg')).toBeUndefined();
  files.close();
  await writeTarFiles(join(folder, 'vggface2_train.tar.gz'), [
    { name: '../../train/n000002/0001_01.jpg', bytes: Buffer.from('out') },
  ]);
  await expect(open(folder)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining('leads out of the folder'),
  });
});

test('links that lead out of the folder are not followed, and that is said', async () => {
  const folder = join(root, 'links');
  mkdirSync(folder);
  cpSync(join(unpacked, 'test'), join(folder, 'test'), { recursive: true });
  symlinkSync(join(packed, 'vggface2_train.tar.gz'), join(folder, 'vggface2_train.tar.gz'));
  symlinkSync(join(unpacked, 'identity_meta.csv'), join(folder, 'identity_meta.csv'));
  const opened = await open(folder);
  expect(opened.source.identities('train')).toEqual([]);
  expect(opened.notes.filter((note) => note.includes('leads out of the folder'))).toHaveLength(2);
  opened.files.close();
});

test('the tiny set is drawn on first use and read by the same code; identities are known from names', async () => {
  const rawDir = join(root, 'tiny');
  mkdirSync(rawDir);
  const notes: string[] = [];
  const context = {
    rawDir,
    say: () => undefined,
    progress: () => undefined,
    agree: async () => {},
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    note: (text: string) => notes.push(text),
  };
  const source = await vggface2TinyDataset.obtain(context);
  expect(shapeOf(await vggface2TinyDataset.obtain(context))).toEqual(shapeOf(source));
  expect(source.identities('train')).toHaveLength(10);
  expect(source.identities('test')).toHaveLength(4);
  expect(notes).toEqual([]);
  const files = (await vggface2TinyDataset.openFiles?.({ rawDir })) as DatasetFiles;
  const name = source.identities('test')[0]?.images.name(0) as string;
  expect((await files.read(name))?.box).toBeDefined();
  expect(vggface2TinyDataset.identityOf?.(name)).toBe(source.identities('test')[0]?.id);
  files.close();
});
