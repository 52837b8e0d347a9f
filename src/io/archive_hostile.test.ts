/** Tests of hostile and damaged archives: what is refused, with which words, and that nothing is ever written elsewhere. */

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractArchive } from './archive.js';
import {
  archiveFile,
  readAll,
  recordsOf,
  renamed,
  snapshot,
  tarOf,
  testFolder,
  withDirectoryRecord,
  withTarChecksum,
  zipOf,
} from './archive.test.samples.js';
import { safeEntryName } from './archive_entry.js';
import { UserError } from './errors.js';
import { readTar } from './tar.js';
import { readZip } from './zip.js';

const FILES = {
  'a.txt': 'alpha',
  'deep/b.bin': Buffer.alloc(700_000, 'beta\n').toString('latin1'),
  'empty.txt': '',
};

describe('names can’t escape', () => {
  const unsafe = {
    '': 'empty',
    '.': '',
    './': '',
    '/etc/x': 'absolute',
    '//host/x': 'absolute',
    'C:x': 'drive letter',
    'c:/x': 'drive letter',
    '..': 'out of the folder',
    'a/../../b': 'out of the folder',
    'a/..': 'out of the folder',
    'a\\b': 'backslash',
    '..\\b': 'backslash',
    'a\0b': 'control',
    'a\nb': 'control',
    nul: 'device',
    'x/COM1.txt': 'device',
    'lpt9 .a.b': 'device',
    ['n'.repeat(256)]: 'longer than 255',
    ['é'.repeat(128)]: 'longer than 255',
    ['n/'.repeat(600)]: 'longer than 1024',
  };
  for (const [raw, reason] of Object.entries(unsafe))
    test(`${JSON.stringify(raw.slice(0, 20))} is refused or stands for the root`, () => {
      expect(safeEntryName(raw)).toEqual(
        reason === '' ? { name: '' } : { unsafe: expect.stringContaining(reason) },
      );
    });

  test('harmless oddities are normalised or left as they are', () => {
    expect(safeEntryName('./a//b/./c/')).toEqual({ name: 'a/b/c' });
    expect(safeEntryName('...', 'linux')).toEqual({ name: '...' });
    expect(safeEntryName('Robert Downey Jr.', 'linux')).toEqual({ name: 'Robert Downey Jr.' });
    expect(safeEntryName('Robert Downey Jr.', 'win32')).toHaveProperty('unsafe');
    expect(safeEntryName('a/b:stream', 'win32')).toHaveProperty('unsafe');
    expect(safeEntryName('console.log')).toEqual({ name: 'console.log' });
  });

  for (const [kind, make] of [
    ['zip', async (name: string) => renamed(await zipOf({ aaaaaaaa: 'x' }), 'aaaaaaaa', name)],
    [
      'tar',
      async (name: string) => withTarChecksum(renamed(await tarOf([['aaaaaaaa', 'x']]), 'aaaaaaaa', name)),
    ],
  ] as const)
    for (const name of ['../../xx', '/tmp/xxx', 'C:/xxxxx', 'xx\\..\\xx', 'aux.jpeg', 'x/../../', '././././'])
      test(`a ${kind} with the entry ${name} is refused by archive and entry, and nothing is written`, async () => {
        const parent = await testFolder();
        const path = await archiveFile(await make(name));
        // A trailing slash makes a folder of it; the root folder alone is harmless.
        const attempt = extractArchive(path, join(parent, 'in', 'target'));
        if (name === '././././') expect(await attempt).toEqual([]);
        else {
          const error = await attempt.catch((thrown: unknown) => thrown);
          expect(error).toBeInstanceOf(UserError);
          expect((error as UserError).where).toContain(path);
          expect((error as UserError).where).toContain(JSON.stringify(name));
        }
        expect(await snapshot(parent)).toEqual({});
      });

  test('a NUL in a zip’s name does not cut it short', async () => {
    const path = await archiveFile(renamed(await zipOf({ 'ok.txt.exe': 'x' }), 'ok.txt.exe', 'ok.txt\0exe'));
    await expect(extractArchive(path, await testFolder())).rejects.toThrow('control character');
  });
});

