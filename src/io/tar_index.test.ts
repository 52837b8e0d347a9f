import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jpegLike, memberName, seededBytes, wordy, writeManyFiles } from '../../fixtures/tar_archives.js';
import { tarOf, testFolder } from './archive.test.samples.js';
import { UserError } from './errors.js';
import { processTag } from './process_tag.js';
import { IndexedTar, indexTar, type TarIndexProgress, tarIndexCost } from './tar_index.js';

/** Sizes from 0 to 40 KB, every fifth file of words. */
const COUNT = 500;
const CONTENTS: readonly Buffer[] = Array.from({ length: COUNT }, (_, i) => {
  const bytes = ((i * 7919) % 40) * 1024 + (i % 7);
  return i % 5 === 0 ? wordy(i, bytes) : jpegLike(i, Math.max(bytes, 200));
});
const contentsOf = (i: number): Buffer => CONTENTS[i] as Buffer;

/** The archives that were made already, as bytes: gzip takes longer than all that is tested. */
const made = new Map<number | undefined, { readonly bytes: Buffer; readonly names: string[] }>();

async function manyFiles(level?: number): Promise<{ archive: string; index: string; names: string[] }> {
  const folder = await testFolder();
  const archive = join(folder, level === undefined ? 'many.tar' : 'many.tar.gz');
  const index = join(folder, 'many.index');
  const known = made.get(level);
  if (known !== undefined) {
    writeFileSync(archive, known.bytes);
    return { archive, index, names: known.names };
  }
  const wanted = { count: COUNT, contents: contentsOf, ...(level === undefined ? {} : { level }) };
  const names = await writeManyFiles(archive, wanted);
  made.set(level, { bytes: readFileSync(archive), names });
  return { archive, index, names };
}

function opened(archive: string, index: string): IndexedTar {
  const tar = IndexedTar.open(archive, index);
  onTestFinished(() => tar.close());
  return tar;
}

async function indexed(bytes: Buffer): Promise<IndexedTar> {
  const folder = await testFolder();
  writeFileSync(join(folder, 'a'), bytes);
  await indexTar(join(folder, 'a'), join(folder, 'index'));
  return opened(join(folder, 'a'), join(folder, 'index'));
}

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => undefined).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

