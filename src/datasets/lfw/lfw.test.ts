import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLfwTree } from '../../../fixtures/lfw_tree.js';
import type { DatasetFiles } from '../dataset.js';
import { type LfwSource, lfwDataset } from './lfw.js';

const root = mkdtempSync(join(tmpdir(), 'lfw-'));
afterAll(() => rmSync(root, { recursive: true }));
let names: readonly string[] = [];

beforeAll(async () => {
  names = await makeLfwTree({ folder: join(root, 'folders') });
  await makeLfwTree({ folder: join(root, 'archive'), form: 'archive' });
});

async function open(manualDir: string): Promise<{ source: LfwSource; files: DatasetFiles; notes: string[] }> {
  const rawDir = mkdtempSync(join(root, 'raw-'));
  const notes: string[] = [];
  const source = await lfwDataset.obtain({
    rawDir,
    manualDir,
    say: () => undefined,
    progress: () => undefined,
    agree: async () => {},
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    note: (text) => notes.push(text),
  });
  return { source, files: (await lfwDataset.openFiles?.({ rawDir, manualDir })) as DatasetFiles, notes };
}

test.each(['folders', 'archive'])('pairs and pictures come from --manual-dir as %s', async (form) => {
  const { source, files, notes } = await open(join(root, form));
  expect(source.pairs).toHaveLength(12);
  expect(notes).toEqual([]);
  for (const name of source.pairs.flatMap(({ images }) => images)) {
    expect(names).toContain(name);
    expect((await files.read(name))?.bytes.length).toBeGreaterThan(500);
    expect(files.stamp(name)).toBeDefined();
  }
  expect(files.stamp('Nobody/Nobody_0001.jpg')).toBeUndefined();
  expect(lfwDataset.identityOf?.('Abel_Pacheco/Abel_Pacheco_0001.jpg')).toBe('Abel_Pacheco');
  files.close();
});

test('without --manual-dir both files are fetched, then opened where they came to lie', async () => {
  const rawDir = mkdtempSync(join(root, 'raw-'));
  const fetched: string[] = [];
  await makeLfwTree({ folder: rawDir, form: 'archive' });
  const source = await lfwDataset.obtain({
    rawDir,
    say: () => undefined,
    progress: () => undefined,
    agree: async () => {},
    fetch: async ({ name }) => {
      fetched.push(name);
      return join(rawDir, name);
    },
    note: () => {},
  });
  expect(fetched.sort()).toEqual(['lfw.tgz', 'pairs.txt']);
  const files = (await lfwDataset.openFiles?.({ rawDir })) as DatasetFiles;
  expect(await files.read(source.pairs[0]?.images[0] as string)).toBeDefined();
  files.close();
});

test('a picture that is missing is counted, and the others are read', async () => {
  const folder = join(root, 'part');
  await makeLfwTree({ folder });
  const { source: whole, files: wholeFiles } = await open(folder);
  wholeFiles.close();
  const [lost, kept] = whole.pairs[0]!.images;
  rmSync(join(folder, 'lfw', lost));
  const { files, notes } = await open(folder);
  expect(notes).toEqual([
    expect.stringMatching(/^1 of the \d+ pictures that pairs.txt names are not there$/),
  ]);
  expect(await files.read(lost)).toBeUndefined();
  expect(await files.read(kept)).toBeDefined();
  files.close();
});

test('a folder without pairs.txt or without pictures is refused, saying what to put there', async () => {
  const empty = join(root, 'empty');
  mkdirSync(empty);
  await expect(open(empty)).rejects.toThrow(/does not hold pairs\.txt/);
  const noPictures = join(root, 'no-pictures');
  await makeLfwTree({ folder: noPictures });
  rmSync(join(noPictures, 'lfw'), { recursive: true });
  await expect(open(noPictures)).rejects.toThrow(/does not hold lfw\.tgz.*put there pairs\.txt and lfw\.tgz/);
});