describe('links are never written and never followed', () => {
  test('a tar whose link would lead its next entry outside is refused before that entry', async () => {
    const parent = await testFolder();
    for (const type of ['symlink', 'link'] as const) {
      const tar = await tarOf([[{ name: 'd', type, linkname: '../outside' }], ['d/evil', 'x']]);
      await expect(extractArchive(await archiveFile(tar), join(parent, 'target'))).rejects.toThrow(
        'is a link',
      );
    }
    expect(await snapshot(parent)).toEqual({});
  });

  test('a link in a zip is told as a link', async () => {
    const zip = await zipOf({ d: '../outside' }, { mode: 0o120777 });
    expect(await readAll(readZip(await archiveFile(zip)))).toEqual([['d', 'link', '']]);
    await expect(extractArchive(await archiveFile(zip), await testFolder())).rejects.toThrow('is a link');
  });

  test('links and devices that are not chosen are passed over', async () => {
    const tar = await tarOf([
      [{ name: 'l', type: 'symlink', linkname: '/' }],
      [{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 3 }],
      ['a', 'x'],
    ]);
    const target = await testFolder();
    await extractArchive(await archiveFile(tar), target, { only: (name) => name === 'a' });
    expect(await snapshot(target)).toEqual({ a: 'x' });
    await expect(
      extractArchive(await archiveFile(tar), target, { only: (name) => name === 'dev' }),
    ).rejects.toThrow('neither a file nor a folder');
  });

  test('a link that is already in the folder is not followed, as a folder or as a file', async () => {
    const parent = await testFolder();
    const target = join(parent, 'target');
    await mkdir(join(parent, 'outside'));
    await writeFile(join(parent, 'precious'), 'kept');
    await mkdir(target);
    await symlink('../outside', join(target, 'd'));
    await symlink('../precious', join(target, 'f'));
    const before = await snapshot(parent);
    for (const name of ['d/evil', 'f'])
      for (const bytes of [await zipOf({ [name]: 'x' }), await tarOf([[name, 'x']])])
        await expect(extractArchive(await archiveFile(bytes), target)).rejects.toThrow('symbolic link');
    expect(await snapshot(parent)).toEqual(before);
  });

  test('names that collide are refused: twice the same, and a file where a folder is wanted', async () => {
    const twice = await tarOf([
      ['a', '1'],
      ['./a', '2'],
    ]);
    await expect(extractArchive(await archiveFile(twice), await testFolder())).rejects.toThrow('same file');
    const both = await tarOf([
      ['a', '1'],
      ['a/b', '2'],
    ]);
    await expect(extractArchive(await archiveFile(both), await testFolder())).rejects.toThrow('stands where');
    const reverse = await tarOf([
      ['a/b', '1'],
      ['a', '2'],
    ]);
    await expect(extractArchive(await archiveFile(reverse), await testFolder())).rejects.toThrow(
      'stands where',
    );
  });
});

describe('bombs are refused at the byte that passes the limit', () => {
  const zeros = Buffer.alloc(64 * 2 ** 20);

  test('64 MiB of zeros in 64 KB, as a zip and as a gzipped tar, and no part of them stays', async () => {
    const target = await testFolder();
    for (const bytes of [await zipOf({ bomb: zeros }), gzipSync(await tarOf([['bomb', zeros]]))]) {
      const path = await archiveFile(bytes);
      await expect(extractArchive(path, target)).rejects.toThrow('more than 200 times its size');
      expect(await snapshot(target)).toEqual({});
      await expect(
        extractArchive(path, target, { limits: { maxRatio: 2000, maxTotalBytes: 2 ** 20 } }),
      ).rejects.toThrow('unpacks to more than 1048576 bytes');
      const written = await extractArchive(path, await testFolder(), { limits: { maxRatio: 2000 } });
      expect(written[0]!.bytes).toBe(zeros.length);
    }
  });

  test('a gzip bomb is refused also where its entry is passed over or there is none', async () => {
    const skipped = readAll(readTar(await archiveFile(gzipSync(zeros))));
    await expect(skipped).rejects.toThrow('more than 200 times its size');
  });

  test('too many entries and too large an entry', async () => {
    for (const [bytes, read] of [
      [await zipOf(FILES), readZip],
      [await tarOf(Object.entries(FILES)), readTar],
    ] as const) {
      const path = await archiveFile(bytes);
      await expect(readAll(read(path, { limits: { maxEntries: 2 } }))).rejects.toThrow('more than 2 entries');
      await expect(readAll(read(path, { limits: { maxEntryBytes: 9999 } }))).rejects.toThrow('deep/b.bin');
      expect(await readAll(read(path, { limits: { maxEntries: 3, maxEntryBytes: 700_000 } }))).toHaveLength(
        3,
      );
    }
  });

  test('entries of a zip that share their bytes are refused before any is given', async () => {
    const zip = await zipOf({ a: 'x'.repeat(99), b: 'y'.repeat(99) });
    const shared = withDirectoryRecord(zip, 1, (record) => record.writeUInt32LE(0, 42));
    await expect(readZip(await archiveFile(shared)).next()).rejects.toThrow('overlaps');
  });

  test('an entry that runs into its neighbour by a longer local header is refused when it is opened', async () => {
    const zip = await zipOf({ a: 'x'.repeat(99), b: 'y'.repeat(99) }, { compress: false });
    zip.writeUInt16LE(60, recordsOf(zip, 'local')[0]! + 28);
    await expect(readAll(readZip(await archiveFile(zip)))).rejects.toThrow('overlaps');
  });
});

