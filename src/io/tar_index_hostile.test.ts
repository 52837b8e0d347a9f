import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tarOf, testFolder } from './archive.test.samples.js';
import { UserError } from './errors.js';
import { IndexedTar, indexTar } from './tar_index.js';

describe('hostile archives are refused with the place', () => {
  test.each([
    ['a name that leads out', async () => gzipSync(await tarOf([['../a', 'x']])), 'leads out of the folder'],
    ['an absolute name', async () => tarOf([['/etc/a', 'x']]), 'absolute path'],
    [
      'a bomb',
      async () => gzipSync(await tarOf([['bomb', Buffer.alloc(64 * 2 ** 20)]])),
      '200 times its size',
    ],
    ['a tar in bzip2', async () => Buffer.from('BZh91AY&SY'), 'bzip2'],
    ['no tar', async () => Buffer.from('<html>'.repeat(200)), 'tar header'],
    ['a tar.gz that is none', async () => gzipSync('<html>'.repeat(200)), 'tar header'],
  ])('%s', async (_, make, message) => {
    const folder = await testFolder();
    writeFileSync(join(folder, 'evil'), await make());
    const error = await indexTar(join(folder, 'evil'), join(folder, 'index')).catch(
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw error ?? new Error('it was indexed');
    expect(error.message).toContain(message);
    expect(error.where).toContain(join(folder, 'evil'));
    expect(existsSync(join(folder, 'index'))).toBe(false);
  });

  test('more entries than the limit', async () => {
    const folder = await testFolder();
    writeFileSync(
      join(folder, 'many'),
      await tarOf([
        ['a', 'x'],
        ['b', 'x'],
        ['c', 'x'],
      ]),
    );
    const indexing = indexTar(join(folder, 'many'), join(folder, 'index'), { limits: { maxEntries: 2 } });
    await expect(indexing).rejects.toThrow('more than 2 entries');
  });

  test('links are passed over, and their names are not those of files', async () => {
    const folder = await testFolder();
    const [archive, index] = [join(folder, 'a.tar'), join(folder, 'index')];
    writeFileSync(
      archive,
      await tarOf([[{ name: 'l', type: 'symlink', linkname: '/etc/passwd' }], ['a', 'x']]),
    );
    await indexTar(archive, index);
    const tar = IndexedTar.open(archive, index);
    expect([...tar.names()]).toEqual(['a']);
    expect(await tar.read('l')).toBeUndefined();
    expect(tar.passedOver).toBe(1);
    tar.close();
  });
});
