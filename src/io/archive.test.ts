/** Tests of unpacking: what good archives give, what is refused, and that nothing is ever written elsewhere. */

import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { extractArchive } from './archive.js';
import {
  archiveFile,
  openCount,
  readAll,
  snapshot,
  tarOf,
  testFolder,
  zipOf,
} from './archive.test.samples.js';
import type { ArchiveEntry } from './archive_entry.js';
import { readTar } from './tar.js';
import { readZip } from './zip.js';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const hasTar = spawnSync('tar', ['--version']).stdout?.includes('GNU tar') === true;
const hasZip = spawnSync('zip', ['--version']).status === 0;
const onLinux = process.platform === 'linux';

const FILES = {
  'a.txt': 'alpha',
  'deep/b.bin': Buffer.alloc(700_000, 'beta\n').toString('latin1'),
  'empty.txt': '',
};

describe('good archives unpack to the files that were packed', () => {
  test('a zip by yazl, deflated, stored, and as Zip64', async () => {
    for (const options of [{}, { compress: false }, { forceZip64Format: true }]) {
      const target = await testFolder();
      const written = await extractArchive(await archiveFile(await zipOf(FILES, options)), target);
      expect(await snapshot(target)).toEqual(FILES);
      expect(written.map(({ name, bytes }) => [name, bytes])).toEqual(
        Object.entries(FILES).map(([name, contents]) => [name, contents.length]),
      );
      expect(await readFile(written[0]!.path, 'utf8')).toBe('alpha');
    }
  });

  test('a tar by tar-stream, plain, gzipped, and gzipped in several members', async () => {
    const tar = await tarOf(Object.entries(FILES));
    const members = Buffer.concat([gzipSync(tar.subarray(0, 900)), gzipSync(tar.subarray(900))]);
    for (const bytes of [tar, gzipSync(tar), members]) {
      const target = await testFolder();
      await extractArchive(await archiveFile(bytes), target);
      expect(await snapshot(target)).toEqual(FILES);
    }
  });

  test.skipIf(!hasTar)(
    `what the system's tar packs, in each of its formats${hasTar ? '' : ' (skipped: no GNU tar)'}`,
    async () => {
      const source = await testFolder();
      const long = `${'long-folder-name/'.repeat(8)}${'n'.repeat(120)}.txt`;
      for (const format of ['v7', 'ustar', 'gnu', 'pax']) {
        const files =
          format === 'v7' || format === 'ustar' ? FILES : { ...FILES, [long]: 'long', 'ünï.txt': 'ü' };
        const folder = join(source, format);
        for (const [name, contents] of Object.entries(files)) {
          await mkdir(join(folder, name, '..'), { recursive: true });
          await writeFile(join(folder, name), contents);
        }
        const path = join(source, `${format}.tar`);
        expect(spawnSync('tar', ['-C', folder, `--format=${format}`, '-cf', path, '.']).status).toBe(0);
        await extractArchive(path, join(source, `${format}-out`));
        expect(await snapshot(join(source, `${format}-out`))).toEqual(await snapshot(folder));
      }
    },
  );

  test.skipIf(!hasZip)(
    `what the system's zip packs, from a pipe too${hasZip ? '' : ' (skipped: no zip)'}`,
    async () => {
      const source = await testFolder();
      await writeFile(join(source, 'a.txt'), 'alpha'.repeat(1000));
      expect(spawnSync('zip', ['-q', 'x.zip', 'a.txt'], { cwd: source }).status).toBe(0);
      // Through a pipe, zip writes sizes behind the data and Zip64 fields.
      const piped = spawnSync('zip', ['-q', '-', '-'], { cwd: source, input: 'alpha'.repeat(1000) });
      expect(await readAll(readZip(join(source, 'x.zip')))).toEqual([
        ['a.txt', 'file', 'alpha'.repeat(1000)],
      ]);
      expect(await readAll(readZip(await archiveFile(piped.stdout)))).toEqual([
        ['-', 'file', 'alpha'.repeat(1000)],
      ]);
    },
  );

  test.skipIf(!hasPython)(`what Python packs${hasPython ? '' : ' (skipped: no python3)'}`, async () => {
    const folder = await testFolder();
    const script = `
import tarfile, zipfile, io
with zipfile.ZipFile('p.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('d/', b'')
    z.writestr('d/\\u00fc.txt', b'hello ' * 999)
    with z.open('big.txt', 'w', force_zip64=True) as f: f.write(b'zip64')
for name, fmt in (('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT)):
    with tarfile.open(name + '.tar.gz', 'w:gz', format=fmt) as t:
        for n in ('d/\\u00fc.txt', 'l' * 150 + '/' + 'm' * 150):
            i = tarfile.TarInfo(n); i.size = 5; t.addfile(i, io.BytesIO(b'hello'))
        i = tarfile.TarInfo('link'); i.type = tarfile.SYMTYPE; i.linkname = '/etc/passwd'; t.addfile(i)
`;
    expect(spawnSync('python3', ['-c', script], { cwd: folder }).stderr.toString()).toBe('');
    expect(await readAll(readZip(join(folder, 'p.zip')))).toEqual([
      ['d', 'folder', ''],
      ['d/ü.txt', 'file', 'hello '.repeat(999)],
      ['big.txt', 'file', 'zip64'],
    ]);
    for (const name of ['gnu', 'pax'])
      expect(await readAll(readTar(join(folder, `${name}.tar.gz`)))).toEqual([
        ['d/ü.txt', 'file', 'hello'],
        [`${'l'.repeat(150)}/${'m'.repeat(150)}`, 'file', 'hello'],
        ['link', 'link', ''],
      ]);
  });

  test('only the chosen entries are written, and progress tells how far it is', async () => {
    const target = await testFolder();
    const seen: string[] = [];
    const zip = await archiveFile(await zipOf(FILES));
    await extractArchive(zip, target, {
      only: (name) => name.endsWith('.txt'),
      onProgress: ({ name, files, bytes }) => seen.push(`${name} ${files} ${bytes}`),
    });
    expect(Object.keys(await snapshot(target)).sort()).toEqual(['a.txt', 'empty.txt']);
    expect(seen).toEqual(['a.txt 0 5']);
  });

  test('a second run replaces the files of the first', async () => {
    const target = await testFolder();
    const path = await archiveFile(await tarOf([['a.txt', 'new']]));
    await writeFile(join(target, 'a.txt'), 'old and longer');
    await extractArchive(path, target);
    await extractArchive(path, target);
    expect(await snapshot(target)).toEqual({ 'a.txt': 'new' });
  });
});

