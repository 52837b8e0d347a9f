/** `bench download`: pictures from nginx on loopback into a checked store, against `curl --parallel`. */

import { type ChildProcess, execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seededRandom } from '../src/io/random.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { againstImg2dataset } from './img2dataset.js';
import { environment, freePort, startNginx, stop } from './nginx.js';

const run = promisify(execFile);

const BENCH = 'download/small-files';
const FILES = 5000;
const CONNECTIONS = 64;

/** Files a second at 64 connections with journal, limits and checks on; both write every file to the same disk. */
export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  yield* againstCurl();
  yield* againstImg2dataset();
}

async function* againstCurl(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  for (const [peer, version] of [
    ['nginx', '-v'],
    ['curl', '--version'],
  ] as const) {
    const isThere = await run(peer, [version], { env: environment() }).then(
      () => true,
      () => false,
    );
    if (isThere) continue;
    yield { bench: BENCH, missing: peer, reason: `${peer} does not start from the PATH` };
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-download-'));
  let server: ChildProcess | undefined;
  try {
    const port = await freePort();
    const names = makeFiles(join(folder, 'www'));
    server = await startNginx(folder, port, names[0] as string);
    const urls = names.map((name) => `http://127.0.0.1:${port}/${name}`);
    const list = join(folder, 'urls.txt');
    writeFileSync(list, `${urls.join('\n')}\n`);
    let serial = 0;
    const ours = async (): Promise<number> => {
      const target = join(folder, `ours-${++serial}`);
      const child = fileURLToPath(new URL('./download_child.js', import.meta.url));
      const { stdout } = await run(process.execPath, [child, list, target]);
      return counted(Number(stdout), 'ours');
    };
    const theirs = async (): Promise<number> => {
      const target = join(folder, `theirs-${++serial}`);
      mkdirSync(target);
      const config = join(folder, 'curl.txt');
      const pairs = urls.map((url, i) => `url = "${url}"\noutput = "${join(target, names[i] as string)}"\n`);
      writeFileSync(config, pairs.join(''));
      const parallel = ['--parallel', '--parallel-max', String(CONNECTIONS), '--parallel-immediate'];
      await run('curl', [...parallel, '--silent', '--fail', '--config', config]);
      return counted(readdirSync(target).length, 'curl');
    };
    yield figure(BENCH, 'curl --parallel', 'files/s', await alternate({ ours, theirs }));
  } finally {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

function counted(files: number, side: string): number {
  if (files !== FILES) throw new Error(`${side}: ${files} of ${FILES} files arrived`);
  return files;
}

/** Random bytes of 20 to 60 KB behind the head of a JPEG file. */
function makeFiles(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const random = seededRandom('bench/download');
  const noise = Buffer.alloc(128 * 1024);
  for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(random.below(2 ** 32), i);
  return Array.from({ length: FILES }, (_, i) => {
    const start = random.below(60_000);
    const bytes = Buffer.from(noise.subarray(start, start + 20_000 + random.below(40_001)));
    bytes.writeUInt32BE(0xffd8ffe0, 0);
    bytes.writeUInt32BE(i, 4); // No two files alike.
    const name = `${i}.jpg`;
    writeFileSync(join(folder, name), bytes);
    return name;
  });
}
