import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { jpegLike, memberName, wordy, writeManyFiles } from '../../fixtures/tar_archives.js';
import { testFolder } from './archive.test.samples.js';
import { IndexedTar, indexTar } from './tar_index.js';

const COUNT = 12_000;
const contentsOf = (i: number): Buffer => (i % 9 === 0 ? wordy(i, 30_000) : jpegLike(i % 50, 20_000));

/** Indexes in a process of its own, and says on standard output that it has begun and each time it has got on. */
function indexingProcess(archive: string, index: string): ChildProcess {
  const code = `
    const { indexTar } = await import(${JSON.stringify(new URL('./tar_index.js', import.meta.url).href)});
    await indexTar(process.argv[1], process.argv[2], { onProgress: (p) => process.stdout.write(p.bytesRead + '\\n') });
    process.stdout.write('done\\n');`;
  return spawn(process.execPath, ['--input-type=module', '-e', code, archive, index], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test.each([
  ['gzipped', 1],
  ['plain', undefined],
] as const)(
  'a %s tar whose indexing is killed at random moments gets the index of an undisturbed run',
  async (_, level) => {
    const folder = await testFolder();
    const archive = join(folder, 'a.tar');
    await writeManyFiles(archive, {
      count: COUNT,
      contents: contentsOf,
      ...(level === undefined ? {} : { level }),
    });
    await indexTar(archive, `${archive}.whole`);
    const index = join(folder, 'index');
    let kills = 0;
    let resumed = 0;
    for (; kills < 40; kills++) {
      const child = indexingProcess(archive, index);
      onTestFinished(() => void child.kill('SIGKILL'));
      const exit = once(child, 'exit');
      const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
      if (Number(first.toString().split('\n')[0]) > 0) resumed++;
      // Later each time, so that every stage is hit and the last run is left alone.
      const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * (20 + kills * 60));
      const [code] = (await exit) as [number | null];
      clearTimeout(timer);
      if (code === 0) break;
      expect(code).toBeNull();
    }
    await indexTar(archive, index);
    expect(kills).toBeGreaterThan(0);
    expect(readFileSync(index).equals(readFileSync(`${archive}.whole`))).toBe(true);
    for (const leftover of ['journal', 'lock', 'making'])
      expect(existsSync(`${index}.${leftover}`), leftover).toBe(false);
    console.info(
      `killed ${kills} times, went on from a checkpoint ${resumed} times, ${statSync(archive).size} bytes`,
    );
    const tar = IndexedTar.open(archive, index);
    for (let i = 0; i < COUNT; i += 97)
      expect(contentsOf(i).equals((await tar.read(memberName(i))) as Buffer)).toBe(true);
    tar.close();
  },
  180_000,
);