describe('reading entry by entry', () => {
  test('entries of a tar may be left alone, read in part, or left with their stream open', async () => {
    const big = Buffer.alloc(3_000_000, 'x');
    const path = await archiveFile(
      gzipSync(
        await tarOf([
          ['1', big],
          ['2', big],
          ['3', big],
          ['4', 'end'],
        ]),
      ),
    );
    const names: string[] = [];
    for await (const entry of readTar(createReadStream(path))) {
      names.push(entry.name);
      if (entry.name === '2') for await (const _chunk of entry.open()) break;
      if (entry.name === '3') entry.open().read();
      if (entry.name === '4') expect(await readAll(only(entry))).toEqual([['4', 'file', 'end']]);
    }
    expect(names).toEqual(['1', '2', '3', '4']);
  });

  test('entries of a zip may be opened after the iteration, together and twice', async () => {
    const path = await archiveFile(await zipOf(FILES));
    const entries: ArchiveEntry[] = [];
    for await (const entry of readZip(path)) entries.push(entry);
    const twice = await Promise.all([...entries, ...entries].map((entry) => readAll(only(entry))));
    expect(twice.map(([read]) => read![2])).toEqual([...Object.values(FILES), ...Object.values(FILES)]);
  });

  test('an entry of a tar can be opened once only', async () => {
    const path = await archiveFile(
      await tarOf([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    const entries: ArchiveEntry[] = [];
    for await (const entry of readTar(path)) {
      entry.open();
      expect(() => entry.open()).toThrow('once');
      entries.push(entry);
    }
    expect(() => entries[0]!.open()).toThrow('before the next entry');
  });
});

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}

describe('stopping closes everything', () => {
  const slow = Buffer.alloc(8 * 2 ** 20, 'abcdefgh');

  test(`an abort half way leaves no open file and no partial file${onLinux ? '' : ' (open files not counted: no /proc)'}`, async () => {
    for (const bytes of [
      await zipOf({ slow }, { compress: false }),
      await tarOf([['slow', slow]]),
      gzipSync(await tarOf([['slow', slow]])),
    ]) {
      const path = await archiveFile(bytes);
      const target = await testFolder();
      const stopper = new AbortController();
      const reason = new Error('enough');
      await expect(
        extractArchive(path, target, { signal: stopper.signal, onProgress: () => stopper.abort(reason) }),
      ).rejects.toBe(reason);
      expect(await snapshot(target)).toEqual({});
      if (onLinux) await expect.poll(() => openCount(path)).toBe(0);
    }
  });

  test('an abort between two entries, with a stream open, ends the iteration and the stream', async () => {
    const path = await archiveFile(
      gzipSync(
        await tarOf([
          ['1', slow],
          ['2', slow],
        ]),
      ),
    );
    const stopper = new AbortController();
    const entries = readTar(path, { signal: stopper.signal });
    const stream = ((await entries.next()).value as ArchiveEntry).open();
    stream.read();
    stopper.abort(new Error('enough'));
    await expect(entries.next()).rejects.toThrow('enough');
    expect(stream.destroyed).toBe(true);
    if (onLinux) await expect.poll(() => openCount(path)).toBe(0);
  });

  test('an abort ends the wait for a source that never answers', async () => {
    const stopper = new AbortController();
    const silent = new Readable({ read: () => {} });
    const next = readTar(silent, { signal: stopper.signal }).next();
    setImmediate(() => stopper.abort(new Error('enough')));
    await expect(next).rejects.toThrow('enough');
    expect(silent.destroyed).toBe(true);
  });

  test.skipIf(!onLinux)(
    `leaving the loop early closes the file${onLinux ? '' : ' (skipped: no /proc)'}`,
    async () => {
      const tar = await tarOf([
        ['1', slow],
        ['2', slow],
      ]);
      for (const bytes of [tar, gzipSync(tar)]) {
        const path = await archiveFile(bytes);
        for await (const entry of readTar(path)) {
          entry.open().read();
          expect(openCount(path)).toBe(1);
          break;
        }
        expect(openCount(path)).toBe(0);
      }
    },
  );
});