const textOf = async (tar: IndexedTar, name: string): Promise<string | undefined> => {
  const bytes = await tar.read(name);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

describe.each([
  ['a gzipped tar', 6],
  ['a tar gzipped with stored blocks', 0],
  ['a plain tar', undefined],
] as const)('%s', (_, level) => {
  test('is listed in its order, and every file is read in any order', async () => {
    const { archive, index, names } = await manyFiles(level);
    await indexTar(archive, index);
    const tar = opened(archive, index);
    expect(tar.memberCount).toBe(COUNT);
    expect(tar.incomplete).toBeUndefined();
    expect([...tar.names()]).toEqual(names);
    expect([...tar.members()].map(({ bytes }) => bytes)).toEqual(names.map((__, i) => contentsOf(i).length));
    for (let k = 0; k < COUNT; k++) {
      const i = (k * 211) % COUNT;
      expect(contentsOf(i).equals((await tar.read(memberName(i))) as Buffer), memberName(i)).toBe(true);
    }
    for (const [i, name] of names.entries())
      expect(contentsOf(i).equals((await tar.read(name)) as Buffer)).toBe(true);
    expect(tar.has(memberName(3))).toBe(true);
    expect(tar.has(memberName(COUNT))).toBe(false);
    expect(await tar.read('train')).toBeUndefined();
    expect(readdirSync(join(index, '..')).sort()).toEqual([archive.split('/').pop(), 'many.index'].sort());
  });

  test('that is stopped again and again is indexed as in one go', async () => {
    const { archive, index } = await manyFiles(level);
    await indexTar(archive, index);
    let stops = 0;
    for (;;) {
      const stop = new AbortController();
      let calls = 0;
      const run = indexTar(archive, `${index}.2`, {
        signal: stop.signal,
        onProgress: () => ++calls > 1 && stop.abort(new Error('stopped here')),
      });
      const error = await run.then(() => undefined).catch((thrown: unknown) => thrown);
      if (error === undefined) break;
      expect(String(error)).toContain('stopped here');
      if (++stops > 20) break;
    }
    await indexTar(archive, `${index}.2`);
    expect(readFileSync(`${index}.2`).equals(readFileSync(index))).toBe(true);
  });

  test('that is cut off is indexed as far as it goes, and completed when the rest has come', async () => {
    const { archive, index, names } = await manyFiles(level);
    const part = `${archive}.part`;
    const whole = readFileSync(archive);
    await indexTar(archive, `${index}.whole`);
    for (const share of [0.4, 0.7]) {
      writeFileSync(part, whole.subarray(0, Math.floor(whole.length * share)));
      const error = await failure(indexTar(part, index));
      expect(error.message).toContain('it is indexed up to there');
      expect(error.where).toContain(part);
      const tar = IndexedTar.open(part, index);
      expect(tar.incomplete).toContain(part);
      expect(tar.memberCount).toBeGreaterThan(COUNT * (share - 0.15));
      expect([...tar.names()]).toEqual(names.slice(0, tar.memberCount));
      for (const [i, name] of [...tar.names()].entries())
        expect(contentsOf(i).equals((await tar.read(name)) as Buffer)).toBe(true);
      tar.close();
    }
    writeFileSync(part, whole);
    expect(() => IndexedTar.open(part, index)).toThrow('is not the one that was indexed');
    await indexTar(part, index);
    expect(readFileSync(index).equals(readFileSync(`${index}.whole`))).toBe(true);
  });

  test('is as the tar of the system has it', async ({ skip }) => {
    const gnu = await testFolder();
    const { archive, index } = await manyFiles(level);
    try {
      execFileSync('tar', ['-xf', archive, '-C', gnu], { stdio: 'ignore', timeout: 30_000 });
    } catch {
      return skip('there is no tar here');
    }
    await indexTar(archive, index);
    const tar = opened(archive, index);
    for (const name of tar.names())
      expect(readFileSync(join(gnu, name)).equals((await tar.read(name)) as Buffer)).toBe(true);
  });
});

test('archives that the system’s tar writes are read: long names, folders, links and sparse files', async ({
  skip,
}) => {
  const folder = await testFolder();
  const long = `${'d'.repeat(90)}/${'e'.repeat(120)}/${'f'.repeat(200)}`;
  mkdirSync(join(folder, 'in', long), { recursive: true });
  writeFileSync(join(folder, 'in', long, 'x.jpg'), 'long');
  writeFileSync(join(folder, 'in', 'b ü.txt'), 'words');
  for (const format of ['gnu', 'pax', 'posix']) {
    const archive = join(folder, `${format}.tar.gz`);
    try {
      execFileSync('tar', ['-czf', archive, `--format=${format}`, '-C', join(folder, 'in'), '.'], {
        stdio: 'ignore',
      });
    } catch {
      return skip('there is no GNU tar here');
    }
    await indexTar(archive, `${archive}.index`);
    const tar = opened(archive, `${archive}.index`);
    expect([...tar.names()].sort()).toEqual(['b ü.txt', `${long}/x.jpg`]);
    expect(await textOf(tar, `${long}/x.jpg`)).toBe('long');
    expect(await textOf(tar, 'b ü.txt')).toBe('words');
  }
});

test('of a name that occurs twice the last file counts, and it is listed once', async () => {
  const tar = await indexed(
    gzipSync(
      await tarOf([
        ['a', 'first'],
        ['b', 'b'],
        ['./a', 'second'],
      ]),
    ),
  );
  expect(tar.memberCount).toBe(2);
  expect([...tar.names()]).toEqual(['b', 'a']);
  expect(await textOf(tar, 'a')).toBe('second');
});

test('an archive in gzip members, as pigz and bgzip write them, is one archive', async () => {
  const tar = await tarOf(
    Array.from({ length: 60 }, (_, i) => [memberName(i), seededBytes(i, 50_000)] as const),
  );
  const members: Buffer[] = [];
  for (let at = 0; at < tar.length; at += 60_000) members.push(gzipSync(tar.subarray(at, at + 60_000)));
  const archive = await indexed(Buffer.concat(members));
  for (let i = 59; i >= 0; i -= 7)
    expect(seededBytes(i, 50_000).equals((await archive.read(memberName(i))) as Buffer)).toBe(true);
});

test('an archive of nothing has no files, and an empty file is no archive', async () => {
  expect((await indexed(await tarOf([]))).memberCount).toBe(0);
  expect((await indexed(gzipSync(await tarOf([])))).has('a')).toBe(false);
  await expect(indexed(Buffer.alloc(0))).rejects.toThrow('it is empty');
});

test('what stands behind the end of a whole tar is not looked at', async () => {
  const rubbish = Buffer.concat([gzipSync(await tarOf([['a', 'x']])), Buffer.from('rubbish')]);
  expect(await textOf(await indexed(rubbish), 'a')).toBe('x');
});

test('another archive under the same name is refused, and indexed anew when that is asked for', async () => {
  const folder = await testFolder();
  const [archive, index] = [join(folder, 'a.tar.gz'), join(folder, 'index')];
  writeFileSync(archive, gzipSync(await tarOf([['a', 'x']]), { level: 0 }));
  await indexTar(archive, index);
  const { id } = opened(archive, index);
  writeFileSync(archive, gzipSync(await tarOf([['a', 'y']]), { level: 0 }));
  expect(() => IndexedTar.open(archive, index)).toThrow('is not the one that was indexed');
  await indexTar(archive, index);
  const tar = opened(archive, index);
  expect(await textOf(tar, 'a')).toBe('y');
  expect(tar.id).not.toBe(id);
});

test('an archive that is changed behind the index’s back gives an error and no wrong bytes', async () => {
  const { archive, index, names } = await manyFiles();
  await indexTar(archive, index);
  const tar = opened(archive, index);
  const changed = readFileSync(archive);
  changed.fill(0x55, 3_000_000, 3_000_400);
  writeFileSync(archive, changed);
  const wrong: string[] = [];
  for (const [i, name] of names.entries())
    try {
      expect(contentsOf(i).equals((await tar.read(name)) as Buffer)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      wrong.push(name);
    }
  expect(wrong.length).toBeGreaterThan(0);
  expect(wrong.length).toBeLessThan(4);
});

test('indexing what is indexed does nothing, and a damaged index is made again', async () => {
  const { archive, index } = await manyFiles(6);
  await indexTar(archive, index);
  const first = readFileSync(index);
  const { ino } = statSync(index);
  await indexTar(archive, index);
  expect(statSync(index).ino).toBe(ino);
  truncateSync(index, first.length - 10);
  expect(() => IndexedTar.open(archive, index)).toThrow('delete it and index the archive again');
  await indexTar(archive, index);
  expect(readFileSync(index).equals(first)).toBe(true);
});

test('no index, no archive and a folder are each said', async () => {
  const folder = await testFolder();
  await expect(indexTar(join(folder, 'no'), join(folder, 'index'))).rejects.toThrow('there is no such file');
  await expect(indexTar(folder, join(folder, 'index'))).rejects.toThrow('it is not a file');
  writeFileSync(join(folder, 'a.tar'), await tarOf([['a', 'x']]));
  expect(() => IndexedTar.open(join(folder, 'a.tar'), join(folder, 'index'))).toThrow('index it first');
});

test('an index that another process makes is waited for by the user, and a dead one’s lock is taken over', async () => {
  const { archive, index } = await manyFiles(6);
  writeFileSync(`${index}.lock`, processTag());
  await expect(indexTar(archive, index)).rejects.toThrow('another process is indexing');
  // No process has this number: the largest on Linux is 2^22.
  writeFileSync(`${index}.lock`, processTag().replace(/~\d+~/, '~99999999~'));
  await indexTar(archive, index);
  expect(existsSync(`${index}.lock`)).toBe(false);
});

test('a journal that a kill has cut, or that is of another archive, does no harm', async () => {
  const { archive, index } = await manyFiles(6);
  await indexTar(archive, index);
  writeFileSync(`${index}.2.journal`, seededBytes(1, 5000));
  await indexTar(archive, `${index}.2`);
  expect(readFileSync(`${index}.2`).equals(readFileSync(index))).toBe(true);
  const cut = `${archive}.cut`;
  copyFileSync(archive, cut);
  truncateSync(cut, 4_000_000);
  await failure(indexTar(cut, `${index}.3`));
  appendFileSync(`${index}.3.journal`, seededBytes(2, 100));
  await indexTar(archive, `${index}.3`);
  expect(readFileSync(`${index}.3`).equals(readFileSync(index))).toBe(true);
});

test('a damaged archive leaves nothing behind that a good copy would be indexed with', async () => {
  const folder = await testFolder();
  const [archive, index] = [join(folder, 'a.tar.gz'), join(folder, 'index')];
  // Stored and large enough for a checkpoint of the journal before the damage is noticed, at the very end.
  const contents = (i: number): Buffer => seededBytes(i, 2 ** 20);
  const names = await writeManyFiles(archive, { count: 80, contents, level: 0 });
  const good = readFileSync(archive);
  const damaged = Buffer.from(good);
  damaged.fill(0x55, 5_000_000, 5_000_400);
  writeFileSync(archive, damaged);
  expect((await failure(indexTar(archive, index))).message).toContain('checksum');
  writeFileSync(archive, good);
  await indexTar(archive, index);
  const tar = opened(archive, index);
  for (const [i, name] of names.entries())
    expect(contents(i).equals((await tar.read(name)) as Buffer)).toBe(true);
});

test('progress begins at nothing and ends with everything', async () => {
  const { archive, index } = await manyFiles(6);
  const seen: TarIndexProgress[] = [];
  await indexTar(archive, index, { onProgress: (progress) => seen.push(progress) });
  const totalBytes = statSync(archive).size;
  expect(seen[0]).toEqual({ bytesRead: 0, totalBytes, members: 0 });
  expect(seen.at(-1)).toEqual({ bytesRead: totalBytes, totalBytes, members: COUNT });
});

test('the estimate of an archive that is smaller than its sample is its index’s size', async () => {
  for (const level of [6, undefined]) {
    const { archive, index } = await manyFiles(level);
    const cost = tarIndexCost(archive);
    await indexTar(archive, index);
    expect(cost.kind).toBe('estimate');
    expect(cost.seconds).toBeGreaterThan(0);
    expect(Math.abs(cost.indexBytes / statSync(index).size - 1)).toBeLessThan(0.1);
  }
});

test('a closed archive reads nothing more, and closing twice is allowed', async () => {
  const { archive, index } = await manyFiles(6);
  await indexTar(archive, index);
  const tar = IndexedTar.open(archive, index);
  tar.close();
  tar.close();
  await expect(tar.read(memberName(0))).rejects.toThrow('closed already');
  expect(() => tar.has('a')).toThrow('closed already');
});

test('worker threads read from one index at a time', async () => {
  const { archive, index } = await manyFiles(6);
  await indexTar(archive, index);
  const module = new URL('./tar_index.js', import.meta.url).href;
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(async ({ IndexedTar }) => {
      const tar = IndexedTar.open(workerData.archive, workerData.index);
      let bytes = 0;
      for (const name of tar.names()) bytes += (await tar.read(name)).length;
      tar.close();
      parentPort.postMessage(bytes);
    });`;
  const total = Array.from({ length: COUNT }, (_, i) => contentsOf(i).length).reduce((a, b) => a + b);
  const sums = [1, 2].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(code, { eval: true, workerData: { module, archive, index } });
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  expect(await Promise.all(sums)).toEqual([total, total]);
});