describe('archives that lie or are damaged give one UserError with the place', () => {
  const cases: [string, (zip: Buffer) => Buffer, string][] = [
    [
      'a size too small',
      (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt32LE(10, 24)),
      'more than the 10',
    ],
    [
      'a size too large',
      (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt32LE(9999, 24)),
      'declares 9999',
    ],
    ['a wrong CRC-32', (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt32LE(1, 16)), 'checksum'],
    ['encryption', (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt16LE(1, 8)), 'encrypted'],
    ['strong encryption', (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt16LE(0x41, 8)), 'encrypted'],
    ['method 12', (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt16LE(12, 10)), 'method 12'],
    [
      'an offset behind its end',
      (zip) => withDirectoryRecord(zip, 0, (r) => r.writeUInt32LE(1e9, 42)),
      'overlaps',
    ],
  ];
  for (const [lie, change, message] of cases)
    test(`a zip with ${lie}`, async () => {
      const path = await archiveFile(change(await zipOf({ 'some.txt': 'some words '.repeat(99) })));
      const error = await extractArchive(path, await testFolder()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain(message);
      expect((error as UserError).where).toContain(path);
    });

  test('Zip64 fields beyond 2^53 do not end the process', async () => {
    const zip = await zipOf({ a: 'x' }, { forceZip64Format: true });
    const end = zip.indexOf(Buffer.from('PK\x06\x07', 'latin1'));
    zip.writeBigUInt64LE(0x7fff_ffff_ffff_ffffn, end + 8);
    await expect(readAll(readZip(await archiveFile(zip)))).rejects.toThrow('outside of the file');
  });

  for (const [kind, make] of [
    ['zip', () => zipOf({ a: 'x', 'b/c': 'some words '.repeat(9) })],
    [
      'tar',
      () =>
        tarOf([
          ['a', 'x'],
          ['b/c', 'some words '.repeat(9)],
        ]),
    ],
    [
      'tar.gz',
      async () =>
        gzipSync(
          await tarOf([
            ['a', 'x'],
            ['b/c', 'some words '.repeat(9)],
          ]),
        ),
    ],
  ] as const)
    test(`a ${kind} that is cut at any byte is refused, unless every entry is there`, async () => {
      const whole = await make();
      const path = await archiveFile(whole);
      const read = kind === 'zip' ? readZip : readTar;
      const complete = await readAll(read(path));
      for (let length = 0; length < whole.length; length++) {
        await writeFile(path, whole.subarray(0, length));
        const outcome = await readAll(read(path)).catch((thrown: unknown) => thrown);
        // The second of the two blocks of zeros that end a tar carries nothing.
        if (kind === 'tar' && length === whole.length - 512) expect(outcome).toEqual(complete);
        else {
          expect(outcome, `cut at ${length}`).toBeInstanceOf(UserError);
          expect((outcome as UserError).where).toContain(path);
        }
      }
    });

  test('a tar with sparse files in pax form is not given as if it were whole', async () => {
    const tar = await tarOf([[{ name: 'GNUSparseFile.0/s', pax: { 'GNU.sparse.major': '1' } }, 'map']]);
    expect(await readAll(readTar(await archiveFile(tar)))).toEqual([['GNUSparseFile.0/s', 'other', '']]);
  });

  test('other compressions and other things are named', async () => {
    await expect(readAll(readTar(await archiveFile(Buffer.from('BZh91AY&SY'))))).rejects.toThrow('bzip2');
    await expect(readAll(readTar(await archiveFile(Buffer.from('<html>'.repeat(200)))))).rejects.toThrow(
      'tar header',
    );
    await expect(readAll(readZip(await archiveFile(Buffer.from('<html>'))))).rejects.toThrow('zip file');
    await expect(extractArchive('/nowhere/x.zip', await testFolder())).rejects.toThrow('no such file');
    await expect(extractArchive(await testFolder(), await testFolder())).rejects.toThrow(UserError);
  });

  test('any change to a good archive gives entries or a UserError, and nothing outside of the folder', async () => {
    const samples = [
      await zipOf({ 'a.txt': 'alpha', 'd/b.txt': 'beta'.repeat(50) }),
      await zipOf({ 'a.txt': 'alpha' }, { forceZip64Format: true, compress: false }),
      await tarOf([
        ['a.txt', 'alpha'],
        [{ name: 'd/b.txt', pax: { comment: 'x' } }, 'beta'.repeat(50)],
      ]),
      gzipSync(
        await tarOf([
          ['a.txt', 'alpha'],
          ['d/b.txt', 'beta'.repeat(50)],
        ]),
      ),
    ];
    const parent = await testFolder();
    const path = await archiveFile(Buffer.alloc(0));
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 8 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom('../', '/', '\0', 'PK\x01\x02').map((s) => Buffer.from(s)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        async (sample, edits) => {
          let bytes = sample;
          for (const { at, remove, insert } of edits) {
            const start = at % bytes.length;
            bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
          }
          await writeFile(path, bytes);
          const outcome = await extractArchive(path, join(parent, 'in', 'target')).catch(
            (thrown: unknown) => thrown,
          );
          if (!Array.isArray(outcome)) expect(outcome).toBeInstanceOf(UserError);
          for (const name of Object.keys(await snapshot(parent))) {
            expect(name.startsWith(join('in', 'target'))).toBe(true);
            expect(name).not.toContain('.unpacking');
          }
        },
      ),
      { numRuns: 600 },
    );
  });
});
