import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Manifest } from '../datagen/manifest.js';
import { UserError } from '../io/errors.js';
import { RecordError } from '../io/tfrecord_reader.js';
import { all, dataDir, folder, open } from './numbered_split.test.helper.js';

/** A copy of the data folder, something in it changed. */
function damagedCopy(change: (dir: string, shard: string) => void): string {
  const dir = mkdtempSync(join(folder, 'copy-'));
  cpSync(dataDir, dir, { recursive: true });
  change(dir, join(dir, 'test_numbered-train-00001-of-00003'));
  return dir;
}

test.each<[string, (dir: string, shard: string) => void, RegExp]>([
  ['a missing shard', (_dir, shard) => rmSync(shard), /a shard is missing .*00001-of-00003/],
  [
    'a shard that grew',
    (_dir, shard) => appendFileSync(shard, 'x'),
    /a shard of \d+ bytes, where .*00001-of-00003/,
  ],
  [
    'a missing index',
    (_dir, shard) => rmSync(`${shard}.idx`),
    /index of a shard is missing .*00001-of-00003\.idx/,
  ],
  [
    'an index of another shard',
    (dir, shard) => copyFileSync(join(dir, 'test_numbered-train-00000-of-00003.idx'), `${shard}.idx`),
    /00001-of-00003\.idx/,
  ],
  [
    'an index cut short',
    (_dir, shard) => writeFileSync(`${shard}.idx`, readFileSync(`${shard}.idx`, 'utf8').slice(0, -3)),
    /00001-of-00003\.idx/,
  ],
  [
    'an index that is a folder',
    (_dir, shard) => {
      rmSync(`${shard}.idx`);
      mkdirSync(`${shard}.idx`);
    },
    /index of a shard can't be read .*00001-of-00003\.idx/,
  ],
  ['an empty index', (_dir, shard) => writeFileSync(`${shard}.idx`, ''), /00001-of-00003\.idx/],
  [
    'an unfinished split',
    (dir) => editManifest(dir, (manifest) => ({ ...manifest, complete: false })),
    /is not finished/,
  ],
  [
    'another feature',
    (dir) =>
      editManifest(dir, (manifest) => ({
        ...manifest,
        features: { ...manifest.features, number: { kind: 'text', shape: [] } },
      })),
    /"number" where test_numbered has/,
  ],
  ['no manifest', (dir) => rmSync(join(dir, 'test_numbered.train.manifest.json')), /there is no train split/],
])('%s is one clear error before the first batch', async (_name, change, message) => {
  const dir = damagedCopy(change);
  const error = await open({ dataDir: dir }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(message);
  expect((error as UserError).remedy).toBeDefined();
});

function editManifest(dir: string, edit: (manifest: Manifest) => unknown): void {
  const path = join(dir, 'test_numbered.train.manifest.json');
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, 'utf8')) as Manifest)));
}

test.each([0, 1])(
  'a record damaged after the split was opened is named by file and number, with %i thread(s)',
  async (workers) => {
    const dir = damagedCopy(() => {});
    const examples = await open({ dataDir: dir, workers, shuffle: 'plan' });
    const shard = join(dir, 'test_numbered-train-00001-of-00003');
    const bytes = readFileSync(shard);
    const { offset } = readIndexLine(`${shard}.idx`, 4);
    bytes[offset + 20]! ^= 1;
    writeFileSync(shard, bytes);
    const record = 35 + 4; // 103 records: 35, 34, 34 a shard
    for (const reading of [
      () => examples.record(record),
      () => all(examples.batch(8)),
      () => all(examples.keys()),
    ])
      await expect(reading()).rejects.toThrow(/00001-of-00003, record 4/);
    const error = await all(examples).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject({ fault: 'data-crc', file: shard, record: 4, offset });
    // Those before it are handed out.
    expect(await all(examples.keys().take(record))).toHaveLength(record);
    expect(await all(examples.take(record))).toHaveLength(record);
  },
);

function readIndexLine(path: string, line: number): { offset: number } {
  return { offset: Number(readFileSync(path, 'utf8').split('\n')[line]!.split(' ')[0]) };
}

test.each([0, 2])(
  'compressed shards are read in order with %i thread(s), and say so where any other is asked',
  async (workers) => {
    const dir = damagedCopy((copy) => compress(copy));
    await expect(open({ dataDir: dir })).rejects.toThrow(/compressed shard is read in order only/);
    const examples = await open({ dataDir: dir, shuffle: 'plan', workers });
    const plan = await open({ shuffle: 'plan' });
    await expect(examples.record(3)).rejects.toThrow(/in order only/);
    expect(await all(examples.keys().repeat(2))).toEqual(await all(plan.keys().repeat(2)));
    expect(await all(examples.batch(8))).toEqual(await all(plan.batch(8)));
    const share = await open({ dataDir: dir, shuffle: 'plan', workers, rank: 1, world: 2 });
    expect(await all(share.keys())).toHaveLength(51);
  },
);

// In the middle of what is read together, and the first of it.
test.each([0, 1, 2].flatMap((workers) => [4, 13].map((damaged) => [damaged, workers] as const)))(
  'what is before the damage of a compressed shard is handed out, then the damage (record %i) is told, with %i thread(s)',
  async (damaged, workers) => {
    const dir = damagedCopy((copy, shard) => {
      const bytes = readFileSync(shard);
      bytes[readIndexLine(`${shard}.idx`, damaged).offset + 20]! ^= 1;
      writeFileSync(shard, bytes);
      compress(copy);
    });
    const examples = await open({ dataDir: dir, workers, shuffle: 'plan' });
    // Twice: a failure leaves nothing behind.
    for (let turn = 0; turn < 2; turn++) {
      const keys: unknown[] = [];
      const read = async (): Promise<void> => {
        for await (const { key } of examples) keys.push(key);
      };
      const file = join(dir, 'test_numbered-train-00001-of-00003');
      await expect(read()).rejects.toMatchObject({ fault: 'data-crc', file, record: damaged });
      expect(keys).toEqual(Array.from({ length: 35 + damaged }, (_, i) => `example:${i}`));
    }
  },
);

/** Makes the shards gzip files, which have no indices. */
function compress(dir: string): void {
  for (const i of [0, 1, 2]) {
    const shard = join(dir, `test_numbered-train-0000${i}-of-00003`);
    writeFileSync(`${shard}.gz`, gzipSync(readFileSync(shard)));
    renameSync(`${shard}.gz`, shard);
    rmSync(`${shard}.idx`);
  }
  editManifest(dir, (manifest) => ({
    ...manifest,
    shards: manifest.shards.map((shard) => ({ ...shard, bytes: readFileSync(join(dir, shard.file)).length })),
  }));
}
